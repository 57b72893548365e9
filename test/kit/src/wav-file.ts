export interface WavOptions {
  readonly sampleRateHz: number;
  /** Format tag (1 integers, 3 floats, 6 A-law, 7 µ-law) and bits. */
  readonly tag?: number;
  readonly bits?: number;
  /** Samples in -1 to 1, one array a channel. */
  readonly channels: readonly ArrayLike<number>[];
  readonly extensible?: boolean;
  /** A chunk before the others, such as LIST. */
  readonly before?: { readonly name: string; readonly bytes: number };
  /** What the data chunk says of its length. */
  readonly statedBytes?: number;
  /** With lengths of 64 bits in a chunk of its own; those of 32 say nothing. */
  readonly form?: 'RF64' | 'BW64';
}

const UNSAID = 0xffff_ffff;
const LONG_SIZES_BYTES = 28;

/** A WAV file as other programs write it. */
export function wavFile(options: WavOptions): Uint8Array {
  const { sampleRateHz, tag = 1, bits = 16, channels, extensible = false, before, form } = options;
  const step = bits / 8;
  const samples = channels[0]?.length ?? 0;
  const dataBytes = samples * channels.length * step;
  const formatBytes = extensible ? 40 : 16;
  const beforeBytes = before === undefined ? 0 : 8 + before.bytes + (before.bytes % 2);
  const longBytes = form === undefined ? 0 : 8 + LONG_SIZES_BYTES;
  const bytes = new Uint8Array(12 + longBytes + beforeBytes + 8 + formatBytes + 8 + dataBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const text = (value: string): void => {
    for (const char of value) view.setUint8(at++, char.charCodeAt(0));
  };
  const u16 = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const u32 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const u64 = (value: number): void => {
    view.setBigUint64(at, BigInt(value), true);
    at += 8;
  };
  text(form ?? 'RIFF');
  u32(form === undefined ? bytes.length - 8 : UNSAID);
  text('WAVE');
  if (form !== undefined) {
    text('ds64');
    u32(LONG_SIZES_BYTES);
    u64(bytes.length - 8);
    u64(dataBytes);
    u64(samples);
    u32(0);
  }
  if (before !== undefined) {
    text(before.name);
    u32(before.bytes);
    at += before.bytes + (before.bytes % 2);
  }
  text('fmt ');
  u32(formatBytes);
  u16(extensible ? 0xfffe : tag);
  u16(channels.length);
  u32(sampleRateHz);
  u32(sampleRateHz * channels.length * step);
  u16(channels.length * step);
  u16(bits);
  if (extensible) {
    u16(22);
    u16(bits);
    u32(0);
    u16(tag);
    at += 14;
  }
  text('data');
  u32(options.statedBytes ?? (form === undefined ? dataBytes : UNSAID));
  for (let n = 0; n < samples; n += 1) {
    for (const channel of channels) {
      writeSample(view, at, tag, bits, channel[n] ?? 0);
      at += step;
    }
  }
  return bytes;
}

function writeSample(view: DataView, at: number, tag: number, bits: number, value: number): void {
  if (tag === 3 && bits === 32) view.setFloat32(at, value, true);
  else if (tag === 3) view.setFloat64(at, value, true);
  else if (tag === 6) view.setUint8(at, aLaw(Math.round(value * 4095)));
  else if (tag === 7) view.setUint8(at, muLaw(Math.round(value * 8158)));
  else if (bits === 8) view.setUint8(at, Math.round(value * 127) + 128);
  else if (bits === 16) view.setInt16(at, Math.round(value * 32_767), true);
  else if (bits === 32) view.setInt32(at, Math.round(value * 2_147_483_647), true);
  else {
    const integer = Math.round(value * 8_388_607);
    view.setUint16(at, integer & 0xffff, true);
    view.setInt8(at + 2, integer >> 16);
  }
}

/** ITU-T G.711 table 1, of 13 bits with sign. */
function aLaw(value: number): number {
  const magnitude = value < 0 ? -value - 1 : value;
  const segment = Math.max(0, 32 - Math.clz32(magnitude >> 5));
  const step = magnitude >> Math.max(1, segment);
  return ((value < 0 ? 0 : 0x80) | (segment << 4) | (step & 0x0f)) ^ 0x55;
}

/** ITU-T G.711 table 2, of 14 bits with sign. */
function muLaw(value: number): number {
  const magnitude = Math.abs(value) + 33;
  const segment = 31 - Math.clz32(magnitude >> 5);
  const step = magnitude >> (segment + 1);
  return ~((value < 0 ? 0x80 : 0) | (segment << 4) | (step & 0x0f)) & 0xff;
}

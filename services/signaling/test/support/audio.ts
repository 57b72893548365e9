/** A sine, in -1 to 1. */
export function tone(options: {
  readonly hz: number;
  readonly sampleRateHz: number;
  readonly durationMs: number;
  readonly amplitude?: number;
}): Float64Array {
  const { hz, sampleRateHz, durationMs, amplitude = 0.5 } = options;
  return Float64Array.from(
    { length: Math.round((durationMs * sampleRateHz) / 1000) },
    (_, n) => amplitude * Math.sin((2 * Math.PI * hz * n) / sampleRateHz),
  );
}

export interface WavOptions {
  readonly sampleRateHz: number;
  /** Format tag (1 integers, 3 floats) and bits. */
  readonly tag?: number;
  readonly bits?: number;
  /** Samples in -1 to 1, one array a channel. */
  readonly channels: readonly ArrayLike<number>[];
  readonly extensible?: boolean;
  /** A chunk before the others, such as LIST. */
  readonly before?: { readonly name: string; readonly bytes: number };
  /** What the data chunk says of its length. */
  readonly statedBytes?: number;
}

/** A WAV file as other programs write it. */
export function wavFile(options: WavOptions): Uint8Array {
  const { sampleRateHz, tag = 1, bits = 16, channels, extensible = false, before } = options;
  const step = bits / 8;
  const samples = channels[0]?.length ?? 0;
  const dataBytes = samples * channels.length * step;
  const formatBytes = extensible ? 40 : 16;
  const beforeBytes = before === undefined ? 0 : 8 + before.bytes + (before.bytes % 2);
  const bytes = new Uint8Array(12 + beforeBytes + 8 + formatBytes + 8 + dataBytes);
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
  text('RIFF');
  u32(bytes.length - 8);
  text('WAVE');
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
  u32(options.statedBytes ?? dataBytes);
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
  else if (bits === 8) view.setUint8(at, Math.round(value * 127) + 128);
  else if (bits === 16) view.setInt16(at, Math.round(value * 32_767), true);
  else if (bits === 32) view.setInt32(at, Math.round(value * 2_147_483_647), true);
  else {
    const integer = Math.round(value * 8_388_607);
    view.setUint16(at, integer & 0xffff, true);
    view.setInt8(at + 2, integer >> 16);
  }
}

/** How far `got` is from `expected`, dB: signal over the difference. */
export function snrDb(expected: ArrayLike<number>, got: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let n = 0; n < expected.length; n += 1) {
    signal += (expected[n] ?? 0) ** 2;
    noise += ((expected[n] ?? 0) - (got[n] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / Math.max(noise, 1e-20));
}

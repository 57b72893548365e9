import { fileKind } from '@earshot/opus';
import { invalidAudio } from './invalid-audio.js';

/** How one sample is stored; all little-endian, `u8` around 128. */
export type WavEncoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64';

/** A WAV file's format, and where its samples lie. */
export interface Wav {
  readonly encoding: WavEncoding;
  readonly channels: 1 | 2;
  readonly sampleRateHz: number;
  /** Samples per channel. */
  readonly samples: number;
  /** The samples, interleaved: a view of the file. */
  readonly data: DataView;
}

interface Format {
  readonly encoding: WavEncoding;
  readonly channels: 1 | 2;
  readonly sampleRateHz: number;
}

/** Rates that are in use; all are a small ratio to 16 000. */
export const WAV_RATES_HZ: ReadonlySet<number> = new Set([
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400,
  192_000,
]);

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FORMAT_BYTES = 16;
const EXTENSIBLE_FORMAT_BYTES = 40;
const SUBFORMAT_OFFSET = 24;
const EXTENSIBLE = 0xfffe;
/** A writer that could not seek back to say how long it became, such as a pipe. */
const UNKNOWN_LENGTH = 0xffff_ffff;

/** Bytes a sample. */
const BYTES: Readonly<Record<WavEncoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};
/** By format tag (1 integers, 3 floats) and bits. */
const ENCODINGS: Readonly<Record<string, WavEncoding>> = {
  '1/8': 'u8',
  '1/16': 's16',
  '1/24': 's24',
  '1/32': 's32',
  '3/32': 'f32',
  '3/64': 'f64',
};

/**
 * Reads the header of a WAV file (RIFF, little-endian): uncompressed, mono or stereo.
 *
 * @param bytes stay the caller's, and must not change while the result is used.
 * @throws CodedError `invalid_audio`, whatever the bytes are.
 */
export function parseWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWav =
    bytes.length >= RIFF_HEADER_BYTES && text(view, 0) === 'RIFF' && text(view, 8) === 'WAVE';
  if (!isWav) throw invalidAudio('it must be a WAV file', fileKind(bytes));
  let format: Format | undefined;
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= bytes.length; ) {
    const name = text(view, at);
    const length = view.getUint32(at + 4, true);
    const start = at + CHUNK_HEADER_BYTES;
    if (name === 'data') return withData(format, view, start, length);
    const end = start + length;
    if (end > bytes.length) throw truncated(name, length, bytes.length - start);
    if (name === 'fmt ') format = parseFormat(view, start, length);
    // A chunk of odd length is followed by a byte that belongs to none.
    at = end + (length % 2);
  }
  throw invalidAudio('a WAV file must have a "data" chunk', 'none');
}

/** Reads `out.length` samples from `start` on, channels averaged, in -1 to 1; 0 outside the file. */
export function readMono(
  { encoding, channels, samples, data }: Wav,
  start: number,
  out: Float32Array,
): void {
  const step = BYTES[encoding];
  for (let n = 0; n < out.length; n += 1) {
    const index = start + n;
    let value = 0;
    if (index >= 0 && index < samples) {
      const at = index * channels * step;
      value = readSample(encoding, data, at);
      if (channels === 2) value = (value + readSample(encoding, data, at + step)) / 2;
    }
    out[n] = value;
  }
}

function readSample(encoding: WavEncoding, data: DataView, at: number): number {
  switch (encoding) {
    case 'u8':
      return (data.getUint8(at) - 128) / 128;
    case 's16':
      return data.getInt16(at, true) / 32_768;
    case 's24':
      return (data.getUint16(at, true) | (data.getInt8(at + 2) << 16)) / 8_388_608;
    case 's32':
      return data.getInt32(at, true) / 2_147_483_648;
    case 'f32':
      return clipped(data.getFloat32(at, true));
    case 'f64':
      return clipped(data.getFloat64(at, true));
  }
}

/** Floats may be anything; what is no number is silence. */
function clipped(value: number): number {
  return Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value));
}

function parseFormat(view: DataView, start: number, length: number): Format {
  if (length < FORMAT_BYTES) {
    throw invalidAudio(`a WAV file's "fmt " chunk must have ${FORMAT_BYTES} bytes or more`, length);
  }
  let tag = view.getUint16(start, true);
  if (tag === EXTENSIBLE && length >= EXTENSIBLE_FORMAT_BYTES) {
    tag = view.getUint16(start + SUBFORMAT_OFFSET, true);
  }
  const channels = view.getUint16(start + 2, true);
  const sampleRateHz = view.getUint32(start + 4, true);
  const blockBytes = view.getUint16(start + 12, true);
  const bits = view.getUint16(start + 14, true);
  const encoding = ENCODINGS[`${tag}/${bits}`];
  if (encoding === undefined) {
    const rule = 'its samples must be integers of 8, 16, 24 or 32 bits, or floats of 32 or 64';
    throw invalidAudio(rule, `format ${tag} with ${bits} bits`);
  }
  if (channels !== 1 && channels !== 2)
    throw invalidAudio('it must have 1 or 2 channels', channels);
  if (!WAV_RATES_HZ.has(sampleRateHz)) {
    const rule = `its sample rate must be one of ${[...WAV_RATES_HZ].join(', ')} Hz`;
    throw invalidAudio(rule, sampleRateHz);
  }
  const wanted = channels * BYTES[encoding];
  if (blockBytes !== wanted) throw invalidAudio(`its blocks must have ${wanted} bytes`, blockBytes);
  return { encoding, channels, sampleRateHz };
}

function withData(format: Format | undefined, view: DataView, start: number, length: number): Wav {
  if (format === undefined) {
    throw invalidAudio('a WAV file must have a "fmt " chunk before its "data" chunk', 'none');
  }
  const there = view.byteLength - start;
  if (length !== UNKNOWN_LENGTH && length > there) throw truncated('data', length, there);
  const samples = Math.floor(Math.min(length, there) / (format.channels * BYTES[format.encoding]));
  if (samples === 0) throw invalidAudio('it must have a sample or more', 0);
  const data = new DataView(view.buffer, view.byteOffset + start, Math.min(length, there));
  return { ...format, samples, data };
}

function truncated(chunk: string, length: number, there: number): Error {
  return invalidAudio(
    `its "${chunk.replace(/[^ -~]/g, '?')}" chunk must have the ${length} bytes it says`,
    there,
  );
}

function text(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}

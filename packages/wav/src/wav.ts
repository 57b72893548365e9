import { aLawSample, muLawSample } from './g711.js';

/** How one sample is stored; all little-endian, `u8` around 128. */
export type WavEncoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'alaw' | 'mulaw';

/** The bytes of a file, wherever they are. */
export interface WavBytes {
  readonly byteLength: number;
  /** So many bytes from `at` on, all within the file; good until the next call. */
  view(at: number, length: number): DataView;
}

/** Makes the error that tells why a file is refused. @param rule what it must be */
export type RefuseWav = (rule: string, got: string | number) => Error;

export interface ParseWavOptions {
  readonly refuse: RefuseWav;
  readonly maxChannels: number;
  /**
   * Whether a file that ends before its samples do, or says that it has none, is taken as far as it
   * goes; false by default.
   */
  readonly mayBeCut?: boolean;
}

interface Format {
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly sampleRateHz: number;
}

/** A WAV file's format, and where its samples lie. */
export interface Wav extends Format {
  /** Samples per channel. */
  readonly samples: number;
  /** The file ends before its samples do. */
  readonly isCut: boolean;
  readonly bytes: WavBytes;
  /** Where the samples begin, interleaved. */
  readonly dataOffset: number;
}

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FORMAT_BYTES = 16;
const EXTENSIBLE_FORMAT_BYTES = 40;
const SUBFORMAT_OFFSET = 24;
const EXTENSIBLE = 0xfffe;
/** A writer that could not seek back to say how long it became, such as a pipe. */
const UNKNOWN_LENGTH = 0xffff_ffff;
/** What the first bytes of a file of 64-bit lengths are in place of RIFF (EBU Tech 3306, ITU-R BS.2088). */
const LONG_FORMS: ReadonlySet<string> = new Set(['RF64', 'BW64']);
/** Where its chunk `ds64` has the bytes of the samples. */
const LONG_DATA_OFFSET = 8;
const LONG_SIZES_BYTES = 24;

/** Bytes a sample. */
const BYTES: Readonly<Record<WavEncoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  alaw: 1,
  mulaw: 1,
};
/** By format tag (1 integers, 3 floats, 6 and 7 G.711) and bits. */
const ENCODINGS: Readonly<Record<string, WavEncoding>> = {
  '1/8': 'u8',
  '1/16': 's16',
  '1/24': 's24',
  '1/32': 's32',
  '3/32': 'f32',
  '3/64': 'f64',
  '6/8': 'alaw',
  '7/8': 'mulaw',
};

/** A file in memory: stays the caller's, and must not change while it is read. */
export function inMemory(bytes: Uint8Array): WavBytes {
  const { buffer, byteOffset, byteLength } = bytes;
  return { byteLength, view: (at, length) => new DataView(buffer, byteOffset + at, length) };
}

/**
 * Reads the header of a WAV file (RIFF, RF64 or BW64; little-endian): of any rate, uncompressed or G.711.
 *
 * @throws what `refuse` makes, whatever the bytes are.
 */
export function parseWav(bytes: WavBytes, options: ParseWavOptions): Wav {
  const { refuse } = options;
  const total = bytes.byteLength;
  if (!isRiffWave(bytes)) throw refuse('it must be a WAV file', 'another');
  let format: Format | undefined;
  let longDataBytes: number | undefined;
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= total; ) {
    const header = bytes.view(at, CHUNK_HEADER_BYTES);
    const name = text(header, 0);
    const length = header.getUint32(4, true);
    const start = at + CHUNK_HEADER_BYTES;
    if (name === 'data') {
      const stated = length === UNKNOWN_LENGTH ? longDataBytes : length;
      return withData(format, bytes, start, stated, options);
    }
    const end = start + length;
    if (end > total) throw truncated(refuse, name, length, total - start);
    if (name === 'fmt ') {
      const head = bytes.view(start, Math.min(length, EXTENSIBLE_FORMAT_BYTES));
      format = parseFormat(head, length, options);
    }
    if (name === 'ds64' && length >= LONG_SIZES_BYTES) {
      longDataBytes = Number(
        bytes.view(start, LONG_SIZES_BYTES).getBigUint64(LONG_DATA_OFFSET, true),
      );
    }
    // A chunk of odd length is followed by a byte that belongs to none.
    at = end + (length % 2);
  }
  throw refuse('a WAV file must have a "data" chunk', 'none');
}

/** Reads `out.length` samples from `start` on, channels averaged, in -1 to 1; 0 outside the file. */
export function readMono(wav: Wav, start: number, out: Float32Array): void {
  readAveraged(wav, start, out, 0, wav.channels);
}

/** The same of one channel, from 0. */
export function readChannel(wav: Wav, channel: number, start: number, out: Float32Array): void {
  readAveraged(wav, start, out, channel, 1);
}

function readAveraged(
  wav: Wav,
  start: number,
  out: Float32Array,
  fromChannel: number,
  count: number,
): void {
  const { encoding, channels, samples, bytes, dataOffset } = wav;
  const first = Math.min(Math.max(0, start), samples);
  const end = Math.min(Math.max(first, start + out.length), samples);
  out.fill(0);
  if (first === end) return;
  const step = BYTES[encoding];
  const data = bytes.view(dataOffset + first * channels * step, (end - first) * channels * step);
  const skipped = (channels - count) * step;
  for (let index = first, at = fromChannel * step; index < end; index += 1, at += skipped) {
    let sum = 0;
    for (let n = 0; n < count; n += 1, at += step) sum += readSample(encoding, data, at);
    out[index - start] = sum / count;
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
    case 'alaw':
      return aLawSample(data.getUint8(at)) / 32_768;
    case 'mulaw':
      return muLawSample(data.getUint8(at)) / 32_768;
  }
}

/** Floats may be anything; what is no number is silence. */
function clipped(value: number): number {
  return Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value));
}

function isRiffWave(bytes: WavBytes): boolean {
  if (bytes.byteLength < RIFF_HEADER_BYTES) return false;
  const head = bytes.view(0, RIFF_HEADER_BYTES);
  const form = text(head, 0);
  return (form === 'RIFF' || LONG_FORMS.has(form)) && text(head, 8) === 'WAVE';
}

function parseFormat(view: DataView, length: number, options: ParseWavOptions): Format {
  const { refuse, maxChannels } = options;
  if (length < FORMAT_BYTES) {
    throw refuse(`a WAV file's "fmt " chunk must have ${FORMAT_BYTES} bytes or more`, length);
  }
  let tag = view.getUint16(0, true);
  if (tag === EXTENSIBLE && length >= EXTENSIBLE_FORMAT_BYTES) {
    tag = view.getUint16(SUBFORMAT_OFFSET, true);
  }
  const channels = view.getUint16(2, true);
  const sampleRateHz = view.getUint32(4, true);
  const blockBytes = view.getUint16(12, true);
  const bits = view.getUint16(14, true);
  const encoding = ENCODINGS[`${tag}/${bits}`];
  if (encoding === undefined) {
    const rule =
      'its samples must be integers of 8, 16, 24 or 32 bits, floats of 32 or 64, A-law or µ-law';
    throw refuse(rule, `format ${tag} with ${bits} bits`);
  }
  if (channels < 1 || channels > maxChannels) {
    const allowed = maxChannels === 2 ? '1 or 2' : `1 to ${maxChannels}`;
    throw refuse(`it must have ${allowed} channels`, channels);
  }
  const wanted = channels * BYTES[encoding];
  if (blockBytes !== wanted) throw refuse(`its blocks must have ${wanted} bytes`, blockBytes);
  return { encoding, channels, sampleRateHz };
}

function withData(
  format: Format | undefined,
  bytes: WavBytes,
  dataOffset: number,
  stated: number | undefined,
  { refuse, mayBeCut = false }: ParseWavOptions,
): Wav {
  if (format === undefined) {
    throw refuse('a WAV file must have a "fmt " chunk before its "data" chunk', 'none');
  }
  const there = bytes.byteLength - dataOffset;
  // A writer that was ended may not have come to say how long the file became.
  const isUnsaid = stated === 0 && mayBeCut;
  const isCut = stated !== undefined && (isUnsaid || stated > there);
  if (isCut && !mayBeCut) throw truncated(refuse, 'data', stated, there);
  const length = stated === undefined || isUnsaid ? there : Math.min(stated, there);
  const samples = Math.floor(length / (format.channels * BYTES[format.encoding]));
  if (samples === 0) throw refuse('it must have a sample or more', 0);
  return { ...format, samples, isCut, bytes, dataOffset };
}

function truncated(refuse: RefuseWav, chunk: string, length: number, there: number): Error {
  const name = chunk.replace(/[^ -~]/g, '?');
  return refuse(`its "${name}" chunk must have the ${length} bytes it says`, there);
}

function text(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}

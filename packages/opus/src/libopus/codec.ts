/**
 * libopus over one memory, as `libopus/wasm.c` and `libopus/native.c` offer it. Every state, packet
 * and sample lies in `memory`; arguments named after one are byte offsets into it.
 */
export interface Codec {
  /** Never moves and never grows. */
  readonly memory: ArrayBuffer;
  /** First byte that is free for states, packets and samples; a multiple of `ALIGNMENT`. */
  readonly firstFree: number;
  initDecoder(state: number, sampleRateHz: number, channels: number): number;
  resetDecoder(state: number): void;
  /** With `length` 0 it conceals `samples`; with `fec` 1 it gives the frame before the packet. */
  decode(
    state: number,
    packet: number,
    length: number,
    pcm: number,
    samples: number,
    fec: number,
  ): number;
  /** One decoder, length and result (32 bits each) per entry; strides in bytes and samples. */
  decodeBatch(
    states: number,
    lengths: number,
    results: number,
    count: number,
    packets: number,
    packetStride: number,
    pcm: number,
    pcmStride: number,
    maxSamples: number,
  ): void;
  initEncoder(state: number, sampleRateHz: number, channels: number, application: number): number;
  setEncoder(state: number, request: number, value: number): number;
  /** In samples at the input rate. */
  encoderLookahead(state: number): number;
  encode(state: number, pcm: number, samples: number, packet: number, maxBytes: number): number;
}

/** One build of libopus, loaded; makes a codec with a memory of its own for each pool. */
export interface CodecBuild {
  readonly version: string;
  decoderBytes(channels: number): number;
  encoderBytes(channels: number): number;
  /** A codec with `bytes` free bytes, all zero. */
  createCodec(bytes: number): Codec;
}

/** Everything laid out in a codec's memory starts at a multiple of this: one cache line. */
export const ALIGNMENT = 64;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

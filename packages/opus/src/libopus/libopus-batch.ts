import type { DecodeBatch, DecodeBatchOptions, OpusDecoder } from '../opus-engine.js';
import { checkEntry } from '../opus-options.js';
import type { Codec } from './codec.js';
import { aligned } from './codec.js';
import type { MemoryLayout } from './memory-layout.js';

const WORD_BYTES = 4;

export interface LibopusBatchOptions {
  readonly codec: Codec;
  readonly layout: MemoryLayout;
  readonly options: DecodeBatchOptions;
  readonly channels: number;
  /** Where the state of a decoder lies: 0 when it was released, undefined when of another pool. */
  stateOf(decoder: OpusDecoder): number | undefined;
}

/**
 * Packets in, samples out, one call; see `DecodeBatch`. In the codec's memory:
 *
 * ```
 *   states  u32 × entries │ lengths i32 × entries │ results i32 × entries
 *   packets, each at a multiple of 64 bytes       │ PCM, each at a multiple of 64 bytes
 * ```
 */
export class LibopusBatch implements DecodeBatch {
  readonly entries: number;
  readonly packets: readonly Uint8Array[];
  readonly pcm: readonly Int16Array[];
  readonly results: Int32Array;
  readonly #codec: Codec;
  readonly #stateOf: (decoder: OpusDecoder) => number | undefined;
  readonly #states: Uint32Array;
  readonly #lengths: Int32Array;
  readonly #packetStride: number;
  readonly #pcmStride: number;
  readonly #maxPacketBytes: number;
  readonly #maxSamples: number;
  readonly #packetsAt: number;
  readonly #pcmAt: number;

  constructor({ codec, layout, options, channels, stateOf }: LibopusBatchOptions) {
    const { entries, maxPacketBytes, maxSamples } = options;
    const { memory } = codec;
    this.entries = entries;
    this.#codec = codec;
    this.#stateOf = stateOf;
    this.#maxPacketBytes = maxPacketBytes;
    this.#maxSamples = maxSamples;
    this.#states = new Uint32Array(memory, layout.take(entries * WORD_BYTES), entries);
    this.#lengths = new Int32Array(memory, layout.take(entries * WORD_BYTES), entries);
    this.results = new Int32Array(memory, layout.take(entries * WORD_BYTES), entries);

    const packetStride = aligned(maxPacketBytes);
    const packetsAt = layout.take(entries * packetStride);
    const pcmStrideBytes = aligned(maxSamples * channels * 2);
    const pcmAt = layout.take(entries * pcmStrideBytes);
    const each = Array.from({ length: entries }, (_, i) => i);
    this.packets = each.map((i) => {
      return new Uint8Array(memory, packetsAt + i * packetStride, maxPacketBytes);
    });
    this.pcm = each.map((i) => {
      return new Int16Array(memory, pcmAt + i * pcmStrideBytes, maxSamples * channels);
    });
    this.#packetStride = packetStride;
    this.#packetsAt = packetsAt;
    this.#pcmStride = pcmStrideBytes / 2;
    this.#pcmAt = pcmAt;
  }

  static bytes(options: DecodeBatchOptions, channels: number): number {
    const { entries, maxPacketBytes, maxSamples } = options;
    const slots = aligned(maxPacketBytes) + aligned(maxSamples * channels * 2);
    return 3 * aligned(entries * WORD_BYTES) + entries * slots;
  }

  set(entry: number, decoder: OpusDecoder, length: number): void {
    checkEntry(entry, this.entries);
    this.#states[entry] = this.#stateOf(decoder) ?? 0;
    this.#lengths[entry] = length <= this.#maxPacketBytes ? length : 0;
  }

  run(count: number): void {
    this.#codec.decodeBatch(
      this.#states.byteOffset,
      this.#lengths.byteOffset,
      this.results.byteOffset,
      Math.min(count, this.entries),
      this.#packetsAt,
      this.#packetStride,
      this.#pcmAt,
      this.#pcmStride,
      this.#maxSamples,
    );
  }
}

import type {
  DecodeBatch,
  DecoderPool,
  DecoderPoolOptions,
  OpusDecoder,
  OpusSampleRateHz,
} from '../opus-engine.js';
import { batchOptions } from '../opus-options.js';
import {
  lossError,
  MAX_PACKET_BYTES,
  maxPacketSamples,
  OPUS_ERROR,
  packetSamples,
  packetSamplesAt48k,
} from '../opus-packet.js';
import type { Codec, CodecBuild } from './codec.js';
import { aligned } from './codec.js';
import { LibopusBatch } from './libopus-batch.js';
import { MemoryLayout } from './memory-layout.js';
import { StateSlots } from './state-slots.js';

const FRAMES_PER_SECOND = 50;

/** A pool of decoders in a memory of its own; see `DecoderPool`. */
export class LibopusDecoderPool implements DecoderPool {
  readonly capacity: number;
  readonly batch: DecodeBatch;
  readonly #memory: DecoderMemory;
  readonly #states: StateSlots;

  constructor(build: CodecBuild, options: DecoderPoolOptions) {
    const { channels, capacity } = options;
    const batch = batchOptions(options);
    this.capacity = capacity;
    const stateBytes = aligned(build.decoderBytes(channels));
    const scratchBytes = DecoderMemory.bytes(options);
    const batchBytes = LibopusBatch.bytes(batch, channels);
    const codec = build.createCodec(capacity * stateBytes + scratchBytes + batchBytes);
    const layout = new MemoryLayout(codec);
    this.#states = new StateSlots({
      kind: 'decoder',
      capacity,
      stateBytes,
      layout,
      make: (state) => codec.initDecoder(state, options.sampleRateHz, channels),
    });
    this.#memory = new DecoderMemory(codec, layout, options);
    this.batch = new LibopusBatch({
      codec,
      layout,
      options: batch,
      channels,
      stateOf: (decoder) =>
        decoder instanceof LibopusDecoder ? decoder.stateIn(this.#memory) : undefined,
    });
  }

  get inUse(): number {
    return this.#states.inUse;
  }

  acquire(): OpusDecoder {
    const state = this.#states.take();
    this.#memory.codec.resetDecoder(state);
    return new LibopusDecoder(this.#memory, state, this.#states.giveBack);
  }
}

/** The codec's memory as the decoders of a pool share it: calls are synchronous. */
class DecoderMemory {
  readonly codec: Codec;
  readonly channels: 1 | 2;
  readonly sampleRateHz: OpusSampleRateHz;
  readonly #bytes: Uint8Array;
  readonly #packet: number;
  readonly #pcm: number;
  readonly #samples: Int16Array;
  /** The first 20 ms of `#samples`. */
  readonly #frame: Int16Array;

  constructor(codec: Codec, layout: MemoryLayout, { sampleRateHz, channels }: DecoderPoolOptions) {
    this.codec = codec;
    this.channels = channels;
    this.sampleRateHz = sampleRateHz;
    const count = maxPacketSamples(sampleRateHz) * channels;
    this.#bytes = new Uint8Array(codec.memory);
    this.#packet = layout.take(MAX_PACKET_BYTES);
    this.#pcm = layout.take(count * 2);
    this.#samples = new Int16Array(codec.memory, this.#pcm, count);
    this.#frame = this.#samples.subarray(0, (sampleRateHz / FRAMES_PER_SECOND) * channels);
  }

  static bytes({ sampleRateHz, channels }: DecoderPoolOptions): number {
    const pcmBytes = maxPacketSamples(sampleRateHz) * channels * 2;
    return aligned(MAX_PACKET_BYTES) + aligned(pcmBytes);
  }

  /** Decodes `packet[offset, offset + length)`, or conceals when `length` is 0; bounds are checked. */
  decode(
    state: number,
    packet: Uint8Array,
    offset: number,
    length: number,
    samples: number,
    fec: number,
    out: Int16Array,
  ): number {
    const source = length === 0 ? 0 : this.#put(packet, offset, length);
    const isInPlace = out.buffer === this.codec.memory;
    const target = isInPlace ? out.byteOffset : this.#pcm;
    const result = this.codec.decode(state, source, length, target, samples, fec);
    if (result > 0 && !isInPlace) this.#take(result * this.channels, out);
    return result;
  }

  #put(packet: Uint8Array, offset: number, length: number): number {
    if (packet.buffer === this.codec.memory) return packet.byteOffset + offset;
    const bytes = this.#bytes;
    const target = this.#packet;
    // A loop: `set` would need a view of just these bytes, an object a frame.
    for (let i = 0; i < length; i++) bytes[target + i] = packet[offset + i]!;
    return target;
  }

  #take(count: number, out: Int16Array): void {
    if (count === this.#frame.length) {
      out.set(this.#frame);
      return;
    }
    const samples = this.#samples;
    for (let i = 0; i < count; i++) out[i] = samples[i]!;
  }
}

const NO_PACKET = new Uint8Array(0);

/** One loan of a state: a holder that lets go can't reach what the next one is decoding. */
class LibopusDecoder implements OpusDecoder {
  readonly #memory: DecoderMemory;
  readonly #takeBack: (state: number) => void;
  /** 0 once released. */
  #state: number;

  constructor(memory: DecoderMemory, state: number, takeBack: (state: number) => void) {
    this.#memory = memory;
    this.#state = state;
    this.#takeBack = takeBack;
  }

  /** Where its state lies, 0 once released; undefined when it belongs to another memory. */
  stateIn(memory: DecoderMemory): number | undefined {
    return memory === this.#memory ? this.#state : undefined;
  }

  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number {
    if (this.#state === 0) return OPUS_ERROR.invalidState;
    const memory = this.#memory;
    const samples = packetSamples(packet, offset, length, memory, out);
    if (samples < 0) return samples;
    return memory.decode(this.#state, packet, offset, length, samples, 0, out);
  }

  conceal(samples: number, out: Int16Array): number {
    if (this.#state === 0) return OPUS_ERROR.invalidState;
    const error = lossError(samples, this.#memory, out);
    if (error !== 0) return error;
    return this.#memory.decode(this.#state, NO_PACKET, 0, 0, samples, 0, out);
  }

  recover(
    packet: Uint8Array,
    offset: number,
    length: number,
    samples: number,
    out: Int16Array,
  ): number {
    if (packetSamplesAt48k(packet, offset, length) === 0) return this.conceal(samples, out);
    if (this.#state === 0) return OPUS_ERROR.invalidState;
    const error = lossError(samples, this.#memory, out);
    if (error !== 0) return error;
    const result = this.#memory.decode(this.#state, packet, offset, length, samples, 1, out);
    return result < 0 ? this.conceal(samples, out) : result;
  }

  reset(): void {
    if (this.#state !== 0) this.#memory.codec.resetDecoder(this.#state);
  }

  release(): void {
    const state = this.#state;
    if (state === 0) return;
    this.#state = 0;
    this.#takeBack(state);
  }
}

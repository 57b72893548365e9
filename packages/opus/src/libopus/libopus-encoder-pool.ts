import { APPLICATION, encoderSettings } from '../opus-ctl.js';
import { checkFrame, encodeFailed, encoderReleased } from '../opus-encode-errors.js';
import type { EncoderPool, EncoderPoolOptions, OpusEncoder } from '../opus-engine.js';
import { invalidEncoder } from '../opus-options.js';
import { MAX_FRAME_BYTES } from '../opus-packet.js';
import type { Codec, CodecBuild } from './codec.js';
import { aligned } from './codec.js';
import { MemoryLayout } from './memory-layout.js';
import { StateSlots } from './state-slots.js';

const FRAMES_PER_SECOND = 50;
/** A pool of encoders in a memory of its own; see `EncoderPool`. */
export class LibopusEncoderPool implements EncoderPool {
  readonly capacity: number;
  readonly lookaheadSamples: number;
  readonly #options: EncoderPoolOptions;
  readonly #memory: EncoderMemory;
  readonly #states: StateSlots;

  constructor(build: CodecBuild, options: EncoderPoolOptions) {
    const { channels, sampleRateHz, capacity } = options;
    this.#options = options;
    this.capacity = capacity;
    const stateBytes = aligned(build.encoderBytes(channels));
    const frameLength = (sampleRateHz / FRAMES_PER_SECOND) * channels;
    const scratchBytes = aligned(frameLength * 2) + aligned(MAX_FRAME_BYTES);
    const codec = build.createCodec(capacity * stateBytes + scratchBytes);
    const layout = new MemoryLayout(codec);
    this.#states = new StateSlots({ kind: 'encoder', capacity, stateBytes, layout });
    this.#memory = new EncoderMemory(codec, layout, frameLength, channels);
    this.lookaheadSamples = this.#lookahead();
  }

  get inUse(): number {
    return this.#states.inUse;
  }

  acquire(): OpusEncoder {
    const state = this.#states.take();
    this.#configure(state);
    return new LibopusEncoder(this.#memory, state, this.#states.giveBack);
  }

  /** Also checks that libopus takes the options. */
  #lookahead(): number {
    const state = this.#states.take();
    this.#configure(state);
    this.#states.giveBack(state);
    return this.#memory.codec.encoderLookahead(state);
  }

  // From the start each time: OPUS_RESET_STATE leaves some of what an encoder has learnt.
  #configure(state: number): void {
    const { sampleRateHz, channels, application } = this.#options;
    const { codec } = this.#memory;
    const made = codec.initEncoder(state, sampleRateHz, channels, APPLICATION[application]);
    const isTaken = ([request, value]: [number, number]): boolean =>
      codec.setEncoder(state, request, value) === 0;
    if (made !== 0 || !encoderSettings(this.#options).every(isTaken)) {
      throw invalidEncoder(this.#options);
    }
  }
}

/** The codec's memory as the encoders of a pool share it: calls are synchronous. */
class EncoderMemory {
  readonly codec: Codec;
  readonly frameLength: number;
  readonly #channels: number;
  readonly #pcm: Int16Array;
  readonly #packet: Uint8Array;

  constructor(codec: Codec, layout: MemoryLayout, frameLength: number, channels: number) {
    this.codec = codec;
    this.frameLength = frameLength;
    this.#channels = channels;
    this.#pcm = new Int16Array(codec.memory, layout.take(frameLength * 2), frameLength);
    this.#packet = new Uint8Array(codec.memory, layout.take(MAX_FRAME_BYTES), MAX_FRAME_BYTES);
  }

  encode(state: number, pcm: Int16Array, out: Uint8Array): number {
    this.#pcm.set(pcm);
    const length = this.codec.encode(
      state,
      this.#pcm.byteOffset,
      this.frameLength / this.#channels,
      this.#packet.byteOffset,
      Math.min(MAX_FRAME_BYTES, out.length),
    );
    for (let i = 0; i < length; i++) out[i] = this.#packet[i]!;
    return length;
  }
}

/** One loan of a state. */
class LibopusEncoder implements OpusEncoder {
  readonly #memory: EncoderMemory;
  readonly #takeBack: (state: number) => void;
  #state: number;

  constructor(memory: EncoderMemory, state: number, takeBack: (state: number) => void) {
    this.#memory = memory;
    this.#state = state;
    this.#takeBack = takeBack;
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    if (this.#state === 0) throw encoderReleased();
    checkFrame(pcm, this.#memory.frameLength);
    const length = this.#memory.encode(this.#state, pcm, out);
    if (length < 0) throw encodeFailed(length);
    return length;
  }

  release(): void {
    const state = this.#state;
    if (state === 0) return;
    this.#state = 0;
    this.#takeBack(state);
  }
}

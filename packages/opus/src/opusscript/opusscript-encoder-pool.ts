import { APPLICATION, CTL, encoderSettings } from '../opus-ctl.js';
import { checkFrame, encodeFailed, encoderReleased } from '../opus-encode-errors.js';
import type { EncoderPool, EncoderPoolOptions, OpusEncoder } from '../opus-engine.js';
import { invalidEncoder, poolExhausted } from '../opus-options.js';
import type { OpusscriptMemory } from './opusscript-memory.js';
import type { OpusHandler } from './opusscript-module.js';

const FRAMES_PER_SECOND = 50;

/** A pool of encoders in the memory of their engine; see `EncoderPool`. */
export class OpusscriptEncoderPool implements EncoderPool {
  readonly capacity: number;
  readonly lookaheadSamples: number;
  readonly #memory: OpusscriptMemory;
  readonly #options: EncoderPoolOptions;
  #inUse = 0;

  constructor(memory: OpusscriptMemory, options: EncoderPoolOptions) {
    this.#memory = memory;
    this.#options = options;
    this.capacity = options.capacity;
    const probe = this.#create();
    this.lookaheadSamples = memory.encoderValue(probe, CTL.getLookahead);
    memory.module.OpusScriptHandler.destroy_handler(probe);
  }

  get inUse(): number {
    return this.#inUse;
  }

  acquire(): OpusEncoder {
    if (this.#inUse >= this.capacity) throw poolExhausted('encoder', this.capacity);
    const handler = this.#create();
    this.#inUse += 1;
    return new OpusscriptEncoder(this.#memory, this.#options, handler, this.#takeBack);
  }

  // Anew each time: OPUS_RESET_STATE leaves some of what an encoder has learnt.
  #create(): OpusHandler {
    const { sampleRateHz, channels, application } = this.#options;
    const { OpusScriptHandler } = this.#memory.module;
    const handler = new OpusScriptHandler(sampleRateHz, channels, APPLICATION[application]);
    const isTaken = ([request, value]: [number, number]): boolean =>
      handler._encoder_ctl(request, value) === 0;
    if (encoderSettings(this.#options).every(isTaken)) return handler;
    OpusScriptHandler.destroy_handler(handler);
    throw invalidEncoder(this.#options);
  }

  readonly #takeBack = (handler: OpusHandler): void => {
    this.#memory.module.OpusScriptHandler.destroy_handler(handler);
    this.#inUse -= 1;
  };
}

/** One loan of a handler. */
class OpusscriptEncoder implements OpusEncoder {
  readonly #memory: OpusscriptMemory;
  readonly #channels: number;
  readonly #frameLength: number;
  readonly #takeBack: (handler: OpusHandler) => void;
  #handler: OpusHandler | undefined;

  constructor(
    memory: OpusscriptMemory,
    { sampleRateHz, channels }: EncoderPoolOptions,
    handler: OpusHandler,
    takeBack: (handler: OpusHandler) => void,
  ) {
    this.#memory = memory;
    this.#channels = channels;
    this.#frameLength = (sampleRateHz / FRAMES_PER_SECOND) * channels;
    this.#handler = handler;
    this.#takeBack = takeBack;
  }

  encode(pcm: Int16Array, out: Uint8Array): number {
    if (this.#handler === undefined) throw encoderReleased();
    checkFrame(pcm, this.#frameLength);
    const length = this.#memory.encode(this.#handler, this.#channels, pcm, out);
    if (length < 0 || length > out.length) throw encodeFailed(length);
    return length;
  }

  release(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    this.#handler = undefined;
    this.#takeBack(handler);
  }
}

import { APPLICATION, CTL } from '../opus-ctl.js';
import type { DecodeBatch, DecoderPool, DecoderPoolOptions, OpusDecoder } from '../opus-engine.js';
import { batchOptions, poolExhausted } from '../opus-options.js';
import { lossError, OPUS_ERROR, packetSamples, packetSamplesAt48k } from '../opus-packet.js';
import { OpusscriptBatch } from './opusscript-batch.js';
import type { OpusscriptMemory } from './opusscript-memory.js';
import type { OpusHandler } from './opusscript-module.js';

/** A pool of decoders in the memory of their engine; see `DecoderPool`. About 100 kB each. */
export class OpusscriptDecoderPool implements DecoderPool {
  readonly capacity: number;
  readonly batch: DecodeBatch;
  readonly #memory: OpusscriptMemory;
  readonly #options: DecoderPoolOptions;
  readonly #idle: OpusHandler[] = [];
  #inUse = 0;

  constructor(memory: OpusscriptMemory, options: DecoderPoolOptions) {
    this.#memory = memory;
    this.#options = options;
    this.capacity = options.capacity;
    this.batch = new OpusscriptBatch(batchOptions(options), options.channels);
  }

  get inUse(): number {
    return this.#inUse;
  }

  acquire(): OpusDecoder {
    if (this.#inUse >= this.capacity) throw poolExhausted('decoder', this.capacity);
    const handler = this.#idle.pop() ?? this.#create();
    handler._decoder_ctl(CTL.resetState, 0);
    this.#inUse += 1;
    return new OpusscriptDecoder(this.#memory, this.#options, handler, this.#takeBack);
  }

  #create(): OpusHandler {
    const { sampleRateHz, channels } = this.#options;
    return new this.#memory.module.OpusScriptHandler(sampleRateHz, channels, APPLICATION.voip);
  }

  readonly #takeBack = (handler: OpusHandler): void => {
    this.#inUse -= 1;
    this.#idle.push(handler);
  };
}

/** One loan of a handler: a holder that lets go can't reach what the next one is decoding. */
class OpusscriptDecoder implements OpusDecoder {
  readonly #memory: OpusscriptMemory;
  readonly #options: DecoderPoolOptions;
  readonly #takeBack: (handler: OpusHandler) => void;
  /** A packet of no more than the last one's TOC, by which libopus conceals one frame. */
  readonly #loss: Uint8Array = new Uint8Array(1);
  #heardSamples = 0;
  #handler: OpusHandler | undefined;

  constructor(
    memory: OpusscriptMemory,
    options: DecoderPoolOptions,
    handler: OpusHandler,
    takeBack: (handler: OpusHandler) => void,
  ) {
    this.#memory = memory;
    this.#options = options;
    this.#handler = handler;
    this.#takeBack = takeBack;
  }

  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number {
    if (this.#handler === undefined) return OPUS_ERROR.invalidState;
    const error = packetSamples(packet, offset, length, this.#options, out);
    if (error < 0) return error;
    const { channels } = this.#options;
    const samples = this.#memory.decode(this.#handler, channels, packet, offset, length, out);
    if (samples > 0) this.#remember(packet[offset]!);
    return samples;
  }

  /** In steps of the last packet's frames: `samples` must be a multiple of theirs. */
  conceal(samples: number, out: Int16Array): number {
    if (this.#handler === undefined) return OPUS_ERROR.invalidState;
    const error = lossError(samples, this.#options, out);
    if (error !== 0) return error;
    const { channels } = this.#options;
    if (this.#heardSamples === 0) {
      out.fill(0, 0, samples * channels);
      return samples;
    }
    if (samples % this.#heardSamples !== 0) return OPUS_ERROR.unimplemented;
    for (let done = 0; done < samples; done += this.#heardSamples) {
      const made = this.#memory.decode(
        this.#handler,
        channels,
        this.#loss,
        0,
        1,
        out,
        done * channels,
      );
      if (made < 0) return made;
    }
    return samples;
  }

  /** Conceals: opusscript has no access to in-band FEC. */
  recover(
    _packet: Uint8Array,
    _offset: number,
    _length: number,
    samples: number,
    out: Int16Array,
  ): number {
    return this.conceal(samples, out);
  }

  reset(): void {
    this.#handler?._decoder_ctl(CTL.resetState, 0);
    this.#heardSamples = 0;
  }

  release(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    this.#handler = undefined;
    this.#takeBack(handler);
  }

  #remember(toc: number): void {
    this.#loss[0] = toc & 0xfc;
    this.#heardSamples =
      (packetSamplesAt48k(this.#loss, 0, 1) * this.#options.sampleRateHz) / 48_000;
  }
}

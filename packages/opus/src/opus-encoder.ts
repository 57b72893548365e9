import { CodedError } from '@earshot/async';
import type { OpusSampleRateHz } from './decoder-pool.js';
import type { EngineMemory } from './engine-memory.js';
import type { OpusHandler } from './opusscript-module.js';
import { APPLICATION, CTL, SIGNAL_VOICE } from './opusscript-module.js';

const FRAMES_PER_SECOND = 50;

export interface OpusEncoderOptions {
  readonly sampleRateHz: OpusSampleRateHz;
  /** 2: samples are interleaved. */
  readonly channels: 1 | 2;
  readonly bitrateBps: number;
  /** Discontinuous transmission: pauses become packets of 1 or 2 bytes. */
  readonly dtx: boolean;
  /** `voip`: speech, tuned to be understood. `audio`: faithful to the input. */
  readonly application: 'voip' | 'audio';
}

/** Encodes one stream, 20 ms a packet. */
export class OpusEncoder {
  /** Samples at the input rate by which the decoded sound comes later than the input. */
  readonly lookaheadSamples: number;
  readonly #memory: EngineMemory;
  readonly #channels: number;
  readonly #frameLength: number;
  #handler: OpusHandler | undefined;

  constructor(memory: EngineMemory, options: OpusEncoderOptions) {
    const { sampleRateHz, channels, application } = options;
    const Handler = memory.module.OpusScriptHandler;
    const handler = new Handler(sampleRateHz, channels, APPLICATION[application]);
    this.#memory = memory;
    this.#channels = channels;
    this.#frameLength = (sampleRateHz / FRAMES_PER_SECOND) * channels;
    this.#handler = handler;
    if (!configure(handler, options)) {
      this.close();
      throw new CodedError(
        'invalid_opus_options',
        `Cannot create an encoder: libopus must accept the bit rate, got ${options.bitrateBps} bit/s`,
      );
    }
    this.lookaheadSamples = memory.encoderValue(handler, CTL.getLookahead);
  }

  /**
   * Encodes the next 20 ms. `pcm` stays the caller's; the packet is a copy.
   *
   * @throws CodedError `invalid_frame_length` when `pcm` is not 20 ms, `encoder_closed`,
   * `opus_encode_failed`.
   */
  encode(pcm: Int16Array): Uint8Array {
    if (this.#handler === undefined) {
      throw new CodedError('encoder_closed', 'Cannot encode: the encoder must be open, got closed');
    }
    if (pcm.length !== this.#frameLength) {
      throw new CodedError(
        'invalid_frame_length',
        `Cannot encode: a frame must have ${this.#frameLength} samples, got ${pcm.length}`,
      );
    }
    const packet = this.#memory.encode(this.#handler, this.#channels, pcm);
    if (typeof packet === 'number') {
      throw new CodedError(
        'opus_encode_failed',
        `Cannot encode: libopus must return a packet, got error ${packet}`,
      );
    }
    return packet;
  }

  /** Frees the encoder's memory. Idempotent. */
  close(): void {
    if (this.#handler === undefined) return;
    this.#memory.module.OpusScriptHandler.destroy_handler(this.#handler);
    this.#handler = undefined;
  }
}

function configure(handler: OpusHandler, options: OpusEncoderOptions): boolean {
  const results = [
    handler._encoder_ctl(CTL.setBitrate, options.bitrateBps),
    handler._encoder_ctl(CTL.setDtx, options.dtx ? 1 : 0),
    options.application === 'voip' ? handler._encoder_ctl(CTL.setSignal, SIGNAL_VOICE) : 0,
  ];
  return results.every((result) => result === 0);
}

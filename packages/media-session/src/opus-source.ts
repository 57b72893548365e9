import type { AudioDecoder, CarriesPrevious, DecoderPool } from './ports.js';

export interface OpusSourceOptions {
  readonly decoders: Pick<DecoderPool, 'acquire'>;
  readonly carriesPrevious: CarriesPrevious;
  readonly frameSamples: number;
  /** Frames of concealment in a row before silence is more honest. */
  readonly maxConcealedFrames: number;
}

/**
 * The decoder of one Opus stream, taken from its pool when first needed, and what it can do about
 * loss. For the pipeline a counterpart of the `Concealer` of PCM streams.
 */
export class OpusSource {
  readonly #options: OpusSourceOptions;
  #decoder: AudioDecoder | undefined;
  #heard = false;
  /** Frames concealed since the last good one. */
  #concealed = 0;

  constructor(options: OpusSourceOptions) {
    this.#options = options;
  }

  /** @throws CodedError when the pool is exhausted. */
  get decoder(): AudioDecoder {
    this.#decoder ??= this.#options.decoders.acquire();
    return this.#decoder;
  }

  /** A good frame was decoded. */
  accept(): void {
    this.#heard = true;
    this.#concealed = 0;
  }

  /**
   * Fills `out` with what may have been lost.
   *
   * @returns false when nothing was heard yet, the bound is passed, or the decoder can't; `out` is
   * then worth nothing.
   */
  conceal(out: Int16Array): boolean {
    const { frameSamples, maxConcealedFrames } = this.#options;
    if (!this.#heard || this.#concealed >= maxConcealedFrames) return false;
    this.#concealed += 1;
    return this.decoder.conceal(frameSamples, out) === frameSamples;
  }

  /** Whether the packet tells the sound of the frame before it. */
  carriesPrevious(packet: Uint8Array, length: number): boolean {
    return this.#options.carriesPrevious(packet, 0, length);
  }

  /** Fills `out` with the real sound of the lost frame before `packet`; false when it can't. */
  recover(packet: Uint8Array, length: number, out: Int16Array): boolean {
    const { frameSamples } = this.#options;
    if (this.decoder.recover(packet, 0, length, frameSamples, out) !== frameSamples) return false;
    this.accept();
    return true;
  }

  /**
   * What follows has nothing to do with what was heard: nothing to conceal from. The decoder stays
   * as it is, since the sender's encoder does too.
   */
  reset(): void {
    this.#heard = false;
    this.#concealed = 0;
  }

  /** Gives the decoder back; the source must not be used afterwards. */
  release(): void {
    this.#decoder?.release();
    this.#decoder = undefined;
  }
}

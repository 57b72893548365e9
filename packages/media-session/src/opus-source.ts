import type { FrameSlot } from './frame-ring.js';
import { PacketHistory } from './packet-history.js';
import type { AudioDecoder, CarriesPrevious, DecoderPool } from './ports.js';

/** Packets after which a decoder that began anew sounds as one that did not. */
const HISTORY_PACKETS = 10;

/** Frame slots without a packet after which the decoder begins anew. */
const LONG_PAUSE_FRAMES = 15;

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
 *
 * A decoder's state after a few packets depends on these alone, but for what it keeps for concealment
 * (random seeds, comfort noise): that depends on all losses ever. So that streams which were joined at
 * different times sound alike from then on, it begins anew at a loss, from the last packets, and after
 * a long pause, from none.
 */
export class OpusSource {
  readonly #options: OpusSourceOptions;
  #decoder: AudioDecoder | undefined;
  #heard = false;
  /** Frames concealed since the last good one. */
  #concealed = 0;
  /** Packets since the decoder began anew, as far as they are needed to begin anew once more. */
  #history: PacketHistory | undefined;
  /** Slots without a packet since the last one. */
  #pauseFrames = 0;

  constructor(options: OpusSourceOptions) {
    this.#options = options;
  }

  /** @throws CodedError when the pool is exhausted. */
  get decoder(): AudioDecoder {
    this.#decoder ??= this.#options.decoders.acquire();
    return this.#decoder;
  }

  /** The next packet is about to be decoded, or the frame before it recovered. */
  meet(): void {
    if (this.#pauseFrames < LONG_PAUSE_FRAMES) return;
    this.#pauseFrames = 0;
    this.#history?.clear();
    this.#decoder?.reset();
  }

  /** A packet is decoded next. */
  keep(frame: FrameSlot): void {
    this.#history ??= new PacketHistory(HISTORY_PACKETS);
    this.#history.push(frame);
  }

  /** Frame slots without a packet passed. */
  pause(frames: number): void {
    this.#pauseFrames = Math.min(this.#pauseFrames + frames, LONG_PAUSE_FRAMES);
  }

  /** A good frame was decoded. */
  accept(): void {
    this.#heard = true;
    this.#concealed = 0;
    this.#pauseFrames = 0;
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
    if (this.#concealed === 0) this.#beginAnew(out);
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

  /** Once a history, so that a peer that damages frames does not make us decode all twice over. */
  #beginAnew(scratch: Int16Array): void {
    const { decoder } = this;
    const history = this.#history;
    if (history === undefined || !history.isFull) return;
    decoder.reset();
    history.replay((bytes, offset, length) => decoder.decode(bytes, offset, length, scratch));
    history.clear();
  }

  /** Gives the decoder back; the source must not be used afterwards. */
  release(): void {
    this.#decoder?.release();
    this.#decoder = undefined;
  }
}

import type { OpusEncoder } from '@earshot/opus';
import { MAX_FRAME_BYTES } from '@earshot/opus';

/** Cuts mono PCM of any length into frames and encodes them. */
export class FrameSink {
  readonly #encoder: OpusEncoder;
  readonly #frame: Int16Array;
  readonly #lookahead: number;
  readonly #packet: Uint8Array = new Uint8Array(MAX_FRAME_BYTES);
  readonly #packets: Uint8Array[] = [];
  #filled = 0;

  /**
   * @param encoder the caller's, who releases it.
   * @param lookahead samples by which the decoded sound comes later: so much silence is put at the
   * end, or the last of the sound would stay in the encoder.
   */
  constructor(encoder: OpusEncoder, frameSamples: number, lookahead: number) {
    this.#encoder = encoder;
    this.#frame = new Int16Array(frameSamples);
    this.#lookahead = lookahead;
  }

  /** Takes samples in -1 to 1; those beyond are clipped. */
  writeFloats(samples: Float32Array): void {
    for (const sample of samples) this.#add(sample * 32_768);
  }

  /** Takes 16-bit samples, each times `gain`. */
  write(samples: Int16Array, gain: number): void {
    for (const sample of samples) this.#add(sample * gain);
  }

  /** Fills the last frame with silence and returns all packets. Call once. */
  finish(): Uint8Array[] {
    for (let n = 0; n < this.#lookahead; n += 1) this.#add(0);
    while (this.#filled > 0) this.#add(0);
    return this.#packets;
  }

  #add(sample: number): void {
    this.#frame[this.#filled++] = Math.max(-32_768, Math.min(32_767, Math.round(sample)));
    if (this.#filled < this.#frame.length) return;
    const length = this.#encoder.encode(this.#frame, this.#packet);
    this.#packets.push(this.#packet.slice(0, length));
    this.#filled = 0;
  }
}

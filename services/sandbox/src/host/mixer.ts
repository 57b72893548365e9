import { MEETING_FRAME_SAMPLES } from './send-decoder.js';

const MAX_SAMPLE = 32_767;
const MIN_SAMPLE = -32_768;

/** Adds frames of 20 ms by sample, and saturates once at the end (W-13). */
export class Mixer {
  readonly #sums = new Int32Array(MEETING_FRAME_SAMPLES);
  readonly #out = new Int16Array(MEETING_FRAME_SAMPLES);
  #inputs = 0;

  add(pcm: Int16Array): void {
    if (this.#inputs === 0) this.#sums.fill(0);
    for (let n = 0; n < MEETING_FRAME_SAMPLES; n += 1) this.#sums[n]! += pcm[n]!;
    this.#inputs += 1;
  }

  /** What was added since it was last taken; undefined when nothing was. Borrowed until the next. */
  take(): Int16Array | undefined {
    if (this.#inputs === 0) return undefined;
    this.#inputs = 0;
    for (let n = 0; n < MEETING_FRAME_SAMPLES; n += 1) {
      this.#out[n] = Math.max(MIN_SAMPLE, Math.min(MAX_SAMPLE, this.#sums[n]!));
    }
    return this.#out;
  }
}

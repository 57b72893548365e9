import { isLevel } from './level.js';

/** A mean may lie so far out of its range, of all that was summed. */
const ROUNDING_DB = 0.01;

/** Notices sound whose level hardly changes, as no voice's does: fans, hum, ringing tones. */
export class SteadySound {
  readonly #rangeDb: number;
  readonly #minDurationMs: number;
  #startMs = 0;
  #durationMs = 0;
  #lowDbfs = 0;
  #highDbfs = 0;
  #weightedDbfs = 0;

  /**
   * @param rangeDb how far the loudest and the quietest frame may lie apart
   * @param minDurationMs for how long they must
   */
  constructor(rangeDb: number, minDurationMs: number) {
    this.#rangeDb = rangeDb;
    this.#minDurationMs = minDurationMs;
  }

  /** Where the present stretch of steady level began, on the media clock. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Mean level of the present stretch. */
  get levelDbfs(): number {
    return this.#weightedDbfs / this.#durationMs;
  }

  /** Takes the next frame; true when the stretch that ends with it is long enough. */
  step(mediaTimeMs: number, durationMs: number, levelDbfs: number): boolean {
    const lowDbfs = Math.min(this.#lowDbfs, levelDbfs);
    const highDbfs = Math.max(this.#highDbfs, levelDbfs);
    if (this.#durationMs === 0 || highDbfs - lowDbfs > this.#rangeDb) {
      this.#startMs = mediaTimeMs;
      this.#durationMs = 0;
      this.#weightedDbfs = 0;
      this.#lowDbfs = levelDbfs;
      this.#highDbfs = levelDbfs;
    } else {
      this.#lowDbfs = lowDbfs;
      this.#highDbfs = highDbfs;
    }
    this.#durationMs += durationMs;
    this.#weightedDbfs += levelDbfs * durationMs;
    return this.#durationMs >= this.#minDurationMs;
  }

  /** Writes its state from `out[at]` on; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#startMs;
    out[at + 1] = this.#durationMs;
    out[at + 2] = this.#lowDbfs;
    out[at + 3] = this.#highDbfs;
    out[at + 4] = this.#weightedDbfs;
    return at + 5;
  }

  /** Reads back what `save` wrote; what can't be a stretch of steady level is none. */
  restore(from: Float64Array, at: number): number {
    this.#startMs = from[at]!;
    this.#durationMs = from[at + 1]!;
    this.#lowDbfs = from[at + 2]!;
    this.#highDbfs = from[at + 3]!;
    this.#weightedDbfs = from[at + 4]!;
    if (!this.#isPossible()) this.reset();
    return at + 5;
  }

  reset(): void {
    this.#durationMs = 0;
  }

  #isPossible(): boolean {
    const mean = this.levelDbfs;
    return (
      this.#durationMs >= 0 &&
      isLevel(this.#lowDbfs) &&
      isLevel(this.#highDbfs) &&
      this.#highDbfs - this.#lowDbfs <= this.#rangeDb &&
      mean >= this.#lowDbfs - ROUNDING_DB &&
      mean <= this.#highDbfs + ROUNDING_DB
    );
  }
}

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

  reset(): void {
    this.#durationMs = 0;
  }
}

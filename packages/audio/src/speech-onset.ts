/** The beginning of a talkspurt reaches back over quieter sound for at most so long. */
const MAX_REACH_BACK_MS = 200;

/** Follows a sound that may become a talkspurt, and decides when it has. */
export class SpeechOnset {
  readonly #onsetMs: number;
  readonly #steadyRangeDb: number;
  /** Since when the sound is more than the room. */
  #riseMs: number | undefined;
  /** Since when it is loud enough to be speech. */
  #loudMs: number | undefined;
  /** Where the talkspurt begins, once the sound was loud for long enough. */
  #startMs: number | undefined;
  #lowestDbfs = 0;
  #highestDbfs = 0;

  /**
   * @param onsetMs shortest unbroken loudness
   * @param steadyRangeDb as long as its level keeps within this, the sound may be a noise that
   * was switched on
   */
  constructor(onsetMs: number, steadyRangeDb: number) {
    this.#onsetMs = onsetMs;
    this.#steadyRangeDb = steadyRangeDb;
  }

  /** Takes the next frame; returns where a talkspurt began when the frame decides that one did. */
  step(
    mediaTimeMs: number,
    durationMs: number,
    levelDbfs: number,
    lowDbfs: number,
    highDbfs: number,
  ): number | undefined {
    if (levelDbfs <= lowDbfs) return this.#fall();
    this.#rise(mediaTimeMs, levelDbfs);
    this.#loudMs = levelDbfs > highDbfs ? (this.#loudMs ?? mediaTimeMs) : undefined;
    if (this.#loudMs !== undefined && mediaTimeMs + durationMs - this.#loudMs >= this.#onsetMs) {
      this.#startMs ??= Math.max(this.#riseMs ?? 0, this.#loudMs - MAX_REACH_BACK_MS);
    }
    const steady = this.#highestDbfs - this.#lowestDbfs < this.#steadyRangeDb;
    return steady ? undefined : this.#startMs;
  }

  reset(): void {
    this.#riseMs = undefined;
    this.#loudMs = undefined;
    this.#startMs = undefined;
  }

  /** A sound that ends before it was steady for long was a short word after all. */
  #fall(): number | undefined {
    const startMs = this.#startMs;
    this.reset();
    return startMs;
  }

  #rise(mediaTimeMs: number, levelDbfs: number): void {
    if (this.#riseMs === undefined) {
      this.#riseMs = mediaTimeMs;
      // The first frame is only partly filled by a sound that starts within it.
      this.#lowestDbfs = Number.POSITIVE_INFINITY;
      this.#highestDbfs = Number.NEGATIVE_INFINITY;
      return;
    }
    this.#lowestDbfs = Math.min(this.#lowestDbfs, levelDbfs);
    this.#highestDbfs = Math.max(this.#highestDbfs, levelDbfs);
  }
}

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

  /** Writes its state from `out[at]` on, NaN for what is not there; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#riseMs ?? Number.NaN;
    out[at + 1] = this.#loudMs ?? Number.NaN;
    out[at + 2] = this.#startMs ?? Number.NaN;
    out[at + 3] = Number.isFinite(this.#lowestDbfs) ? this.#lowestDbfs : Number.NaN;
    out[at + 4] = Number.isFinite(this.#highestDbfs) ? this.#highestDbfs : Number.NaN;
    return at + 5;
  }

  /** Reads back what `save` wrote. */
  restore(from: Float64Array, at: number): number {
    this.#riseMs = orUndefined(from[at]!);
    this.#loudMs = orUndefined(from[at + 1]!);
    this.#startMs = orUndefined(from[at + 2]!);
    const lowestDbfs = from[at + 3]!;
    const highestDbfs = from[at + 4]!;
    this.#lowestDbfs = Number.isNaN(lowestDbfs) ? Number.POSITIVE_INFINITY : lowestDbfs;
    this.#highestDbfs = Number.isNaN(highestDbfs) ? Number.NEGATIVE_INFINITY : highestDbfs;
    return at + 5;
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

function orUndefined(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

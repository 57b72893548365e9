import { isLevel, SILENCE_DBFS } from './level.js';

/** Time constant with which the floor follows a rising level. */
const RISE_TIME_MS = 500;

/** The same downwards: a room that turns out quieter is believed sooner. */
const FALL_TIME_MS = 100;

/** At or below this a frame is digital silence and says nothing about the room. */
const DIGITAL_SILENCE_DBFS = -100;

/** A running estimate of the level of what is not speech. */
export class NoiseFloor {
  /** NaN until something was heard: a number at all times is never boxed anew. */
  #levelDbfs = Number.NaN;

  /** The estimate; `SILENCE_DBFS` until something was heard. */
  get levelDbfs(): number {
    return Number.isNaN(this.#levelDbfs) ? SILENCE_DBFS : this.#levelDbfs;
  }

  /** Moves the estimate towards the level of a stretch without speech. */
  follow(levelDbfs: number, durationMs: number): void {
    if (levelDbfs <= DIGITAL_SILENCE_DBFS) return;
    const from = Number.isNaN(this.#levelDbfs) ? levelDbfs : this.#levelDbfs;
    const timeMs = levelDbfs > from ? RISE_TIME_MS : FALL_TIME_MS;
    this.#levelDbfs = from + (levelDbfs - from) * (1 - Math.exp(-durationMs / timeMs));
  }

  /** Writes its state from `out[at]` on; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#levelDbfs;
    return at + 1;
  }

  /** Reads back what `save` wrote; what can't be a level is none. */
  restore(from: Float64Array, at: number): number {
    this.#levelDbfs = isLevel(from[at]!) ? from[at]! : Number.NaN;
    return at + 1;
  }

  /** Replaces the estimate by a level known to be the room's. */
  set(levelDbfs: number): void {
    if (levelDbfs > DIGITAL_SILENCE_DBFS) this.#levelDbfs = levelDbfs;
  }
}

import type { SoundTrail } from './sound-trail.js';
import { LOOK_BACK } from './sound-trail.js';
import { HOP_MS } from './tone-spectrum.js';

/** Readings whose strongest tells how strong the tone began. */
const LOOK_AHEAD = 4;

/** A hop is the tone's inside when it has so much of the tone's magnitude. */
const INSIDE = 0.85;

/** No media clock of a call runs for longer: 24 days. */
const LONGEST_MS = 2 ** 31;

/** A tone is given up when it was not heard for so long. */
const LONGEST_FALL_MS = 1000;

/** How fast the reference follows a tone that gets quieter, a hop. */
const REFERENCE_FALL = 0.35;

/**
 * Where a tone begins and ends: where its magnitude passes half of what it is inside. A window
 * half of which the tone fills shows half its magnitude, so that is exact for a tone switched on
 * or off at once. Times are those of the windows' middles.
 */
export class ToneEdges {
  /** Magnitudes from the first reading backwards. */
  readonly #rise: Float64Array = new Float64Array(LOOK_BACK + 1);
  #firstMs = 0;
  #beginning = 0;
  #readings = 0;
  #lastMs = 0;
  #last = 0;
  /** Magnitude of the tone's inside of late. */
  #reference = 0;
  /** NaN while it has not fallen. */
  #fallMs = Number.NaN;

  /** @param trail whose present spectrum is the first that the pair was heard in */
  begin(row: number, column: number, middleMs: number, trail: SoundTrail): void {
    for (let n = 0; n <= LOOK_BACK; n += 1) this.#rise[n] = trail.magnitude(n, row, column);
    this.#firstMs = middleMs;
    this.#beginning = 0;
    this.#readings = 0;
    this.#reference = 0;
    this.heard(middleMs, this.#rise[0]!);
  }

  /** The tone was heard; returns true when by its magnitude this is the inside of it. */
  heard(middleMs: number, magnitude: number): boolean {
    const fallen = this.#reference + (magnitude - this.#reference) * REFERENCE_FALL;
    this.#reference = Math.max(magnitude, fallen);
    this.#readings += 1;
    if (this.#readings <= LOOK_AHEAD) this.#beginning = Math.max(this.#beginning, magnitude);
    this.#lastMs = middleMs;
    this.#last = magnitude;
    this.#fallMs = Number.NaN;
    return this.#readings > 1 && magnitude >= INSIDE * this.#reference;
  }

  /** Magnitude of the tone's inside of late. */
  get reference(): number {
    return this.#reference;
  }

  /** Whether `magnitude` is less than such a share of the tone's. */
  isFaint(magnitude: number, share: number): boolean {
    return magnitude < share * this.#reference;
  }

  /** The tone was not heard; it may have ended just before. */
  unheard(middleMs: number, magnitude: number): void {
    const half = this.#reference / 2;
    if (Number.isNaN(this.#fallMs) && magnitude < half) {
      const share = Math.min(1, (this.#last - half) / (this.#last - magnitude));
      this.#fallMs = middleMs - HOP_MS * (1 - Math.max(0, share));
    }
    this.#last = magnitude;
  }

  /** Writes its state from `out[at]` on, NaN for what is not there; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    for (let n = 0; n <= LOOK_BACK; n += 1) out[at + n] = this.#rise[n]!;
    const next = at + LOOK_BACK + 1;
    out[next] = this.#firstMs;
    out[next + 1] = this.#beginning;
    out[next + 2] = this.#readings;
    out[next + 3] = this.#lastMs;
    out[next + 4] = this.#last;
    out[next + 5] = this.#reference;
    out[next + 6] = this.#fallMs;
    return next + 7;
  }

  /** Reads back what `save` wrote. */
  restore(from: Float64Array, at: number): number {
    for (let n = 0; n <= LOOK_BACK; n += 1) this.#rise[n] = from[at + n]!;
    const next = at + LOOK_BACK + 1;
    this.#firstMs = from[next]!;
    this.#beginning = from[next + 1]!;
    this.#readings = from[next + 2]!;
    this.#lastMs = from[next + 3]!;
    this.#last = from[next + 4]!;
    this.#reference = from[next + 5]!;
    this.#fallMs = from[next + 6]!;
    return next + 7;
  }

  /** Whether what was read back are magnitudes, and times in order up to when the tone was heard last. */
  arePossible(lastHeardMs: number): boolean {
    const isSince = (timeMs: number): boolean => timeMs >= this.#firstMs - HOP_MS * LOOK_BACK;
    return (
      this.#rise.every((magnitude) => magnitude >= 0) &&
      this.#beginning >= 0 &&
      this.#reference >= 0 &&
      this.#firstMs <= lastHeardMs &&
      this.#firstMs >= lastHeardMs - LONGEST_MS &&
      isSince(this.#lastMs) &&
      this.#lastMs <= lastHeardMs &&
      (Number.isNaN(this.#fallMs) ||
        (isSince(this.#fallMs) && this.#fallMs <= lastHeardMs + LONGEST_FALL_MS))
    );
  }

  startMs(): number {
    const half = this.#beginning / 2;
    for (let n = 0; n < LOOK_BACK; n += 1) {
      const later = this.#rise[n]!;
      const earlier = this.#rise[n + 1]!;
      if (earlier >= half) continue;
      const share = Math.min(1, Math.max(0, (later - half) / (later - earlier)));
      return this.#firstMs - HOP_MS * (n + share);
    }
    return this.#firstMs - HOP_MS * LOOK_BACK;
  }

  endMs(): number {
    return Number.isNaN(this.#fallMs) ? this.#lastMs + HOP_MS / 2 : this.#fallMs;
  }
}

import type { Clock } from '@earshot/async';

/** Pings whose pong may still come; older ones are forgotten. */
const REMEMBERED = 8;

/** Numbers the pings of one link, and measures by our own clock how long their pongs take. */
export class RoundTrips {
  readonly #clock: Clock;
  /** By id modulo its length; NaN once answered. */
  readonly #sentMs = new Float64Array(REMEMBERED).fill(Number.NaN);
  #lastId = 0;
  #rttMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of the newest ping that was answered; undefined before the first. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** The id of a ping that is sent now. */
  ping(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    this.#sentMs[this.#lastId % REMEMBERED] = this.#clock.nowMs();
    return this.#lastId;
  }

  /**
   * A pong of that id came.
   *
   * @returns how long it took, ms; undefined when it answers no ping of ours, or one that is
   * answered or forgotten.
   */
  pong(id: number): number | undefined {
    const age = (this.#lastId - id) >>> 0;
    const sentMs = this.#sentMs[id % REMEMBERED] ?? Number.NaN;
    if (age >= REMEMBERED || Number.isNaN(sentMs)) return undefined;
    this.#sentMs[id % REMEMBERED] = Number.NaN;
    this.#rttMs = this.#clock.nowMs() - sentMs;
    return this.#rttMs;
  }
}

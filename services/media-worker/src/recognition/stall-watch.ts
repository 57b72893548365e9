import type { ListenTask } from './recognition-messages.js';

/** A source of which nothing comes for so long, though its host is there, has stopped. */
const STALL_MS = 2500;

/** How much longer than a pause that ends an utterance: what is on its way may be late. */
const LATE_MS = 1000;

/**
 * How long nothing must come of a source for that to end its utterances. Longer than the pauses that end
 * them: whoever hears all of it again ends them at the same place.
 */
export function stallMsOf(tasks: readonly Pick<ListenTask, 'endpointMs'>[]): number {
  return Math.max(STALL_MS, ...tasks.map(({ endpointMs }) => endpointMs + LATE_MS));
}

/**
 * Tells a source that is silent from a link that is: only what its host sent later than the source's last
 * frame, on the same link, says that there was nothing to send. Over a link that is away, or about to
 * break, the rest of what is being said is yet to come. Owns no clock.
 */
export class StallWatch {
  #next: number | undefined;
  /** No earlier than its last frame came. */
  #quietFromMs = 0;
  #isProven = false;

  /** The link is another one, or away: what was sent on it proves nothing any more. */
  restart(): void {
    this.#next = undefined;
  }

  /**
   * To be called about once a second. What came at the same time as what proves it may be on its way
   * still: it is waited for until the next look.
   *
   * @param next the sequence expected next: changes with each frame
   * @param hostAtMs when anything came of the host last, on the clock of `nowMs`
   * @param stallMs of `stallMsOf`
   * @returns whether the source stalls
   */
  look(nowMs: number, next: number, hostAtMs: number, stallMs: number): boolean {
    if (next !== this.#next) {
      this.#next = next;
      this.#quietFromMs = nowMs;
      this.#isProven = false;
      return false;
    }
    const wasProven = this.#isProven;
    this.#isProven = hostAtMs - this.#quietFromMs >= stallMs;
    return wasProven;
  }
}

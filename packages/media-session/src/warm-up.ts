import { GapReporter } from './gap-reporter.js';
import { StreamCounters } from './stream-counters.js';
import { StreamTally } from './stream-tally.js';

/**
 * What a pipeline works with on the way to the position that it is to go on at: all that it counts
 * and hears of speech and gaps there is thrown away, but for how many frames came and did not.
 */
export class WarmUp {
  /** Sequence number of the first frame that is heard in earnest. */
  readonly position: number;
  readonly tally: StreamTally;
  readonly gaps: GapReporter;
  /** What comes after. */
  readonly next: GapReporter;
  /** That of the stream, and its numbers when this began: a thread before may have warmed up too. */
  readonly #live: StreamTally;
  readonly #warmed: number;
  readonly #warmedMissing: number;
  readonly #dropped: number;
  readonly #duplicate: number;

  constructor(position: number, live: StreamTally, next: GapReporter) {
    this.position = position;
    this.tally = new StreamTally(StreamCounters.allocate(position));
    this.gaps = new GapReporter(this.tally, () => {});
    this.next = next;
    this.#live = live;
    this.#warmed = live.warmed;
    this.#warmedMissing = live.warmedMissing;
    this.#dropped = live.dropped;
    this.#duplicate = live.duplicate;
  }

  /** Slots from `expected` to the position. */
  left(expected: number): number {
    return (this.position - expected) | 0;
  }

  /** Adds what came and did not come so far to the numbers of the stream. */
  count(expected: number): void {
    const { received, missing, dropped, duplicate } = this.tally;
    const live = this.#live;
    live.warmed = (this.#warmed + received) | 0;
    live.warmedMissing = (this.#warmedMissing + missing) | 0;
    live.dropped = (this.#dropped + dropped) | 0;
    live.duplicate = (this.#duplicate + duplicate) | 0;
    live.expected = expected | 0;
  }
}

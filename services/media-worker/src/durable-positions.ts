import type { CallJournal } from './call-journal.js';
import type { CallStream } from './call-stream.js';
import type { CallStreams } from './call-streams.js';

/**
 * Moves the durable positions of a call's streams: to where nothing is open in any detector, once
 * all events before that are known to be in Redis.
 */
export class DurablePositions {
  readonly #streams: CallStreams;
  readonly #journal: CallJournal;
  #waiting = false;

  constructor(streams: CallStreams, journal: CallJournal) {
    this.#streams = streams;
    this.#journal = journal;
  }

  /** Moves what can be moved now, and what must wait for Redis when it has been waited for. */
  advance(): void {
    if (this.#waiting) return;
    const marks = this.#marks();
    if (marks.length === 0) return;
    if (this.#journal.isFlushed) {
      apply(marks);
      return;
    }
    this.#waiting = true;
    this.#journal
      .flushed()
      .then(
        () => apply(marks),
        () => {},
      )
      .finally(() => {
        this.#waiting = false;
      });
  }

  #marks(): Mark[] {
    const marks: Mark[] = [];
    for (const stream of this.#streams.moving()) {
      const sequence = stream.settled();
      if (sequence !== undefined && sequence !== stream.durable) marks.push({ stream, sequence });
    }
    return marks;
  }
}

interface Mark {
  readonly stream: CallStream;
  readonly sequence: number;
}

function apply(marks: readonly Mark[]): void {
  for (const { stream, sequence } of marks) stream.durable = sequence;
}

import type { Clock } from '@earshot/async';
import type { StreamPosition } from '@earshot/registry';
import type { CallJournal } from './call-journal.js';
import type { StreamMark } from './call-stream.js';
import type { WorkerLog } from './log.js';

export interface DurablePositionsOptions {
  readonly callId: string;
  readonly journal: Pick<CallJournal, 'isFlushed' | 'flushed'>;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** How often they are stored at most. */
  readonly intervalMs: number;
  /** What can be stored now. */
  marks(): StreamMark[];
  /** Whether there is something to store beside positions. @defaultValue there is not */
  hasMore?(): boolean;
  /** Puts them where another worker finds them; `stale` when the call is another's. */
  store(positions: readonly StreamPosition[]): Promise<'ok' | 'stale'>;
  onMoved(): void;
  onStale(): void;
}

/**
 * Moves the durable positions of a call's streams: to where another worker could go on, once all
 * events up to there are in Redis, and then the positions. One step at a time: while Redis is away
 * they stand still, and nothing piles up.
 */
export class DurablePositions {
  readonly #options: DurablePositionsOptions;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #step: Promise<void> | undefined;
  #isAway = false;

  constructor(options: DurablePositionsOptions) {
    this.#options = options;
  }

  /** Begins to move what can be moved, unless it is too early. */
  advance(): void {
    const { clock, intervalMs } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#step !== undefined || nowMs < this.#notBeforeMs) return;
    const marks = this.#options.marks();
    if (marks.length === 0 && this.#options.hasMore?.() !== true) return;
    this.#notBeforeMs = nowMs + intervalMs;
    this.#begin(marks);
  }

  /** Moves all that can be moved; resolves once it is, or could not be. */
  async finish(): Promise<void> {
    while (this.#step !== undefined) await this.#step;
    const marks = this.#options.marks();
    if (marks.length > 0 || this.#options.hasMore?.() === true) await this.#begin(marks);
  }

  #begin(marks: readonly StreamMark[]): Promise<void> {
    this.#step = this.#move(marks).then((isMoved) => {
      this.#step = undefined;
      if (isMoved) this.#options.onMoved();
    });
    return this.#step;
  }

  async #move(marks: readonly StreamMark[]): Promise<boolean> {
    const { journal, store, onStale } = this.#options;
    try {
      if (!journal.isFlushed) await journal.flushed();
      const result = await store(marks.map(({ position }) => position));
      this.#isAway = false;
      if (result === 'stale') {
        onStale();
        return false;
      }
    } catch (error) {
      this.#tellAway(error);
      return false;
    }
    for (const mark of marks) mark.stream.stored(mark);
    return true;
  }

  /** Once, until it is there again. */
  #tellAway(error: unknown): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const { log, callId } = this.#options;
    log.warn('positions are not stored: they stand still', { callId, error: String(error) });
  }
}

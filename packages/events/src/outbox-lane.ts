import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs, CodedError } from '@earshot/async';
import type { EarshotEvent } from './event.js';

/** Short at first: most breaks are short, and the outbox is bounded. */
const RETRY = { baseMs: 50, maxMs: 1_000 } as const;

export interface LaneOptions {
  readonly clock: Clock;
  readonly maxBatch: number;
  /** Brings a batch to Redis; called again with the same number until it resolves. */
  readonly send: (batch: readonly EarshotEvent[], batchNumber: number) => Promise<void>;
  /** Told of the first failure of each batch. */
  readonly onError: (error: unknown) => void;
  /** A batch of so many events is in Redis. */
  readonly onSent: (events: number) => void;
}

interface Waiter {
  readonly target: number;
  resolve(): void;
  reject(error: Error): void;
}

/** The events of one partition on their way to Redis, in order, one batch at a time. */
export class OutboxLane {
  readonly #options: LaneOptions;
  readonly #waiting: EarshotEvent[] = [];
  #accepted = 0;
  #sent = 0;
  #batchNumber = 0;
  #running = false;
  #abandoned = false;
  #waiters: Waiter[] = [];
  #pause: { cancel: Cancel; resolve: () => void } | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** The caller bounds how many. */
  push(event: EarshotEvent): void {
    this.#waiting.push(event);
    this.#accepted += 1;
    if (this.#running) return;
    this.#running = true;
    // What is pushed in the same turn goes into the same batch.
    queueMicrotask(() => void this.#run());
  }

  /** Resolves when all pushed so far is in Redis; rejects when the lane is abandoned before. */
  flushed(): Promise<void> {
    if (this.#sent === this.#accepted) return Promise.resolve();
    if (this.#abandoned) return Promise.reject(abandoned());
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target: this.#accepted, resolve, reject });
    });
  }

  /** Stops sending and retrying; what waits stays where it is. */
  abandon(): void {
    this.#abandoned = true;
    this.#pause?.cancel();
    this.#pause?.resolve();
    for (const waiter of this.#waiters) waiter.reject(abandoned());
    this.#waiters = [];
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#abandoned) {
      const batch = this.#waiting.splice(0, this.#options.maxBatch);
      const batchNumber = this.#batchNumber++;
      if (await this.#sendUntilAccepted(batch, batchNumber)) this.#settle(batch.length);
    }
    this.#running = false;
  }

  async #sendUntilAccepted(batch: readonly EarshotEvent[], batchNumber: number): Promise<boolean> {
    for (let attempt = 0; !this.#abandoned; attempt += 1) {
      try {
        await this.#options.send(batch, batchNumber);
        return true;
      } catch (error) {
        if (attempt === 0) this.#options.onError(error);
        if (!this.#abandoned) await this.#wait(backoffDelayMs(attempt, Math.random(), RETRY));
      }
    }
    return false;
  }

  #settle(events: number): void {
    this.#sent += events;
    this.#options.onSent(events);
    const isDone = (waiter: Waiter) => waiter.target <= this.#sent;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const waiter of done) waiter.resolve();
  }

  #wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#options;
      this.#pause = { cancel: clock.at(clock.nowMs() + durationMs, resolve), resolve };
    });
  }
}

function abandoned(): CodedError {
  return new CodedError(
    'publisher_closed',
    'Cannot publish events: the publisher must be open until Redis has them, got closed before',
  );
}

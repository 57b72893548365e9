import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs, CodedError } from '@earshot/async';
import type { EarshotEvent } from './event.js';

/** Short at first: most breaks are short, and the outbox is bounded. */
const RETRY = { baseMs: 50, maxMs: 1_000 } as const;

export interface LaneOptions {
  readonly clock: Clock;
  readonly maxBatch: number;
  /** Least time from one batch to the next, ms; a full one, or one waited for, goes at once. */
  readonly windowMs: number;
  /** Brings a batch to Redis; called again with the same number until it resolves. */
  readonly send: (batch: readonly EarshotEvent[], batchNumber: number) => Promise<void>;
  /** Told of the first failure of each batch. */
  readonly onError: (error: unknown) => void;
  /** A batch of so many events is done with. */
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
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #running = false;
  #abandoned = false;
  #waiters: Waiter[] = [];
  #pause: { cancel: Cancel; resolve: () => void } | undefined;
  /** The pause is for a batch to fill, and not for Redis to come back. */
  #isFilling = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** The caller bounds how many. */
  push(event: EarshotEvent): void {
    this.#waiting.push(event);
    this.#accepted += 1;
    if (this.#isFilling && this.#waiting.length >= this.#options.maxBatch) this.#wake();
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
      if (this.#isFilling) this.#wake();
    });
  }

  /** Stops sending and retrying; what waits stays where it is. */
  abandon(): void {
    this.#abandoned = true;
    this.#wake();
    for (const waiter of this.#waiters) waiter.reject(abandoned());
    this.#waiters = [];
  }

  async #run(): Promise<void> {
    const { clock, maxBatch, windowMs } = this.#options;
    while (this.#waiting.length > 0 && !this.#abandoned) {
      if (!this.#isDue) await this.#fill();
      if (this.#abandoned) break;
      this.#notBeforeMs = clock.nowMs() + windowMs;
      const batch = this.#waiting.splice(0, maxBatch);
      const batchNumber = this.#batchNumber++;
      if (await this.#sendUntilAccepted(batch, batchNumber)) this.#settle(batch.length);
    }
    this.#running = false;
  }

  get #isDue(): boolean {
    const { clock, maxBatch } = this.#options;
    const isFull = this.#waiting.length >= maxBatch;
    return isFull || this.#waiters.length > 0 || clock.nowMs() >= this.#notBeforeMs;
  }

  async #fill(): Promise<void> {
    this.#isFilling = true;
    await this.#waitUntil(this.#notBeforeMs);
    this.#isFilling = false;
  }

  async #sendUntilAccepted(batch: readonly EarshotEvent[], batchNumber: number): Promise<boolean> {
    const { clock, send, onError } = this.#options;
    for (let attempt = 0; !this.#abandoned; attempt += 1) {
      try {
        await send(batch, batchNumber);
        return true;
      } catch (error) {
        if (attempt === 0) onError(error);
        if (this.#abandoned) return false;
        await this.#waitUntil(clock.nowMs() + backoffDelayMs(attempt, Math.random(), RETRY));
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

  #waitUntil(timeMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { cancel: this.#options.clock.at(timeMs, resolve), resolve };
    });
  }

  #wake(): void {
    this.#pause?.cancel();
    this.#pause?.resolve();
  }
}

function abandoned(): CodedError {
  return new CodedError(
    'publisher_closed',
    'Cannot publish events: the publisher must be open until Redis has them, got closed before',
  );
}

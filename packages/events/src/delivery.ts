import type { Clock } from '@earshot/async';
import { CodedError, delay } from '@earshot/async';
import type { BatchLock } from './batch-lock.js';
import { BegunCounts } from './begun-counts.js';
import type { DeadLetters } from './dead-letters.js';
import type { EarshotEvent } from './event.js';
import { parseEvent } from './event-schema.js';
import { HandledIds } from './handled-ids.js';
import type { BatchTaker } from './handling.js';
import type { Names } from './names.js';
import { partitionOf } from './partition.js';
import type { RedisClient } from './redis.js';

/** Pauses between the tries of an event, ms: what the handler needs may be back in a moment. */
const PAUSES_MS: readonly number[] = [200, 1_000];
/** From so many deaths of its consumers on, a batch is searched for the event that kills them. */
const SUSPECT_AFTER_DEATHS = 3;
/** An event that was begun more often than this, and never ended, is taken for it. */
const MAX_BEGUN = 5;
const MARK_RETRY_MS = 500;

export interface DeliveryOptions {
  readonly client: RedisClient;
  readonly names: Names;
  readonly clock: Clock;
  readonly subscription: string;
  /** How long it is known that an event was handled. */
  readonly handledTtlMs: number;
  readonly taker: BatchTaker;
  readonly deadLetters: DeadLetters;
  readonly onError: (error: unknown) => void;
}

/** What a job carries. */
export interface Batch {
  readonly partition: number;
  readonly values: readonly unknown[];
  /** Of dead letters: what was set aside before is handled all the same. */
  readonly isReplay: boolean;
  /** How many consumers died, or were thought dead, over it. */
  readonly deaths: number;
}

interface Refused {
  readonly value: unknown;
  readonly error: unknown;
}

interface Failure {
  readonly error: unknown;
}

interface Work {
  readonly handled: HandledIds;
  readonly lock: BatchLock;
  readonly isSuspect: boolean;
}

/**
 * Hands the events of a batch to the handler, in order, each once: what is known to be handled is
 * left out. What can't be handled is set aside, and the next one comes.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #begun: BegunCounts;
  #isStopping = false;
  delivered = 0;
  duplicates = 0;
  failed = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#begun = new BegunCounts(options.client, options.names, options.subscription);
  }

  /** Deliveries under way end after the event at hand. */
  stop(): void {
    this.#isStopping = true;
  }

  /**
   * Resolves with false when it ended before the end: asked to, or because the lock was lost.
   * Rejects when Redis refuses what must be written, or the dead letters are full; the batch is then
   * to be delivered again.
   */
  async deliver(batch: Batch, lock: BatchLock): Promise<boolean> {
    const handled = new HandledIds(this.#options);
    const { events, refused } = this.#parse(batch);
    const work = { handled, lock, isSuspect: batch.deaths >= SUSPECT_AFTER_DEATHS };
    try {
      const fresh = await this.#fresh(events, batch, handled);
      if (!(await this.#takeAll(fresh, work))) return false;
      // Last, so that a batch that comes again and again leaves one letter of each.
      for (const { value, error } of refused) await this.#setAside(value, error);
      return true;
    } finally {
      await this.#flush(work);
    }
  }

  #parse({ partition, values }: Batch): { events: EarshotEvent[]; refused: Refused[] } {
    const events: EarshotEvent[] = [];
    const refused: Refused[] = [];
    for (const value of values) {
      try {
        const event = parseEvent(value);
        if (partitionOf(event.callId) !== partition) throw strayed(event, partition);
        events.push(event);
      } catch (error) {
        refused.push({ value, error });
      }
    }
    return { events, refused };
  }

  /** Without those handled before, and those that come twice in the batch. */
  async #fresh(
    events: readonly EarshotEvent[],
    { isReplay }: Batch,
    handled: HandledIds,
  ): Promise<EarshotEvent[]> {
    if (events.length === 0) return [];
    const states = await handled.statesOf(events);
    const seen = new Set<string>();
    const fresh = events.filter(({ callId, id }, index) => {
      const isOld = states[index] === 'handled' || (states[index] === 'setAside' && !isReplay);
      const key = `${callId} ${id}`;
      if (isOld || seen.has(key)) return false;
      seen.add(key);
      return true;
    });
    this.duplicates += events.length - fresh.length;
    return fresh;
  }

  async #takeAll(events: readonly EarshotEvent[], work: Work): Promise<boolean> {
    const size = work.isSuspect ? 1 : this.#options.taker.maxEvents;
    for (let from = 0; from < events.length; from += size) {
      if (!this.#mayGoOn(work)) return false;
      if (!(await this.#takeSome(events.slice(from, from + size), work))) return false;
    }
    return true;
  }

  async #takeSome(events: readonly EarshotEvent[], work: Work): Promise<boolean> {
    if (events.length > 1) {
      const failure = await this.#attempt(events, work);
      if (failure === undefined) return true;
      this.#options.onError(failure.error);
    }
    for (const event of events) {
      if (!this.#mayGoOn(work)) return false;
      if (!(await this.#takeOne(event, work))) return false;
    }
    return true;
  }

  async #takeOne(event: EarshotEvent, work: Work): Promise<boolean> {
    if (!work.isSuspect) return this.#tryOne(event, work);
    const times = await this.#begun.begin(event);
    if (times > MAX_BEGUN) {
      await this.#setAsideFor(event, killer(times - 1), work);
      return true;
    }
    try {
      return await this.#tryOne(event, work);
    } finally {
      // Who gets here in time lived: a handler that throws, or a consumer that is closed, kills nobody.
      if (work.lock.isHeld()) await this.#begun.end(event).catch(this.#options.onError);
    }
  }

  async #tryOne(event: EarshotEvent, work: Work): Promise<boolean> {
    let failure = await this.#attempt([event], work);
    for (const pauseMs of PAUSES_MS) {
      if (failure === undefined) return true;
      // Who was told to stop has not failed.
      if (!this.#mayGoOn(work)) return false;
      await delay(this.#options.clock, pauseMs);
      if (!this.#mayGoOn(work)) return false;
      failure = await this.#attempt([event], work);
    }
    if (failure === undefined) return true;
    if (!work.lock.isHeld()) return false;
    await this.#setAsideFor(event, failure.error, work);
    return true;
  }

  async #attempt(
    events: readonly EarshotEvent[],
    { handled, lock }: Work,
  ): Promise<Failure | undefined> {
    try {
      await this.#options.taker.take(events, { signal: lock.signal });
    } catch (error) {
      return { error };
    }
    this.delivered += events.length;
    for (const event of events) handled.mark(event);
    return undefined;
  }

  /** The letter first: an event may have two, but not none. */
  async #setAsideFor(event: EarshotEvent, error: unknown, { handled }: Work): Promise<void> {
    await this.#setAside(event, error);
    handled.markSetAside(event);
    await handled.flush();
  }

  async #setAside(value: unknown, error: unknown): Promise<void> {
    await this.#options.deadLetters.add(value, error);
    this.failed += 1;
    this.#options.onError(error);
  }

  /** While the lock holds, what was handled must be known as such, or it would come again. */
  async #flush({ handled, lock }: Work): Promise<void> {
    for (;;) {
      try {
        return await handled.flush();
      } catch (error) {
        this.#options.onError(error);
      }
      if (!lock.isHeld()) return;
      await delay(this.#options.clock, MARK_RETRY_MS);
    }
  }

  #mayGoOn({ lock }: Work): boolean {
    return !this.#isStopping && lock.isHeld();
  }
}

function strayed({ callId }: EarshotEvent, partition: number): CodedError {
  return new CodedError(
    'wrong_partition',
    `Cannot handle the event: it must come through partition ${partitionOf(callId)}, that of its call, got ${partition}`,
  );
}

function killer(times: number): CodedError {
  return new CodedError(
    'consumer_killed',
    `Cannot handle the event: its consumer must live through it, got ${times} that did not`,
  );
}

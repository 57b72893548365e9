import { randomBytes } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import { CodedError, every } from '@earshot/async';
import type { EarshotEvent } from './event.js';
import { readCounts } from './event-counts.js';
import { FenceFilter } from './fence-filter.js';
import { Names } from './names.js';
import { OutboxLane } from './outbox-lane.js';
import { PARTITIONS, partitionOf } from './partition.js';
import type { Destination, Fence } from './publish-script.js';
import { claimFence, publishBatch } from './publish-script.js';
import type { RedisClient } from './redis.js';
import { connect, connectionError, createClient, disconnect, minReplicasOf } from './redis.js';
import { sweepSubscriptions } from './remove-subscription.js';

export interface PublisherOptions {
  /** `redis://…`, `redis+cluster://host:port,host:port`, or the absolute path of a unix socket. */
  readonly redisUrl: string;
  readonly clock: Clock;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  /** Most events held in memory; more are refused. @defaultValue 10 000 */
  readonly outboxCapacity?: number;
  /** Most events in one job. @defaultValue 500 */
  readonly maxBatch?: number;
  /**
   * Least time between two jobs of a partition, ms, unless one is full or `flushed` waits for it.
   * @defaultValue 20
   */
  readonly batchWindowMs?: number;
  /** Told when events were left out because their call has an owner with a newer epoch. */
  readonly onFenced?: (attachment: { readonly callId: string; readonly epoch: number }) => void;
  /** Told of each try to bring a batch to Redis; what it returns, of its end and the error, if any. */
  readonly onBatch?: (events: readonly EarshotEvent[]) => (error?: unknown) => void;
  /** Told when events can't be brought to Redis; publishing goes on. */
  readonly onError?: (error: unknown) => void;
}

export interface PublisherStats {
  /** Events that Redis has. */
  readonly published: number;
  /** Events in the outbox. */
  readonly waiting: number;
  /** Events turned away because the outbox was full. */
  readonly refused: number;
  /** Events left out because their call had a newer owner. */
  readonly fenced: number;
  readonly redisUp: boolean;
}

/** How far the outbox is behind. */
export interface OutboxState {
  /** Events accepted and not yet in Redis. */
  readonly waiting: number;
  /** Most events that it holds. */
  readonly capacity: number;
  /** How long the batch that was first tried the longest ago is on its way, ms; 0 without one. */
  readonly oldestMs: number;
}

export interface CloseOptions {
  /** How long events in the outbox are still being sent, ms. @defaultValue 5 000 */
  readonly deadlineMs?: number;
}

/** A half-open connection is found out by this; the batch is then sent again. */
const COMMAND_TIMEOUT_MS = 5_000;
const SWEEP_EVERY_MS = 10_000;

/**
 * Brings events to the queues of all subscriptions: in order per call, in batches, and again
 * and again under the same job id until Redis has them. While Redis is away they wait in a
 * bounded outbox.
 */
export class EventPublisher {
  readonly #clock: Clock;
  readonly #names: Names;
  readonly #outboxCapacity: number;
  readonly #onError: (error: unknown) => void;
  readonly #onFenced: (attachment: Fence) => void;
  readonly #onBatch: PublisherOptions['onBatch'];
  readonly #client: RedisClient;
  readonly #destination: Destination;
  readonly #fences = new FenceFilter();
  readonly #lanes: readonly OutboxLane[];
  readonly #id = randomBytes(9).toString('base64url');
  /** By partition: when the batch under way was first tried. */
  readonly #triedSinceMs = new Map<number, number>();
  #published = 0;
  #waiting = 0;
  #refused = 0;
  #fenced = 0;
  #stopSweeping: Cancel = () => {};
  /** After an outage consumers must be able to tell that they live before they are judged. */
  #mayJudge = true;
  #closing: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    const { clock, maxBatch = 500, batchWindowMs = 20 } = options;
    this.#clock = clock;
    this.#names = new Names(options.prefix ?? 'earshot');
    this.#outboxCapacity = options.outboxCapacity ?? 10_000;
    this.#onError = options.onError ?? (() => {});
    this.#onFenced = options.onFenced ?? (() => {});
    this.#onBatch = options.onBatch;
    this.#client = createClient(options.redisUrl, {
      // Waiting is the outbox's work: a command fails at once when Redis is away.
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
    this.#destination = {
      client: this.#client,
      names: this.#names,
      minReplicas: minReplicasOf(options.redisUrl),
    };
    this.#lanes = Array.from(
      { length: PARTITIONS },
      (_, partition) =>
        new OutboxLane({
          clock,
          maxBatch,
          windowMs: batchWindowMs,
          send: (batch, batchNumber) => {
            if (!this.#triedSinceMs.has(partition))
              this.#triedSinceMs.set(partition, clock.nowMs());
            return this.#told(batch, () => this.#send(partition, batch, batchNumber));
          },
          onError: this.#onError,
          onSent: (events) => {
            this.#triedSinceMs.delete(partition);
            this.#waiting -= events;
          },
        }),
    );
  }

  /** Connects. @throws CodedError `redis_unreachable`, after about a second of trying. */
  async ready(): Promise<void> {
    await connect(this.#client);
    this.#client.on('ready', () => {
      this.#mayJudge = false;
    });
    this.#stopSweeping();
    this.#stopSweeping = every(this.#clock, SWEEP_EVERY_MS, () => this.#sweep());
  }

  /**
   * Makes `epoch` the newest of a call: no event of an older one, from source `media`, gets to the
   * queues from then on, whoever publishes it. `stale` when there is a newer one.
   *
   * @throws CodedError `redis_unreachable`; whether it took effect is then unknown.
   */
  async claim(callId: string, epoch: number): Promise<'ok' | 'stale'> {
    try {
      const isNewest = await claimFence(this.#destination, { callId, epoch });
      return isNewest ? 'ok' : 'stale';
    } catch (error) {
      throw connectionError(error);
    }
  }

  /**
   * Takes an event into the outbox; it must not be changed afterwards. False when there is no
   * room, or after `close`: the caller keeps the event and its position.
   */
  publish(event: EarshotEvent): boolean {
    const lane = this.#lanes[partitionOf(event.callId)];
    const isFull = this.#waiting >= this.#outboxCapacity;
    if (lane === undefined || isFull || this.#closing !== undefined) {
      this.#refused += 1;
      return false;
    }
    this.#waiting += 1;
    lane.push(event);
    return true;
  }

  /**
   * Resolves when all that was accepted so far is in Redis, however long that takes.
   *
   * @throws CodedError `publisher_closed` when the publisher is closed before.
   */
  async flushed(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.flushed()));
  }

  /**
   * How many events of a call are in Redis, as counted by all publishers together.
   *
   * @throws CodedError `redis_unreachable`.
   */
  async counts(callId: string): Promise<{ published: number }> {
    try {
      return await readCounts(this.#client, this.#names, callId);
    } catch (error) {
      throw connectionError(error);
    }
  }

  get stats(): PublisherStats {
    return {
      published: this.#published,
      waiting: this.#waiting,
      refused: this.#refused,
      fenced: this.#fenced,
      redisUp: this.#client.status === 'ready',
    };
  }

  get outbox(): OutboxState {
    const nowMs = this.#clock.nowMs();
    const agesMs = [...this.#triedSinceMs.values()].map((sinceMs) => nowMs - sinceMs);
    return {
      waiting: this.#waiting,
      capacity: this.#outboxCapacity,
      oldestMs: Math.max(0, ...agesMs),
    };
  }

  /**
   * Sends what is in the outbox, gives up after the deadline, and closes; idempotent. What was
   * not sent is lost and told to `onError` as CodedError `events_lost`.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.deadlineMs ?? 5_000);
    return this.#closing;
  }

  /** Publishing to the subscriptions of dead consumers would fill up Redis. */
  #sweep(): void {
    if (this.#client.status !== 'ready') return;
    const mayJudge = this.#mayJudge;
    this.#mayJudge = true;
    if (!mayJudge) return;
    // What fails now is done the next time.
    sweepSubscriptions(this.#client, this.#names).catch(() => {});
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#stopSweeping();
    const giveUp = () => {
      for (const lane of this.#lanes) lane.abandon();
    };
    const cancel = this.#clock.at(this.#clock.nowMs() + deadlineMs, giveUp);
    await Promise.allSettled(this.#lanes.map((lane) => lane.flushed()));
    cancel();
    giveUp();
    await disconnect(this.#client);
    if (this.#waiting === 0) return;
    this.#onError(
      new CodedError(
        'events_lost',
        `Cannot publish: Redis must take all events within ${deadlineMs} ms of closing, got ${this.#waiting} left over`,
      ),
    );
  }

  async #told(batch: readonly EarshotEvent[], send: () => Promise<void>): Promise<void> {
    const ended = this.#onBatch?.(batch);
    try {
      await send();
      ended?.();
    } catch (error) {
      ended?.(error);
      throw error;
    }
  }

  async #send(
    partition: number,
    batch: readonly EarshotEvent[],
    batchNumber: number,
  ): Promise<void> {
    for (;;) {
      const { passed, fenced } = this.#fences.apply(batch);
      const fences = passed.length === 0 ? [] : await this.#add(partition, passed, batchNumber);
      if (fences.length === 0) return this.#settle(passed.length, fenced);
      for (const fence of fences) this.#fences.learn(fence);
    }
  }

  #add(partition: number, events: readonly EarshotEvent[], number: number): Promise<Fence[]> {
    return publishBatch(this.#destination, {
      publisherId: this.#id,
      partition,
      number,
      events,
      wallclockMs: this.#clock.wallclockMs(),
    });
  }

  #settle(published: number, fenced: readonly Fence[]): void {
    this.#published += published;
    this.#fenced += fenced.length;
    const attachments = new Map(fenced.map((fence) => [`${fence.callId} ${fence.epoch}`, fence]));
    for (const attachment of attachments.values()) this.#onFenced(attachment);
  }
}

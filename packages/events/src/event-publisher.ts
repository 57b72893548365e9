import { randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { Redis } from 'ioredis';
import type { EarshotEvent } from './event.js';
import { readCounts, recordCounts } from './event-counts.js';
import { DEFAULT_SUBSCRIPTION, Names } from './names.js';
import { OutboxLane } from './outbox-lane.js';
import { PARTITIONS, partitionOf } from './partition.js';
import { PartitionQueues } from './partition-queues.js';
import { connect, connectionError, createClient, disconnect } from './redis.js';

export interface PublisherOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  readonly clock: Clock;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  /** Most events held in memory; more are refused. @defaultValue 10 000 */
  readonly outboxCapacity?: number;
  /** Most events in one job. @defaultValue 50 */
  readonly maxBatch?: number;
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
  readonly #client: Redis;
  readonly #queues: PartitionQueues;
  readonly #lanes: readonly OutboxLane[];
  readonly #id = randomBytes(9).toString('base64url');
  /** By partition: when the batch under way was first tried. */
  readonly #triedSinceMs = new Map<number, number>();
  #published = 0;
  #waiting = 0;
  #refused = 0;
  #closing: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    const { clock, maxBatch = 50 } = options;
    this.#clock = clock;
    this.#names = new Names(options.prefix ?? 'earshot');
    this.#outboxCapacity = options.outboxCapacity ?? 10_000;
    this.#onError = options.onError ?? (() => {});
    this.#client = createClient(options.redisUrl, {
      // Waiting is the outbox's work: a command fails at once when Redis is away.
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
    this.#queues = new PartitionQueues(this.#client, this.#names);
    this.#lanes = Array.from(
      { length: PARTITIONS },
      (_, partition) =>
        new OutboxLane({
          clock,
          maxBatch,
          send: (batch, batchNumber) => {
            if (!this.#triedSinceMs.has(partition))
              this.#triedSinceMs.set(partition, clock.nowMs());
            return this.#send(partition, batch, batchNumber);
          },
          onError: this.#onError,
          onSent: (events) => {
            this.#triedSinceMs.delete(partition);
            this.#waiting -= events;
            this.#published += events;
          },
        }),
    );
  }

  /** Connects. @throws CodedError `redis_unreachable`, after about a second of trying. */
  ready(): Promise<void> {
    return connect(this.#client);
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

  async #close(deadlineMs: number): Promise<void> {
    const giveUp = () => {
      for (const lane of this.#lanes) lane.abandon();
    };
    const cancel = this.#clock.at(this.#clock.nowMs() + deadlineMs, giveUp);
    await Promise.allSettled(this.#lanes.map((lane) => lane.flushed()));
    cancel();
    giveUp();
    await this.#queues.close();
    await disconnect(this.#client);
    if (this.#waiting === 0) return;
    this.#onError(
      new CodedError(
        'events_lost',
        `Cannot publish: Redis must take all events within ${deadlineMs} ms of closing, got ${this.#waiting} left over`,
      ),
    );
  }

  async #send(
    partition: number,
    batch: readonly EarshotEvent[],
    batchNumber: number,
  ): Promise<void> {
    // Counted before they can be seen: who has the last event must not read too low a count.
    const [registered] = await Promise.all([
      this.#client.smembers(this.#names.subscriptions()),
      recordCounts(this.#client, this.#names, batch, { publisherId: this.#id, batchNumber }),
    ]);
    const jobId = `${this.#id}-${partition}-${batchNumber}`;
    const subscriptions = new Set([DEFAULT_SUBSCRIPTION, ...registered]);
    await Promise.all(
      [...subscriptions].map((name) => this.#queues.add(name, partition, jobId, batch)),
    );
  }
}

import type { Clock } from '@earshot/async';
import type { Job } from 'bullmq';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { Delivery } from './delivery.js';
import type { EarshotEvent } from './event.js';
import { checkSubscription, DEFAULT_SUBSCRIPTION, Names } from './names.js';
import { PARTITIONS } from './partition.js';
import { PartitionQueues } from './partition-queues.js';
import { connect, createClient, disconnect } from './redis.js';

export interface ConsumerOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  /**
   * Called for one event after the other of a call; resolve when done with it. It is called
   * again at once when it throws, three times in all; then the event is set aside.
   */
  readonly handler: (event: EarshotEvent) => Promise<void> | void;
  /** Consumers of one subscription share its events. @defaultValue default */
  readonly subscription?: string;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  readonly clock: Clock;
  /** Told of failures of the handler and of the connection; consuming goes on. */
  readonly onError?: (error: unknown) => void;
}

export interface ConsumerStats {
  /** Events that the handler took. */
  readonly delivered: number;
  /** Events left out because they had been handled before. */
  readonly duplicates: number;
  /** Events set aside as dead letters. */
  readonly failed: number;
}

/**
 * A consumer that died frees its partitions after these (3 to 6 s); shorter times would take a
 * busy consumer for a dead one. The check is the queue's: all consumers must agree.
 */
const LOCK_MS = 4_000;
const STALLED_CHECK_MS = 2_000;
/** A batch whose consumer died so often is taken for the cause, and set aside. */
const MAX_DEATHS = 20;
const CLOSE_WITHIN_MS = 10_000;

/** Receives the events of one subscription: in order per call, each at least once. */
export class EventConsumer {
  readonly #names: Names;
  readonly #subscription: string;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #client: Redis;
  readonly #queues: PartitionQueues;
  readonly #delivery: Delivery;
  #workers: readonly Worker[] = [];
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isOutageTold = false;

  /** @throws CodedError `invalid_subscription`. */
  constructor(options: ConsumerOptions) {
    this.#clock = options.clock;
    this.#names = new Names(options.prefix ?? 'earshot');
    this.#subscription = checkSubscription(options.subscription ?? DEFAULT_SUBSCRIPTION);
    this.#onError = options.onError ?? (() => {});
    // Commands wait while Redis is away: a job that has begun ends when it is back.
    this.#client = createClient(options.redisUrl, { maxRetriesPerRequest: null });
    this.#queues = new PartitionQueues(this.#client, this.#names);
    this.#delivery = new Delivery({
      client: this.#client,
      names: this.#names,
      clock: this.#clock,
      subscription: this.#subscription,
      handler: options.handler,
      onError: this.#onError,
    });
  }

  /**
   * Registers the subscription and begins; every event that is published from then on arrives.
   *
   * @throws CodedError `redis_unreachable`, after about a second of trying.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  get stats(): ConsumerStats {
    const { delivered, duplicates, failed } = this.#delivery;
    return { delivered, duplicates, failed };
  }

  /** Takes no more batches, ends those begun, and closes; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<void> {
    await connect(this.#client);
    await this.#register();
    // A Redis without persistence forgets all this when it restarts.
    this.#client.on('ready', () => {
      this.#isOutageTold = false;
      this.#register().catch((error) => this.#report(error));
    });
    this.#workers = Array.from({ length: PARTITIONS }, (_, partition) =>
      this.#createWorker(partition),
    );
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
  }

  async #register(): Promise<void> {
    const slots = Array.from({ length: PARTITIONS }, (_, partition) =>
      // One batch at a time over all consumers: what keeps the order.
      this.#queues.of(this.#subscription, partition).setGlobalConcurrency(1),
    );
    await Promise.all([
      this.#client.sadd(this.#names.subscriptions(), this.#subscription),
      ...slots,
    ]);
  }

  #createWorker(partition: number): Worker {
    const name = this.#names.queue(this.#subscription, partition);
    const worker = new Worker(name, (job) => this.#process(job), {
      connection: this.#client,
      prefix: this.#names.prefix,
      concurrency: 1,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // Never failed by BullMQ, which would drop the events: see MAX_DEATHS.
      maxStalledCount: 1_000_000,
      runRetryDelay: 500,
      skipVersionCheck: true,
    });
    worker.on('error', (error) => this.#report(error));
    worker.on('failed', (_job, error) => this.#onError(error));
    return worker;
  }

  /** Each of the many connections fails when Redis goes away: one of them is told. */
  #report(error: unknown): void {
    if (error instanceof Error && 'syscall' in error) {
      if (this.#isOutageTold) return;
      this.#isOutageTold = true;
    }
    this.#onError(error);
  }

  async #process(job: Job<unknown>): Promise<void> {
    const events = eventsOf(job.data);
    if (job.stalledCounter > MAX_DEATHS) {
      await this.#delivery.setAside(events, `its consumer died ${job.stalledCounter} times`);
    } else {
      await this.#delivery.deliver(events);
    }
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => {});
    // Without Redis nothing can be ended in good order; the batches come again later.
    const force = this.#client.status !== 'ready';
    const closed = Promise.allSettled(this.#workers.map((worker) => worker.close(force)));
    await this.#orAfter(CLOSE_WITHIN_MS, closed);
    await this.#queues.close();
    await disconnect(this.#client);
  }

  /** Waits for `work`, but no longer than given: a handler may hang. */
  #orAfter(durationMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.at(this.#clock.nowMs() + durationMs, resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

function eventsOf(data: unknown): readonly unknown[] {
  const hasEvents = typeof data === 'object' && data !== null && 'events' in data;
  return hasEvents && Array.isArray(data.events) ? data.events : [data];
}

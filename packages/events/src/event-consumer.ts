import type { Cancel, Clock } from '@earshot/async';
import { CodedError, every } from '@earshot/async';
import { DeadLetters } from './dead-letters.js';
import { Delivery } from './delivery.js';
import { EphemeralSubscriptions } from './ephemeral-subscriptions.js';
import type { Handling } from './handling.js';
import { batchTaker } from './handling.js';
import { checkSubscription, DEFAULT_SUBSCRIPTION, Names } from './names.js';
import { PARTITIONS } from './partition.js';
import { PartitionQueues } from './partition-queues.js';
import { PartitionWorker } from './partition-worker.js';
import type { RedisClient } from './redis.js';
import { connect, createClient, disconnect } from './redis.js';
import { removeSubscription } from './remove-subscription.js';

export interface ConsumerSettings {
  /** `redis://…`, `redis+cluster://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  /** Consumers of one subscription share its events. @defaultValue default */
  readonly subscription?: string;
  /**
   * True when the subscription is this consumer's alone and ends with it: on `close`, or 30 to
   * 40 s after its process died.
   *
   * @defaultValue false: it lasts, and its events wait for the next consumer
   */
  readonly isEphemeral?: boolean;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  readonly clock: Clock;
  /** Told of failures of the handler and of the connection; consuming goes on. */
  readonly onError?: (error: unknown) => void;
}

/**
 * What throws is called again at once, three times in all; then the event is set aside as a dead
 * letter, and the next one comes.
 */
export type ConsumerOptions = ConsumerSettings & Handling;

export interface ConsumerStats {
  /** Events that the handler took. */
  readonly delivered: number;
  /** Events left out because they had been handled before. */
  readonly duplicates: number;
  /** Events set aside as dead letters. */
  readonly failed: number;
}

const HEARTBEAT_MS = 10_000;
/** Handlers are told to stop so long after `close`, … */
const STOP_AFTER_MS = 9_000;
/** … and left alone so long after it. */
const CLOSE_WITHIN_MS = 10_000;

/** Receives the events of one subscription: in order per call, each at least once. */
export class EventConsumer {
  readonly #names: Names;
  readonly #subscription: string;
  readonly #isEphemeral: boolean;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #client: RedisClient;
  readonly #queues: PartitionQueues;
  readonly #ephemeral: EphemeralSubscriptions;
  readonly #delivery: Delivery;
  #workers: readonly PartitionWorker[] = [];
  #stopHeartbeat: Cancel = () => {};
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isOutageTold = false;

  /** @throws CodedError `invalid_subscription`, `invalid_handling` or `redis_unreachable`. */
  constructor(options: ConsumerOptions) {
    this.#clock = options.clock;
    this.#names = new Names(options.prefix ?? 'earshot');
    this.#subscription = checkSubscription(options.subscription ?? DEFAULT_SUBSCRIPTION);
    this.#isEphemeral = options.isEphemeral ?? false;
    if (this.#isEphemeral && this.#subscription === DEFAULT_SUBSCRIPTION) throw notEphemeral();
    this.#onError = options.onError ?? (() => {});
    const taker = batchTaker(options);
    // Commands wait while Redis is away: a batch that has begun ends when it is back.
    this.#client = createClient(options.redisUrl, { maxRetriesPerRequest: null });
    this.#queues = new PartitionQueues(this.#client, this.#names);
    this.#ephemeral = new EphemeralSubscriptions(this.#client, this.#names);
    this.#delivery = new Delivery({
      client: this.#client,
      names: this.#names,
      clock: this.#clock,
      subscription: this.#subscription,
      taker,
      deadLetters: new DeadLetters(this.#client, this.#names.deadLetters(this.#subscription)),
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

  /**
   * Ends what the handler is at, gives the rest of its batches to others, and closes; idempotent.
   * A handler that takes longer is told to stop after 9 s and left alone after 10.
   */
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
      this.#tryTo(() => this.#register());
    });
    this.#stopHeartbeat = every(this.#clock, HEARTBEAT_MS, () =>
      this.#tryTo(() => this.#heartbeat()),
    );
    this.#workers = Array.from({ length: PARTITIONS }, (_, partition) =>
      this.#createWorker(partition),
    );
    await Promise.all(this.#workers.map((worker) => worker.ready()));
  }

  async #register(): Promise<void> {
    // In this order: a subscription that should end is never without an end.
    if (this.#isEphemeral) await this.#ephemeral.keep(this.#subscription);
    else await this.#ephemeral.release(this.#subscription);
    await this.#queues.register(this.#subscription);
    await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        // One batch at a time over all consumers: what keeps the order.
        this.#queues.of(this.#subscription, partition).setGlobalConcurrency(1),
      ),
    );
  }

  async #heartbeat(): Promise<void> {
    if (this.#client.status !== 'ready') return;
    if (this.#isEphemeral) await this.#register();
    await this.#ephemeral.sweep((name) => this.#remove(name));
  }

  #remove(name: string): Promise<void> {
    return removeSubscription(name, {
      client: this.#client,
      names: this.#names,
      queues: this.#queues,
    });
  }

  #createWorker(partition: number): PartitionWorker {
    return new PartitionWorker({
      client: this.#client,
      queue: this.#names.queue(this.#subscription, partition),
      prefix: this.#names.partition(partition),
      partition,
      clock: this.#clock,
      delivery: this.#delivery,
      onError: (error) => this.#report(error),
    });
  }

  #tryTo(work: () => Promise<void>): void {
    if (this.#closing !== undefined) return;
    work().catch((error) => this.#report(error));
  }

  /** Each of the many connections fails when Redis goes away: one of them is told. */
  #report(error: unknown): void {
    if (error instanceof Error && 'syscall' in error) {
      if (this.#isOutageTold) return;
      this.#isOutageTold = true;
    }
    this.#onError(error);
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => {});
    this.#stopHeartbeat();
    this.#delivery.stop();
    // Without Redis nothing can be ended in good order; the batches come again later.
    const force = this.#client.status !== 'ready';
    const closed = Promise.allSettled(this.#workers.map((worker) => worker.close(force)));
    const cancel = this.#clock.at(this.#clock.nowMs() + STOP_AFTER_MS, () => {
      for (const worker of this.#workers) worker.interrupt();
    });
    await this.#orAfter(CLOSE_WITHIN_MS, closed);
    cancel();
    await this.#end();
    await this.#queues.close();
    await disconnect(this.#client);
  }

  async #end(): Promise<void> {
    if (!this.#isEphemeral || this.#workers.length === 0 || this.#client.status !== 'ready') return;
    await this.#remove(this.#subscription).catch((error) => this.#report(error));
    await this.#ephemeral.release(this.#subscription).catch((error) => this.#report(error));
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

function notEphemeral(): CodedError {
  return new CodedError(
    'invalid_subscription',
    'Cannot use an ephemeral subscription: it must have a name of its own, got default',
  );
}

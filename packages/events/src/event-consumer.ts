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
import { removeSubscription, sweepSubscriptions } from './remove-subscription.js';

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
  /** Dead letters that there may be; `refuse` beyond: the event waits. @defaultValue 10 000 */
  readonly maxDeadLetters?: number;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  readonly clock: Clock;
  /** Told of failures of the handler and of the connection; consuming goes on. */
  readonly onError?: (error: unknown) => void;
}

/**
 * What throws is called again after 200 ms and after another second; then the event is set aside as
 * a dead letter, and the next one comes. When the dead letters are full (10 000), nothing more is set
 * aside: the event is tried until it is handled, or there is room.
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

/** A copy of an event comes, if at all, soon after: by a retry, or by audio played again. */
const HANDLED_TTL_MS = 6 * 3_600_000;
/** For a view of what happens now. */
const EPHEMERAL_HANDLED_TTL_MS = 10 * 60_000;
/** Often enough for an ephemeral subscription to outlive two that failed. */
const HEARTBEAT_MS = 10_000;
/** Who was told to stop and does not is left alone after this. */
const STOP_WITHIN_MS = 1_000;

export interface ConsumerCloseOptions {
  /** How long a handler may go on with what it is at; then it is told to stop, ms. @defaultValue 9 000 */
  readonly deadlineMs?: number;
}

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
  #leave = () => {};
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isOutageTold = false;
  /** Who was away together with others does not judge them before they could tell that they live. */
  #mayJudge = true;

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
      handledTtlMs: this.#isEphemeral ? EPHEMERAL_HANDLED_TTL_MS : HANDLED_TTL_MS,
      taker,
      deadLetters: new DeadLetters(
        this.#client,
        this.#names,
        this.#subscription,
        options.maxDeadLetters,
      ),
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
   * Ends what the handler is at, gives the rest of its batches to others, and closes; idempotent,
   * though a shorter deadline makes it faster. A handler that was told to stop and does not is left
   * alone a second later.
   */
  close({ deadlineMs = 9_000 }: ConsumerCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close();
    const deadline = this.#clock.nowMs() + deadlineMs;
    const cancelStop = this.#clock.at(deadline, () => {
      for (const worker of this.#workers) worker.interrupt();
    });
    const cancelLeave = this.#clock.at(deadline + STOP_WITHIN_MS, () => this.#leave());
    return this.#closing.finally(() => {
      cancelStop();
      cancelLeave();
    });
  }

  async #start(): Promise<void> {
    await connect(this.#client);
    await this.#register();
    // A Redis without persistence forgets all this when it restarts.
    this.#client.on('ready', () => {
      this.#isOutageTold = false;
      this.#mayJudge = false;
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
    const mayJudge = this.#mayJudge;
    this.#mayJudge = true;
    // Also because a node of a cluster that failed over may have lost it, without any reconnection here.
    await this.#register();
    if (mayJudge) await sweepSubscriptions(this.#client, this.#names);
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
    const left = new Promise<void>((resolve) => {
      this.#leave = resolve;
    });
    await Promise.race([closed, left]);
    await this.#end();
    await this.#queues.close();
    await disconnect(this.#client);
  }

  async #end(): Promise<void> {
    if (!this.#isEphemeral || this.#workers.length === 0 || this.#client.status !== 'ready') return;
    const parts = { client: this.#client, names: this.#names, queues: this.#queues };
    try {
      await removeSubscription(this.#subscription, parts);
      await this.#ephemeral.release(this.#subscription);
    } catch (error) {
      this.#report(error);
    }
  }
}

function notEphemeral(): CodedError {
  return new CodedError(
    'invalid_subscription',
    'Cannot use an ephemeral subscription: it must have a name of its own, got default',
  );
}

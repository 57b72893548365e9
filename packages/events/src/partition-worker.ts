import type { Clock } from '@earshot/async';
import { CodedError, delay } from '@earshot/async';
import type { Job } from 'bullmq';
import { WaitingError, Worker } from 'bullmq';
import { BatchLock } from './batch-lock.js';
import type { Batch, Delivery } from './delivery.js';
import type { RedisClient } from './redis.js';

/**
 * A consumer that died frees its partition when its lock has run out and the next check sees it:
 * after 2.2 to 4 s. Shorter times would take a busy consumer for a dead one. The check is the
 * queue's: all consumers must agree.
 */
const LOCK_MS = 3_000;
const RENEW_EVERY_MS = 750;
const STALLED_CHECK_MS = 1_000;
/** A consumer that dies may take the sign that a batch waits with it: others look anyhow. */
const LOOK_EVERY_S = 2;
const RETRY_MS = 500;

export interface PartitionWorkerOptions {
  readonly client: RedisClient;
  readonly queue: string;
  /** BullMQ's. */
  readonly prefix: string;
  readonly partition: number;
  readonly clock: Clock;
  readonly delivery: Delivery;
  readonly onError: (error: unknown) => void;
}

/** Takes the batches of one partition, one after the other, as long as their locks hold. */
export class PartitionWorker {
  readonly #options: PartitionWorkerOptions;
  readonly #worker: Worker;
  #lock: BatchLock | undefined;

  constructor(options: PartitionWorkerOptions) {
    this.#options = options;
    this.#worker = new Worker(options.queue, (job, token) => this.#process(job, token ?? ''), {
      connection: options.client,
      prefix: options.prefix,
      concurrency: 1,
      lockDuration: LOCK_MS,
      // BatchLock does it, which knows when a lock is lost.
      skipLockRenewal: true,
      stalledInterval: STALLED_CHECK_MS,
      // Never failed by BullMQ, which would drop the events.
      maxStalledCount: 1_000_000,
      drainDelay: LOOK_EVERY_S,
      runRetryDelay: RETRY_MS,
      skipVersionCheck: true,
    });
    this.#worker.on('error', options.onError);
    this.#worker.on('failed', (_job, error) => options.onError(error));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Tells the handler to stop. */
  interrupt(): void {
    this.#lock?.lose();
  }

  /** Takes no more; resolves when the batch at hand is ended or given back, or at once if forced. */
  close(force: boolean): Promise<void> {
    return this.#worker.close(force);
  }

  async #process(job: Job<unknown>, token: string): Promise<void> {
    const { delivery, partition } = this.#options;
    const lock = this.#lockOf(job, token);
    this.#lock = lock;
    try {
      const isDone = await delivery.deliver(batchOf(job, partition), lock);
      if (isDone && lock.isHeld()) return;
      if (!lock.isHeld()) this.#options.onError(lockLost());
    } catch (error) {
      this.#options.onError(error);
      // What Redis refuses now it may take later.
      await delay(this.#options.clock, RETRY_MS);
    } finally {
      lock.release();
      this.#lock = undefined;
    }
    await giveBack(job, token);
  }

  #lockOf(job: Job<unknown>, token: string): BatchLock {
    const { clock } = this.#options;
    // When it was asked for, by this process's clock.
    const ageMs = clock.wallclockMs() - (job.processedOn ?? 0);
    return new BatchLock({
      clock,
      leftMs: LOCK_MS - Math.min(Math.max(ageMs, 0), LOCK_MS),
      durationMs: LOCK_MS,
      renewEveryMs: RENEW_EVERY_MS,
      renew: async () => (await job.extendLock(token, LOCK_MS)) === 1,
    });
  }
}

/** Before all that waits, for the next consumer, if it is still this one's. */
async function giveBack(job: Job<unknown>, token: string): Promise<never> {
  await job.moveToWait(token).catch(() => {});
  // Tells BullMQ that the job is neither completed nor failed.
  throw new WaitingError();
}

function batchOf(job: Job<unknown>, partition: number): Batch {
  const { data, stalledCounter: deaths } = job;
  if (typeof data !== 'object' || data === null || !('events' in data)) {
    return { partition, values: [data], isReplay: false, deaths };
  }
  const values = Array.isArray(data.events) ? data.events : [data.events];
  return { partition, values, isReplay: 'replay' in data && data.replay === true, deaths };
}

function lockLost(): CodedError {
  return new CodedError(
    'batch_lost',
    `Cannot end the batch: its lock must be renewed every ${LOCK_MS} ms, got no renewal in time; another consumer goes on with it`,
  );
}

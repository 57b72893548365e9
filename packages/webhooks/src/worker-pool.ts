import type { Job } from 'bullmq';
import { Worker } from 'bullmq';
import type { DeliveryJob, DeliveryQueues } from './delivery-queues.js';
import type { DeliveryRunner } from './delivery-runner.js';
import { delayAfter } from './delivery-runner.js';
import type { Names } from './names.js';
import { LANES, RESTING_COUNT } from './names.js';
import type { RedisClient } from './redis.js';
import type { Webhook } from './webhook.js';

export interface WorkerPoolOptions {
  readonly client: RedisClient;
  readonly names: Names;
  readonly queues: DeliveryQueues;
  readonly runner: DeliveryRunner;
  /** A process that is not heard of for so long has died, and its deliveries begin again, ms. */
  readonly lockMs: number;
  /** Clears away what late deliveries left of a webhook that was removed. */
  readonly forget: (webhookId: string) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** This process's share of the work: a worker per lane of every webhook that is on. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Map<string, readonly Worker<DeliveryJob>[]>();
  #syncing: Promise<void> = Promise.resolve();
  #isClosing = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Makes the workers those of the webhooks given. */
  sync(webhooks: ReadonlyMap<string, Webhook>): Promise<void> {
    this.#syncing = this.#syncing.then(() => this.#sync(webhooks)).catch(this.#options.onError);
    return this.#syncing;
  }

  /** Takes no more, and resolves when what was begun has ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#syncing;
    await Promise.allSettled([...this.#workers.values()].flat().map((worker) => worker.close()));
  }

  async #sync(webhooks: ReadonlyMap<string, Webhook>): Promise<void> {
    for (const [id, workers] of this.#workers) {
      const webhook = webhooks.get(id);
      if (webhook !== undefined && webhook.disabled === undefined) continue;
      this.#workers.delete(id);
      void this.#retire(id, workers, webhook === undefined);
    }
    for (const [id, webhook] of webhooks) {
      if (this.#isClosing || webhook.disabled !== undefined || this.#workers.has(id)) continue;
      await this.#options.queues.prepare(id);
      const lanes = Array.from({ length: LANES }, (_, lane) => this.#open(id, lane));
      this.#workers.set(id, lanes);
    }
  }

  /** Not waited for: its last deliveries may take their time. */
  async #retire(
    id: string,
    workers: readonly Worker<DeliveryJob>[],
    isRemoved: boolean,
  ): Promise<void> {
    await Promise.allSettled(workers.map((worker) => worker.close()));
    if (isRemoved) await this.#options.forget(id).catch(this.#options.onError);
  }

  #open(webhookId: string, lane: number): Worker<DeliveryJob> {
    const { client, names, runner, lockMs, onError } = this.#options;
    const process = (job: Job<DeliveryJob>, token = '') => runner.run(webhookId, job, token);
    const worker = new Worker<DeliveryJob>(names.queue(lane), process, {
      connection: client,
      prefix: names.queuePrefix(webhookId),
      concurrency: 1,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / 3),
      maxStalledCount: 1_000_000,
      runRetryDelay: 500,
      // Only so that BullMQ looks whether the webhook rests.
      limiter: { max: RESTING_COUNT, duration: 1_000 },
      settings: { backoffStrategy: (_attempts, _type, error) => delayAfter(error) },
      skipVersionCheck: true,
    });
    worker.on('error', onError);
    return worker;
  }
}

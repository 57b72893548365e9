import type { Job } from 'bullmq';
import { Queue } from 'bullmq';
import type { Names } from './names.js';
import { LANES, laneOf, RESTING_COUNT } from './names.js';

import type { RedisClient } from './redis.js';
/** What a job carries. */
export interface DeliveryJob {
  readonly deliveryId: string;
  readonly body: string;
}

/** Told of each delivery that gave way to newer ones. */
export type OnDropped = (webhookId: string, deliveryId: string) => Promise<void>;

export interface DeliveryQueuesOptions {
  readonly client: RedisClient;
  readonly names: Names;
  /** Deliveries of one webhook that may wait; `dropOldest` in each lane beyond its share. */
  readonly maxBacklog: number;
  /** Attempts in all. */
  readonly attempts: number;
  readonly onDropped: OnDropped;
}

/**
 * The BullMQ queues of each webhook: one per lane, one job at a time each. A lane keeps the order
 * of its calls; queues of their own keep one webhook's slowness from the others.
 */
export class DeliveryQueues {
  readonly #options: DeliveryQueuesOptions;
  readonly #queues = new Map<string, readonly Queue<DeliveryJob>[]>();

  constructor(options: DeliveryQueuesOptions) {
    this.#options = options;
  }

  /** Adds a delivery at the end of its lane; one that is there already under this id stays. */
  async add(webhookId: string, laneKey: string, jobId: string, job: DeliveryJob): Promise<void> {
    const queue = this.of(webhookId)[laneOf(laneKey)];
    if (queue === undefined) return;
    await queue.add('delivery', job, {
      jobId,
      attempts: this.#options.attempts,
      backoff: { type: 'custom' },
      removeOnComplete: true,
      removeOnFail: true,
      stackTraceLimit: 1,
    });
    await this.#makeRoom(webhookId, queue);
  }

  /** Deliveries that wait, for their turn or their next attempt. */
  async backlog(webhookId: string): Promise<number> {
    const counts = await Promise.all(
      this.of(webhookId).map((queue) => queue.getJobCountByTypes('wait', 'delayed')),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Nothing waits and nothing is being delivered. */
  async isIdle(webhookId: string): Promise<boolean> {
    const counts = await Promise.all(
      this.of(webhookId).map((queue) => queue.getJobCountByTypes('wait', 'delayed', 'active')),
    );
    return counts.every((count) => count === 0);
  }

  /** Lets nothing of a webhook begin for a while; `durationMs` above 0. */
  async rest(webhookId: string, durationMs: number): Promise<void> {
    await Promise.all(
      this.of(webhookId).map(async (queue) => {
        // A longer rest, which the endpoint may have asked for, stays.
        const leftMs = await queue.getRateLimitTtl(RESTING_COUNT);
        if (leftMs < durationMs) await queue.rateLimit(durationMs);
      }),
    );
  }

  /** Before its first worker. */
  async prepare(webhookId: string): Promise<void> {
    // One at a time over all processes: what keeps the order.
    await Promise.all(this.of(webhookId).map((queue) => queue.setGlobalConcurrency(1)));
  }

  /** Drops what waits, and the rest that the webhook may have. */
  async drop(webhookId: string): Promise<void> {
    await Promise.all(
      this.of(webhookId).map(async (queue) => {
        await queue.drain(true);
        await queue.removeRateLimitKey();
      }),
    );
  }

  /** Forgets a webhook's queues with all they hold. */
  async remove(webhookId: string): Promise<void> {
    const queues = this.of(webhookId);
    this.#queues.delete(webhookId);
    await Promise.all(queues.map((queue) => queue.obliterate({ force: true })));
    await Promise.all(queues.map((queue) => queue.close()));
  }

  of(webhookId: string): readonly Queue<DeliveryJob>[] {
    let queues = this.#queues.get(webhookId);
    if (queues === undefined) {
      queues = Array.from({ length: LANES }, (_, lane) => this.#open(webhookId, lane));
      this.#queues.set(webhookId, queues);
    }
    return queues;
  }

  /** Leaves the connection open. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].flat().map((queue) => queue.close()));
  }

  #open(webhookId: string, lane: number): Queue<DeliveryJob> {
    const { client, names } = this.#options;
    const queue = new Queue<DeliveryJob>(names.queue(lane), {
      connection: client,
      prefix: names.queuePrefix(webhookId),
      skipVersionCheck: true,
      streams: { events: { maxLen: 100 } },
    });
    queue.on('error', () => {});
    return queue;
  }

  async #makeRoom(webhookId: string, queue: Queue<DeliveryJob>): Promise<void> {
    const capacity = Math.max(1, Math.floor(this.#options.maxBacklog / LANES));
    let extra = (await queue.getJobCountByTypes('wait', 'delayed')) - capacity;
    for (; extra > 0; extra -= 1) {
      const oldest = await oldestOf(queue);
      if (oldest === undefined || !(await isRemoved(oldest))) return;
      await this.#options.onDropped(webhookId, oldest.data.deliveryId);
    }
  }
}

async function oldestOf(queue: Queue<DeliveryJob>): Promise<Job<DeliveryJob> | undefined> {
  const [waiting] = await queue.getJobs(['wait'], 0, 0, true);
  if (waiting !== undefined) return waiting;
  const [delayed] = await queue.getJobs(['delayed'], 0, 0, true);
  return delayed;
}

/** False when a worker took it in this moment. */
function isRemoved(job: Job<DeliveryJob>): Promise<boolean> {
  return job.remove().then(
    () => true,
    () => false,
  );
}

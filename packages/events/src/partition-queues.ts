import type { JobsOptions } from 'bullmq';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { EarshotEvent } from './event.js';
import type { Names } from './names.js';
import { JOB_NAME } from './names.js';

const JOB_OPTIONS: JobsOptions = {
  attempts: 1,
  // Transport, not storage.
  removeOnComplete: true,
  removeOnFail: { count: 1_000 },
};

/** The BullMQ queues of all subscriptions over one connection, made when first used. */
export class PartitionQueues {
  readonly #client: Redis;
  readonly #names: Names;
  readonly #queues = new Map<string, Queue>();

  constructor(client: Redis, names: Names) {
    this.#client = client;
    this.#names = names;
  }

  /** Adds one job; a second one with the same id while the first waits or runs is no job. */
  async add(
    subscription: string,
    partition: number,
    jobId: string,
    events: readonly EarshotEvent[],
  ): Promise<void> {
    const queue = this.of(subscription, partition);
    await queue.add(JOB_NAME, { events }, { ...JOB_OPTIONS, jobId });
  }

  of(subscription: string, partition: number): Queue {
    const name = this.#names.queue(subscription, partition);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, {
        connection: this.#client,
        prefix: this.#names.prefix,
        skipVersionCheck: true,
        // Nobody reads BullMQ's own stream of events; at its default length it costs megabytes.
        streams: { events: { maxLen: 100 } },
      });
      queue.on('error', () => {});
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** Leaves the connection open. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()));
  }
}

import type { JobsOptions } from 'bullmq';
import { Queue } from 'bullmq';
import type { Names } from './names.js';
import { DEFAULT_SUBSCRIPTION } from './names.js';
import { PARTITIONS } from './partition.js';
import type { RedisClient } from './redis.js';

/** Of every job. */
export const JOB_OPTIONS: JobsOptions = {
  attempts: 1,
  // Transport, not storage.
  removeOnComplete: true,
  removeOnFail: { count: 1_000 },
};

/** The subscriptions and their BullMQ queues over one connection; queues are made when first used. */
export class PartitionQueues {
  readonly #client: RedisClient;
  readonly #names: Names;
  readonly #queues = new Map<string, Queue>();

  constructor(client: RedisClient, names: Names) {
    this.#client = client;
    this.#names = names;
  }

  /** From then on it gets a copy of every event. */
  async register(subscription: string): Promise<void> {
    await this.#inEachPartition((key) => this.#client.sadd(key, subscription));
  }

  /** From then on it gets nothing more; `default` always does. */
  async unregister(subscription: string): Promise<void> {
    await this.#inEachPartition((key) => this.#client.srem(key, subscription));
  }

  /** All subscriptions by name, `default` among them. */
  async registered(): Promise<string[]> {
    const copies = await this.#inEachPartition((key) => this.#client.smembers(key));
    return [...new Set([DEFAULT_SUBSCRIPTION, ...copies.flat()])].sort();
  }

  of(subscription: string, partition: number): Queue {
    const name = this.#names.queue(subscription, partition);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, {
        connection: this.#client,
        prefix: this.#names.partition(partition),
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

  #inEachPartition<T>(run: (subscriptionsKey: string) => Promise<T>): Promise<T[]> {
    return Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        run(this.#names.subscriptions(partition)),
      ),
    );
  }
}

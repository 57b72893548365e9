import type { JobsOptions } from 'bullmq';
import { Queue } from 'bullmq';
import type { Names } from './names.js';
import { DEFAULT_REMOVED, DEFAULT_SUBSCRIPTION } from './names.js';
import { PARTITIONS } from './partition.js';
import type { RedisClient } from './redis.js';
import { execute } from './redis.js';

/** Of every job. */
export const JOB_OPTIONS: JobsOptions = {
  attempts: 1,
  // Transport, not storage: what somebody said must not stay in a job that another's worker failed.
  removeOnComplete: true,
  removeOnFail: true,
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
    const isDefault = subscription === DEFAULT_SUBSCRIPTION;
    await this.#inEachPartition((key) => {
      const transaction = this.#client.multi().sadd(key, subscription);
      return execute(isDefault ? transaction.srem(key, DEFAULT_REMOVED) : transaction);
    });
  }

  /** From then on it gets nothing more. */
  async unregister(subscription: string): Promise<void> {
    const isDefault = subscription === DEFAULT_SUBSCRIPTION;
    await this.#inEachPartition((key) => {
      const transaction = this.#client.multi().srem(key, subscription);
      return execute(isDefault ? transaction.sadd(key, DEFAULT_REMOVED) : transaction);
    });
  }

  /** All subscriptions by name, `default` among them unless it was removed. */
  async registered(): Promise<string[]> {
    const copies = await this.#inEachPartition((key) => this.#client.smembers(key));
    const names = new Set([DEFAULT_SUBSCRIPTION, ...copies.flat()]);
    names.delete(DEFAULT_REMOVED);
    // A removal that was cut short leaves partitions whose events still pile up.
    const isRemoved = copies.every((copy) => copy.includes(DEFAULT_REMOVED));
    if (isRemoved) names.delete(DEFAULT_SUBSCRIPTION);
    return [...names].sort();
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

import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { EarshotEvent } from './event.js';
import { parseEvent } from './event-schema.js';
import { checkSubscription, DEFAULT_SUBSCRIPTION, Names } from './names.js';
import { PARTITIONS, partitionOf } from './partition.js';
import { PartitionQueues } from './partition-queues.js';
import { connect, createClient, disconnect } from './redis.js';

export interface SubscriptionsOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
}

export interface SubscriptionState {
  readonly name: string;
  /** Jobs, of up to 50 events each, that wait or are being handled. */
  readonly jobs: number;
  readonly deadLetters: number;
}

/** An event that no attempt could handle. */
export interface DeadLetter {
  /** ISO 8601. */
  readonly failedAt: string;
  readonly error: string;
  /** As it came; not necessarily a valid event. */
  readonly event: unknown;
}

/**
 * The named copies of the events. Events of a subscription without consumers pile up in Redis
 * until it is removed.
 */
export class Subscriptions {
  readonly #client: Redis;
  readonly #names: Names;
  readonly #queues: PartitionQueues;

  constructor({ redisUrl, prefix = 'earshot' }: SubscriptionsOptions) {
    this.#client = createClient(redisUrl, { maxRetriesPerRequest: 1 });
    this.#names = new Names(prefix);
    this.#queues = new PartitionQueues(this.#client, this.#names);
  }

  /** @throws CodedError `redis_unreachable`. */
  ready(): Promise<void> {
    return connect(this.#client);
  }

  /** All subscriptions, by name; `default` is always among them. */
  async list(): Promise<SubscriptionState[]> {
    const registered = await this.#client.smembers(this.#names.subscriptions());
    const names = [...new Set([DEFAULT_SUBSCRIPTION, ...registered])].sort();
    return Promise.all(
      names.map(async (name) => {
        const [jobs, deadLetters] = await Promise.all([
          this.#jobsOf(name),
          this.#client.llen(this.#names.deadLetters(name)),
        ]);
        return { name, jobs, deadLetters };
      }),
    );
  }

  /** Ends a subscription and drops what waits for it. Its consumers must be closed before. */
  async remove(name: string): Promise<void> {
    checkSubscription(name);
    await this.#client.srem(this.#names.subscriptions(), name);
    await Promise.all(partitions((n) => this.#queues.of(name, n).obliterate({ force: true })));
    await this.#client.del(this.#names.deadLetters(name));
  }

  /** The newest dead letters of a subscription. */
  async deadLetters(name: string, limit = 100): Promise<DeadLetter[]> {
    const key = this.#names.deadLetters(checkSubscription(name));
    const letters = await this.#client.lrange(key, 0, limit - 1);
    return letters.map((letter) => JSON.parse(letter)).filter(isDeadLetter);
  }

  /**
   * Gives the dead letters of a subscription to its consumers again, oldest first, behind what
   * waits; those that are no valid events are dropped.
   *
   * @returns how many events were given.
   */
  async replay(name: string): Promise<number> {
    const key = this.#names.deadLetters(checkSubscription(name));
    let replayed = 0;
    for (let text = await this.#client.lindex(key, -1); text !== null; ) {
      const event = validEventOf(JSON.parse(text));
      if (event !== undefined) {
        await this.#addAgain(name, event);
        replayed += 1;
      }
      await this.#client.rpop(key);
      text = await this.#client.lindex(key, -1);
    }
    return replayed;
  }

  async close(): Promise<void> {
    await this.#queues.close();
    await disconnect(this.#client);
  }

  async #jobsOf(name: string): Promise<number> {
    const counts = await Promise.all(
      partitions((n) => this.#queues.of(name, n).getJobCountByTypes('wait', 'active')),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #addAgain(name: string, event: EarshotEvent): Promise<void> {
    await this.#client.srem(this.#names.handled(event.callId, name), event.id);
    const jobId = `replay-${randomBytes(9).toString('base64url')}`;
    await this.#queues.add(name, partitionOf(event.callId), jobId, [event]);
  }
}

function partitions<T>(of: (partition: number) => T): T[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => of(partition));
}

function validEventOf(letter: unknown): EarshotEvent | undefined {
  try {
    return isDeadLetter(letter) ? parseEvent(letter.event) : undefined;
  } catch {
    return undefined;
  }
}

function isDeadLetter(value: unknown): value is DeadLetter {
  return typeof value === 'object' && value !== null && 'failedAt' in value && 'event' in value;
}

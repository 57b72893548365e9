import type { EarshotEvent } from './event.js';
import type { Names } from './names.js';
import type { RedisClient } from './redis.js';

const TTL_MS = 6 * 3_600_000;

/**
 * How often events were begun whose consumers die again and again: tells which event of a batch
 * it is that kills them. Kept only for such batches.
 */
export class BegunCounts {
  readonly #client: RedisClient;
  readonly #names: Names;
  readonly #subscription: string;

  constructor(client: RedisClient, names: Names, subscription: string) {
    this.#client = client;
    this.#names = names;
    this.#subscription = subscription;
  }

  /** Counts that an event is about to be handled, before it is. */
  async begin({ callId, id }: EarshotEvent): Promise<number> {
    const key = this.#names.begun(callId, this.#subscription);
    const [times] = await Promise.all([
      this.#client.hincrby(key, id, 1),
      this.#client.pexpire(key, TTL_MS),
    ]);
    return times;
  }

  /** Forgets an event whose consumer lived through it. */
  async end({ callId, id }: EarshotEvent): Promise<void> {
    await this.#client.hdel(this.#names.begun(callId, this.#subscription), id);
  }
}

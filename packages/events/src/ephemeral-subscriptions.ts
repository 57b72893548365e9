import type { Names } from './names.js';
import type { RedisClient } from './redis.js';
import { LuaScript } from './redis.js';

/** How long a subscription outlives the last sign of life of its consumer. */
export const EPHEMERAL_TTL_MS = 30_000;

/** By the clock of Redis: those of the consumers may differ. */
const NOW = `local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)`;
const KEEP = new LuaScript(`${NOW}
return redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])`);
const EXPIRED = new LuaScript(`${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)`);
const IS_EXPIRED = new LuaScript(`${NOW}
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
return due and tonumber(due) <= now and 1 or 0`);
const FORGET = new LuaScript(`${NOW}
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if due and tonumber(due) <= now then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1`);

/** When the subscriptions of single consumers end, unless these tell that they live. */
export class EphemeralSubscriptions {
  readonly #client: RedisClient;
  readonly #key: string;

  constructor(client: RedisClient, names: Names) {
    this.#client = client;
    this.#key = names.ephemeralSubscriptions();
  }

  /** The subscription lives on for `EPHEMERAL_TTL_MS`. */
  async keep(name: string): Promise<void> {
    await KEEP.run(this.#client, [this.#key], [name, EPHEMERAL_TTL_MS]);
  }

  /** The subscription lasts until it is removed. */
  async release(name: string): Promise<void> {
    await this.#client.zrem(this.#key, name);
  }

  async names(): Promise<ReadonlySet<string>> {
    return new Set(await this.#client.zrange(this.#key, '0', '-1'));
  }

  /** Calls `remove` for each whose consumer is dead. */
  async sweep(remove: (name: string) => Promise<void>): Promise<void> {
    const names = await EXPIRED.run(this.#client, [this.#key], []);
    if (!Array.isArray(names)) return;
    for (const name of names.map(String)) {
      // Its consumer may have told in the meantime that it lives.
      if (!(await this.#isExpired(name))) continue;
      await remove(name);
      // Last: a sweep that is cut short is done again.
      await FORGET.run(this.#client, [this.#key], [name]);
    }
  }
  async #isExpired(name: string): Promise<boolean> {
    return (await IS_EXPIRED.run(this.#client, [this.#key], [name])) === 1;
  }
}

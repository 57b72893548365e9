import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

/** A request that carries a key of its caller's, so that it may be sent again. */
export interface RequestClaim {
  /** Of what was asked: another one under the same key is another request. */
  readonly digest: string;
  /** Unguessable, of this try alone; whatever the request makes may be named by it. */
  readonly token: string;
  /** Unix time, ms. */
  readonly atMs: number;
}

/** What is known of the first request with a key. */
export interface StoredRequest extends RequestClaim {
  /** How it was answered, as the service wrote it; undefined while it is not. */
  readonly answer: string | undefined;
}

const TTL_MS = 24 * 3_600_000;

/** Who comes first has the key; all get what is stored, so that a lost reply does no harm. */
const CLAIM = new LuaScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'token', ARGV[2], 'at', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return redis.call('HMGET', KEYS[1], 'digest', 'token', 'at', 'answer')`);

const ANSWER = new LuaScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'answer', ARGV[2])
return 1`);

const GIVE_UP = new LuaScript(`
local held = redis.call('HMGET', KEYS[1], 'token', 'answer')
if held[1] ~= ARGV[1] or held[2] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Requests by the keys of their callers, for 24 hours: each is carried out once. */
export class RequestStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The first request with this key: the one given, if its token comes back. */
  async claim(key: string, { digest, token, atMs }: RequestClaim): Promise<StoredRequest> {
    const args = [digest, token, atMs, TTL_MS];
    const held = await this.#redis.run((client) => CLAIM.run(client, [this.#key(key)], args));
    const [heldDigest, heldToken, at, answer] = Array.isArray(held) ? held : [];
    return {
      digest: String(heldDigest),
      token: String(heldToken),
      atMs: Number(at),
      answer: typeof answer === 'string' ? answer : undefined,
    };
  }

  /** Keeps the answer for whoever comes with the key again. Idempotent. */
  async answer(key: string, token: string, answer: string): Promise<void> {
    await this.#redis.run((client) => ANSWER.run(client, [this.#key(key)], [token, answer]));
  }

  /** Frees the key of a request that began nothing; one with an answer is kept. Idempotent. */
  async giveUp(key: string, token: string): Promise<void> {
    await this.#redis.run((client) => GIVE_UP.run(client, [this.#key(key)], [token]));
  }

  #key(key: string): string {
    return this.#keys.request(key);
  }
}

import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError, every } from '@earshot/async';
import { OPEN_TTL_MS } from './call-store.js';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

/** Far beyond what Graph sends about one call between two looks at it. */
const MAX_WAITING = 10_000;

const APPEND = new LuaScript(`
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

/** A lock that is one's own already was taken by the same command, whose answer was lost. */
const TAKE = new LuaScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0`);

/**
 * The whole cycle of the one who holds the lock: take off what is done, look at the next, and
 * give the lock back when there is none, so that nothing can be appended unseen in between. What
 * is done is named by its digest: a step that is sent again takes off nothing else.
 */
const ADVANCE = new LuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'lost'} end
local raw = redis.call('LINDEX', KEYS[2], 0)
if raw and redis.sha1hex(raw) == ARGV[2] then
  redis.call('LPOP', KEYS[2])
  raw = redis.call('LINDEX', KEYS[2], 0)
end
if raw then return {'next', raw} end
redis.call('DEL', KEYS[1])
return {'empty'}`);

const RENEW = new LuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

const RELEASE = new LuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Notifications of each call, in order of arrival, handled by one pod at a time. */
export class NotificationQueue {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #lockTtlMs: number;

  constructor(redis: RedisConnection, keys: Keys, clock: Clock, lockTtlMs: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#lockTtlMs = lockTtlMs;
  }

  /** @throws CodedError `too_many_notifications`. */
  async append(callId: string, raw: string): Promise<void> {
    const appended = await this.#redis.run((client) =>
      APPEND.run(client, [this.#keys.notifications(callId)], [raw, MAX_WAITING, OPEN_TTL_MS]),
    );
    if (appended === 1) return;
    throw new CodedError(
      'too_many_notifications',
      `Cannot take the notification: at most ${MAX_WAITING} may wait for a call, got one more`,
    );
  }

  /** See `Registry.takeNotifications`. */
  async take(callId: string, handle: (raw: string) => Promise<void>): Promise<void> {
    const lock = this.#keys.notificationLock(callId);
    const token = randomUUID();
    const locked = await this.#redis.run((client) =>
      TAKE.run(client, [lock], [token, this.#lockTtlMs]),
    );
    if (locked !== 1) return;
    const stopRenewing = every(this.#clock, this.#lockTtlMs / 3, () => {
      // A renewal that fails leaves the lock to expire, which the next step finds out.
      this.#redis
        .run((client) => RENEW.run(client, [lock], [token, this.#lockTtlMs]))
        .catch(() => {});
    });
    try {
      await this.#handleAll(callId, token, handle);
    } catch (error) {
      await this.#redis.run((client) => RELEASE.run(client, [lock], [token])).catch(() => {});
      throw error;
    } finally {
      stopRenewing();
    }
  }

  async #handleAll(
    callId: string,
    token: string,
    handle: (raw: string) => Promise<void>,
  ): Promise<void> {
    let raw = await this.#advance(callId, token, undefined);
    while (raw !== undefined) {
      await handle(raw);
      raw = await this.#advance(callId, token, raw);
    }
  }

  async #advance(
    callId: string,
    token: string,
    done: string | undefined,
  ): Promise<string | undefined> {
    const digest = done === undefined ? '' : createHash('sha1').update(done).digest('hex');
    const keys = [this.#keys.notificationLock(callId), this.#keys.notifications(callId)];
    const reply = await this.#redis.run((client) => ADVANCE.run(client, keys, [token, digest]));
    if (!Array.isArray(reply) || reply[0] !== 'next') return undefined;
    return String(reply[1]);
  }
}

import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError, every } from '@earshot/async';
import { ENDED_TTL_MS, notFound, OPEN_TTL_MS } from './call-store.js';
import type { Keys } from './keys.js';
import type { CallbackBody, NotificationAside } from './notification.js';
import { parseAside, parseStored, toStored } from './notification.js';
import type { RedisConnection } from './redis-connection.js';
import { execute, LuaScript } from './redis-connection.js';

/** Far beyond what Graph sends about one call between two looks at it. */
const MAX_WAITING = 10_000;
/** So many notifications of a call are recognised when they come again, */
const SEEN_REMEMBERED = 256;
/** for so long after the last one. */
const SEEN_TTL_MS = 60 * 60_000;
const MAX_ASIDE = 16;
const MAX_ASIDE_CHARACTERS = 64 * 1024;

/**
 * A duplicate is stored no second time. It writes all the same, so that whoever waits for replicas
 * waits for what it repeats.
 */
const APPEND = new LuaScript(`
local held = redis.call('HMGET', KEYS[3], 'version', 'over')
if not held[1] then return {'no_call'} end
local newest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
local isKnown = newest[1] == ARGV[4]
if ARGV[5] == 'identified' then isKnown = redis.call('ZSCORE', KEYS[2], ARGV[4]) end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
if isKnown then return {'duplicate', held[2]} end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then return {'full'} end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], tonumber(newest[2] or 0) + 1, ARGV[4])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[6]))
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return {'stored', held[2]}`);

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

  /** See `Registry.appendNotification`. */
  async append(callId: string, body: CallbackBody): Promise<'stored' | 'duplicate'> {
    const names = this.#keys;
    const keys = [names.notifications(callId), names.seen(callId), names.call(callId)];
    const args = [
      toStored(body),
      MAX_WAITING,
      OPEN_TTL_MS,
      digestOf(body),
      body.messageId === undefined ? 'anonymous' : 'identified',
      SEEN_REMEMBERED,
      SEEN_TTL_MS,
    ];
    const reply = await this.#redis.runReplicated(APPEND, keys, args);
    const [outcome, isOver] = Array.isArray(reply) ? reply : [];
    if (outcome === 'no_call') throw notFound();
    if (outcome === 'full') throw tooMany();
    if (isOver === '1') await this.#reopen(callId);
    return outcome === 'duplicate' ? 'duplicate' : 'stored';
  }

  /** See `Registry.takeNotifications`. */
  async take(callId: string, handle: (body: CallbackBody) => Promise<void>): Promise<void> {
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

  /** See `Registry.setNotificationAside`. */
  async setAside(callId: string, { raw, code }: NotificationAside): Promise<void> {
    const key = this.#keys.aside(callId);
    const text = JSON.stringify({ raw: raw.slice(0, MAX_ASIDE_CHARACTERS), code });
    await this.#redis.run((client) =>
      execute(
        client
          .multi()
          .lpush(key, text)
          .ltrim(key, 0, MAX_ASIDE - 1)
          .pexpire(key, ENDED_TTL_MS),
      ),
    );
  }

  /** See `Registry.notificationsAside`. */
  async aside(callId: string): Promise<NotificationAside[]> {
    const texts = await this.#redis.run((client) =>
      client.lrange(this.#keys.aside(callId), 0, MAX_ASIDE - 1),
    );
    return texts.flatMap((text) => parseAside(text) ?? []);
  }

  /** A call that is over is looked at by no sweep, unless it counts among the open ones. */
  async #reopen(callId: string): Promise<void> {
    await this.#redis.run((client) => client.sadd(this.#keys.openCalls(), callId));
  }

  async #handleAll(
    callId: string,
    token: string,
    handle: (body: CallbackBody) => Promise<void>,
  ): Promise<void> {
    let stored = await this.#advance(callId, token, undefined);
    while (stored !== undefined) {
      await handle(parseStored(stored));
      stored = await this.#advance(callId, token, stored);
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

/** An id that came with other bytes was given twice, and tells nothing. */
function digestOf({ raw, messageId }: CallbackBody): string {
  const hash = createHash('sha256');
  if (messageId !== undefined) hash.update(`${messageId}\n`);
  return hash.update(raw).digest('base64');
}

function tooMany(): CodedError {
  return new CodedError(
    'too_many_notifications',
    `Cannot take the notification: at most ${MAX_WAITING} may wait for a call, got one more`,
  );
}

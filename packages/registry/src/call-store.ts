import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { CallRecord } from './call-record.js';
import { isCallOver, parseCallRecord } from './call-record.js';
import type { Keys } from './keys.js';
import { KnownRecords } from './known-records.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

export interface ListOptions {
  /** Most calls returned. */
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
  /** Only calls created at or after this time, Unix ms. */
  readonly sinceMs?: number;
  /**
   * Only these. A page looks at 1000 calls at most, so it may hold fewer than there are, even none,
   * and yet not be the last.
   */
  matches?(record: CallRecord): boolean;
}

export interface CallPage {
  /** Newest first; ended ones are there until they expire. */
  readonly calls: readonly CallRecord[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

const HOUR_MS = 3_600_000;
/** A call that nobody touched for so long is forgotten, whatever its state. */
export const OPEN_TTL_MS: number = 7 * 24 * HOUR_MS;
/** Records hold names and join URLs: after the end they are kept for a day, no longer. */
export const ENDED_TTL_MS: number = 24 * HOUR_MS;
const MAX_UPDATE_ATTEMPTS = 100;
/** Calls that one page of a list looks at. */
const MAX_LOOKED_AT = 1000;

/** Changes that put a young call into the indexes once more, in case a crash kept it out. */
const INDEXED_VERSIONS = 8;

/** A nonce tells one's own write, sent again after a lost connection, from somebody else's. */
const CREATE = new LuaScript(`
local held = redis.call('HMGET', KEYS[1], 'version', 'nonce')
if held[1] then return held[2] == ARGV[3] and 1 or 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'nonce', ARGV[3], 'record', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`);

/** The nonce does the same here. */
const REPLACE = new LuaScript(`
local held = redis.call('HMGET', KEYS[1], 'version', 'nonce')
if not held[1] then return -1 end
if held[2] == ARGV[3] then return 1 end
if held[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'nonce', ARGV[3], 'record', ARGV[4], 'over', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1`);

/** The record, unless its nonce is the one that is known. */
const READ = new LuaScript(`
local nonce = redis.call('HGET', KEYS[1], 'nonce')
if not nonce then return {} end
if nonce == ARGV[1] then return {nonce} end
return {nonce, redis.call('HGET', KEYS[1], 'record')}`);

/** Records of calls, changed by compare-and-set. */
export class CallStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #known = new KnownRecords();

  constructor(redis: RedisConnection, keys: Keys, clock: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** @throws CodedError `call_exists`. */
  async create(record: CallRecord): Promise<void> {
    const { callId, version } = record;
    const keys = [this.#keys.call(callId)];
    const args = [version, JSON.stringify(record), randomUUID(), OPEN_TTL_MS];
    const created = await this.#redis.run((client) => CREATE.run(client, keys, args));
    if (created !== 1) {
      throw new CodedError(
        'call_exists',
        'Cannot create call: its id must be new, got one that exists',
      );
    }
    await this.#index(record);
  }

  async read(callId: string): Promise<CallRecord | undefined> {
    const known = this.#known.get(callId);
    const reply = await this.#redis.run((client) =>
      READ.run(client, [this.#keys.call(callId)], [known?.nonce ?? '']),
    );
    const [nonce, text]: unknown[] = Array.isArray(reply) ? reply : [];
    if (typeof nonce !== 'string') {
      this.#known.forget(callId);
      return undefined;
    }
    if (typeof text !== 'string') return known?.record;
    const record = parseCallRecord(text);
    this.#known.set(callId, { nonce, record }, text.length);
    return record;
  }

  /** See `Registry.updateCall`. */
  async update(callId: string, change: (record: CallRecord) => CallRecord): Promise<CallRecord> {
    for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt += 1) {
      const current = await this.read(callId);
      if (current === undefined) throw notFound();
      const changed = change(current);
      if (changed === current) return current;
      const next: CallRecord = { ...changed, callId, version: current.version + 1 };
      if (await this.#replace(current, next)) {
        await this.#index(next, current);
        return next;
      }
    }
    throw new CodedError(
      'call_contended',
      `Cannot change call: others must leave a gap, got ${MAX_UPDATE_ATTEMPTS} changes at once`,
    );
  }

  async list({ limit, cursor, sinceMs = 0, matches = () => true }: ListOptions): Promise<CallPage> {
    const calls: CallRecord[] = [];
    let at = cursor;
    for (let looked = 0; looked < MAX_LOOKED_AT; looked += limit) {
      const part = await this.#part(limit, at);
      for (const record of part.calls) {
        if (record.createdAtMs < sinceMs) return { calls };
        at = cursorOf(record);
        if (matches(record)) calls.push(record);
        if (calls.length === limit) return this.#pageUntil(calls, at);
      }
      if (part.isLast) return { calls };
    }
    return { calls, ...(at === undefined ? {} : { cursor: at }) };
  }

  /** The last page has no cursor, also when it is full. */
  async #pageUntil(calls: readonly CallRecord[], cursor: string): Promise<CallPage> {
    const start = await this.#rankAfter(cursor);
    const length = await this.#redis.run((client) => client.zcard(this.#keys.calls()));
    return start < length ? { calls, cursor } : { calls };
  }

  /** Up to `limit` calls that follow; those that have expired are forgotten. */
  async #part(
    limit: number,
    cursor: string | undefined,
  ): Promise<{ calls: readonly CallRecord[]; isLast: boolean }> {
    const start = cursor === undefined ? 0 : await this.#rankAfter(cursor);
    const ids = await this.#redis.run((client) =>
      client.zrevrange(this.#keys.calls(), start, start + limit - 1),
    );
    const read = await Promise.all(ids.map((id) => this.read(id)));
    const expired = ids.filter((_, index) => read[index] === undefined);
    if (expired.length > 0) {
      await this.#redis.run((client) => client.zrem(this.#keys.calls(), ...expired));
    }
    return { calls: read.filter((record) => record !== undefined), isLast: ids.length < limit };
  }

  /** Ids of calls for which something remains to be done, notifications among it. */
  async open(): Promise<string[]> {
    const ids = await this.#redis.run((client) => client.smembers(this.#keys.openCalls()));
    const isOver = await Promise.all(ids.map((id) => this.#isOver(id)));
    const over = ids.filter((_, index) => isOver[index]);
    const waiting = over.length === 0 ? [] : await this.#leaveOpen(over);
    return [...ids.filter((_, index) => !isOver[index]), ...waiting];
  }

  async ofAttempt(attemptKey: string): Promise<string | undefined> {
    const found = await this.#redis.run((client) => client.get(this.#keys.attempt(attemptKey)));
    return found ?? undefined;
  }

  async idempotent(key: string, callId: string): Promise<string> {
    return this.#redis.run(async (client) => {
      const name = this.#keys.idempotency(key);
      const won = await client.set(name, callId, 'PX', ENDED_TTL_MS, 'NX');
      return won === 'OK' ? callId : ((await client.get(name)) ?? callId);
    });
  }

  async #replace(current: CallRecord, next: CallRecord): Promise<boolean> {
    const ttlMs = next.endedAtMs === undefined ? OPEN_TTL_MS : ENDED_TTL_MS;
    const over = isCallOver(next) ? '1' : '0';
    const nonce = randomUUID();
    const text = JSON.stringify(next);
    const args = [current.version, next.version, nonce, text, ttlMs, over];
    const outcome = await this.#redis.run((client) =>
      REPLACE.run(client, [this.#keys.call(next.callId)], args),
    );
    if (outcome === -1) throw notFound();
    if (outcome === 1) this.#known.set(next.callId, { nonce, record: next }, text.length);
    return outcome === 1;
  }

  /**
   * Keys of other slots follow the record, where something changed for them; a crash between them
   * is healed by the next change of a young call.
   */
  async #index(next: CallRecord, before?: CallRecord): Promise<void> {
    const { callId, attemptKey } = next;
    const isSame =
      before !== undefined &&
      before.attemptKey === attemptKey &&
      isCallOver(before) === isCallOver(next);
    if (isSame && !isCallOver(next) && next.version > INDEXED_VERSIONS) return;
    await this.#redis.run((client) => {
      const commands: Promise<unknown>[] = [
        client.zadd(this.#keys.calls(), 'NX', next.createdAtMs, callId),
      ];
      if (before === undefined) {
        const oldestMs = this.#clock.wallclockMs() - OPEN_TTL_MS;
        commands.push(client.zremrangebyscore(this.#keys.calls(), '-inf', oldestMs));
      }
      if (before?.attemptKey !== attemptKey) {
        commands.push(client.set(this.#keys.attempt(attemptKey), callId, 'PX', OPEN_TTL_MS));
      }
      if (!isCallOver(next)) commands.push(client.sadd(this.#keys.openCalls(), callId));
      else {
        // They hold names too.
        commands.push(client.pexpire(this.#keys.sources(callId), ENDED_TTL_MS));
        commands.push(client.pexpire(this.#keys.listening(callId), ENDED_TTL_MS));
        commands.push(client.del(this.#keys.spoke(callId)));
        commands.push(client.del(this.#keys.playAudio(callId)));
        commands.push(client.del(this.#keys.positions(callId)));
      }
      return Promise.all(commands);
    });
    if (isCallOver(next)) await this.#leaveOpen([callId]);
  }

  /** Over, or forgotten. Looked at by version and mark alone: a record can be large. */
  async #isOver(callId: string): Promise<boolean> {
    const [version, over] = await this.#redis.run((client) =>
      client.hmget(this.#keys.call(callId), 'version', 'over'),
    );
    return version === null || over === '1';
  }

  /**
   * Takes calls that are over out of the open ones, and puts those back for which notifications
   * wait: one that comes in between finds the call over and puts it back itself.
   *
   * @returns the calls put back.
   */
  async #leaveOpen(callIds: readonly string[]): Promise<string[]> {
    await this.#redis.run((client) => client.srem(this.#keys.openCalls(), ...callIds));
    const waits = await this.#redis.run((client) =>
      Promise.all(callIds.map((id) => client.exists(this.#keys.notifications(id)))),
    );
    const waiting = callIds.filter((_, index) => waits[index] === 1);
    if (waiting.length > 0) {
      await this.#redis.run((client) => client.sadd(this.#keys.openCalls(), ...waiting));
    }
    return waiting;
  }

  async #rankAfter(cursor: string): Promise<number> {
    const separator = cursor.indexOf('_');
    const createdAtMs = Number(cursor.slice(0, separator));
    if (separator < 1 || !Number.isFinite(createdAtMs)) {
      throw new CodedError('invalid_cursor', 'Cannot list calls: the cursor must come from a list');
    }
    const callId = cursor.slice(separator + 1);
    return this.#redis.run(async (client) => {
      const rank = await client.zrevrank(this.#keys.calls(), callId);
      if (rank !== null) return rank + 1;
      return client.zcount(this.#keys.calls(), `(${createdAtMs}`, '+inf');
    });
  }
}

function cursorOf({ createdAtMs, callId }: CallRecord): string {
  return `${createdAtMs}_${callId}`;
}

export function notFound(): CodedError {
  return new CodedError('call_not_found', 'Cannot change call: it must exist, got an unknown id');
}

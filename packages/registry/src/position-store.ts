import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';
import type { Lease } from './worker-pool.js';

/** How far one stream of a call is, and what another worker needs to go on there. */
export interface StreamPosition {
  readonly streamId: number;
  readonly kind: 'mixed' | 'unmixed';
  /** The speaker's source; null for a mix. */
  readonly sourceId: string | null;
  readonly codec: 'opus' | 'pcm16';
  /** Next sequence needed, u32: all events of what is before it are published. */
  readonly durable: number;
  /** Heard to its end, which is `durable`. */
  readonly closed: boolean;
  /** Whatever the worker needs beside, as JSON; stored as it is. */
  readonly checkpoint?: unknown;
  /** Whatever it needs of what was being said there, as JSON; stored as it is. */
  readonly utterances?: unknown;
}

/** Most streams kept of one call. */
const MAX_STREAMS = 1024;

/** Positions that nobody moved for so long are worth nothing: hosts keep audio for seconds. */
const TTL_MS = 24 * 3_600_000;

/** Only who claimed the call last may do it, however long ago; see CLAIM in worker-pool.ts. */
const FENCED = `
local claimed = redis.call('HMGET', KEYS[1], 'claimedEpoch', 'claimedBy')
if claimed[1] ~= ARGV[1] or claimed[2] ~= ARGV[2] then return 0 end`;

/**
 * Values are \`position order closed json\`. Positions are compared modulo 2^32: one that would go
 * back is let be, as when a write is sent again after a lost connection. Beyond the bound, those
 * closed go, and of these the ones written first.
 */
const STORE = new LuaScript(`${FENCED}
if redis.call('HGET', KEYS[2], 'mediaId') ~= ARGV[5] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'mediaId', ARGV[5], 'order', '0')
end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[2], 'memory', ARGV[6]) end
local count = (#ARGV - 6) / 4
local order = redis.call('HINCRBY', KEYS[2], 'order', count) - count
for i = 7, #ARGV, 4 do
  order = order + 1
  local held = redis.call('HGET', KEYS[2], ARGV[i])
  local ahead = 0
  if held then ahead = (ARGV[i + 1] - string.match(held, '^%d+')) % 4294967296 end
  if ahead < 2147483648 then
    local head = ARGV[i + 1] .. ' ' .. string.format('%d', order) .. ' ' .. ARGV[i + 2]
    redis.call('HSET', KEYS[2], ARGV[i], head .. ' ' .. ARGV[i + 3])
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
local excess = redis.call('HLEN', KEYS[2]) - 2 - redis.call('HEXISTS', KEYS[2], 'memory') - ARGV[4]
if excess <= 0 then return 1 end
local closed = {}
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local written = string.match(all[i + 1], '^%d+ (%d+) 1 ')
  if written then closed[#closed + 1] = {all[i], tonumber(written)} end
end
table.sort(closed, function(a, b) return a[2] < b[2] end)
for i = 1, math.min(excess, #closed) do redis.call('HDEL', KEYS[2], closed[i][1]) end
return 1`);

const FORGET = new LuaScript(`${FENCED}
redis.call('DEL', KEYS[2])
return 1`);

/** Positions of the streams of calls, so that another worker continues where one stopped. */
export class PositionStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** See `Registry.storePositions`. */
  async store(
    lease: Lease,
    mediaId: string,
    positions: readonly StreamPosition[],
    memory?: unknown,
  ): Promise<'ok' | 'stale'> {
    const text = memory === undefined ? '' : JSON.stringify(memory);
    const args = [lease.epoch, lease.workerId, TTL_MS, MAX_STREAMS, mediaId, text];
    const entries = positions.flatMap(({ streamId, durable, closed, ...rest }) => [
      streamId,
      durable,
      closed ? 1 : 0,
      JSON.stringify(rest),
    ]);
    return this.#fenced(STORE, lease, [...args, ...entries]);
  }

  /** See `Registry.forgetPositions`. */
  async forget(lease: Lease): Promise<'ok' | 'stale'> {
    return this.#fenced(FORGET, lease, [lease.epoch, lease.workerId]);
  }

  /** See `Registry.positions`. */
  async read(callId: string, mediaId: string): Promise<StreamPosition[]> {
    const held = await this.#redis.run((client) => client.hgetall(this.#keys.positions(callId)));
    const { mediaId: storedFor, ...fields } = held;
    if (storedFor !== mediaId) return [];
    return Object.entries(fields)
      .map(([field, value]) => parseEntry(field, value))
      .filter((entry) => entry !== undefined)
      .sort((a, b) => a.order - b.order)
      .map(({ position }) => position);
  }

  /** See `Registry.callMemory`. */
  async readMemory(callId: string, mediaId: string): Promise<unknown> {
    const [storedFor, text] = await this.#redis.run((client) =>
      client.hmget(this.#keys.positions(callId), 'mediaId', 'memory'),
    );
    if (storedFor !== mediaId || text === null || text === undefined) return undefined;
    return parseJson(text);
  }

  async #fenced(
    script: LuaScript,
    { callId }: Lease,
    args: readonly (string | number)[],
  ): Promise<'ok' | 'stale'> {
    const keys = [this.#keys.placement(callId), this.#keys.positions(callId)];
    const done = await this.#redis.runReplicated(script, keys, args);
    return done === 1 ? 'ok' : 'stale';
  }
}

interface Entry {
  readonly order: number;
  readonly position: StreamPosition;
}

/** Undefined for the fields beside streams, and for what no worker stored. */
function parseEntry(field: string, value: string): Entry | undefined {
  const [, durable, order, closed, text] = /^(\d+) (\d+) ([01]) (.*)$/s.exec(value) ?? [];
  if (text === undefined) return undefined;
  const rest = parseJson(text);
  if (!isStream(rest)) return undefined;
  const { kind, sourceId, codec, checkpoint, utterances } = rest;
  const position = {
    streamId: Number(field),
    kind,
    sourceId,
    codec,
    durable: Number(durable),
    closed: closed === '1',
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(utterances === undefined ? {} : { utterances }),
  };
  return { order: Number(order), position };
}

/** Undefined for what is none: the call, or its stream, then begins anew rather than never. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStream(
  value: unknown,
): value is Pick<StreamPosition, 'kind' | 'sourceId' | 'codec' | 'checkpoint' | 'utterances'> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'mixed' || value.kind === 'unmixed') &&
    'sourceId' in value &&
    (value.sourceId === null || typeof value.sourceId === 'string') &&
    'codec' in value &&
    (value.codec === 'opus' || value.codec === 'pcm16')
  );
}

import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { execute, LuaScript } from './redis-connection.js';

/** A media worker, as it says itself. */
export interface WorkerInfo {
  readonly workerId: string;
  /** WebSocket URL that hosts dial. */
  readonly url: string;
  /** 0 idle … 1 full: at 1 no call is placed there. */
  readonly load: number;
  readonly streams: number;
  /** True when it takes no more calls. */
  readonly draining: boolean;
}

export interface PlaceOptions {
  /** Not these, such as those that failed this call. */
  readonly excludeWorkers?: readonly string[];
  /** The newest epoch that the caller knows of: the placement's is higher, though Redis lost it. */
  readonly aboveEpoch?: number;
}

/** Where a call's media go. */
export interface Placement {
  readonly workerId: string;
  readonly url: string;
  /** Grows with each placement of the call: the higher one wins. */
  readonly epoch: number;
}

export interface Lease {
  readonly callId: string;
  readonly workerId: string;
  readonly epoch: number;
}

/** At it a worker takes no call. */
const FULL_LOAD = 1;
/** What one placement adds to a worker's load until its next heartbeat tells the truth. */
const LOAD_PER_PLACEMENT = 0.02;
/** A placed call that no worker claims within this time is free again. */
const UNCLAIMED_TTL_MS = 30_000;
/** Epochs outlive every call, so that a late worker is still recognised. */
const EPOCH_TTL_MS = 7 * 24 * 3_600_000;

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** Redis' clock decides who is alive, not that of any pod. */
const DROP_EXPIRED = `${NOW}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('HDEL', KEYS[3], id)
end`;

const HEARTBEAT = new LuaScript(`${NOW}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1`);

const LIST = new LuaScript(`${DROP_EXPIRED}
return redis.call('HVALS', KEYS[1])`);

/**
 * The least loaded takes the call, so that one that is nearly full does only when all are. What was
 * placed since a heartbeat is a guess: it orders workers, and fills none.
 */
const PLACE = new LuaScript(`${DROP_EXPIRED}
local excluded = {}
for i = 6, #ARGV do excluded[ARGV[i]] = true end
local best, bestUrl, bestLoad
local infos = redis.call('HGETALL', KEYS[1])
for i = 1, #infos, 2 do
  local id, info = infos[i], cjson.decode(infos[i + 1])
  if not info.draining and not excluded[id] and info.load < tonumber(ARGV[4]) then
    local placed = tonumber(redis.call('HGET', KEYS[3], id) or '0')
    local load = info.load + placed * tonumber(ARGV[1])
    if best == nil or load < bestLoad or (load == bestLoad and id < best) then
      best, bestUrl, bestLoad = id, info.url, load
    end
  end
end
if best == nil then return false end
redis.call('HINCRBY', KEYS[3], best, 1)
local known = tonumber(redis.call('HGET', KEYS[4], 'epoch') or '0')
local epoch = math.max(known, tonumber(ARGV[5])) + 1
redis.call('HSET', KEYS[4], 'epoch', epoch)
redis.call('HSET', KEYS[4], 'workerId', best)
redis.call('PEXPIRE', KEYS[4], ARGV[3])
redis.call('SET', KEYS[5], epoch .. ' ' .. best, 'PX', ARGV[2])
return {best, bestUrl, epoch}`);

const CLAIM = new LuaScript(`
local newest = redis.call('HMGET', KEYS[1], 'epoch', 'workerId')
if newest[1] ~= ARGV[1] or newest[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'claimedEpoch', ARGV[1], 'claimedBy', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1`);

const RENEW = new LuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

const RELEASE = new LuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Media workers, and which of them has which call. */
export class WorkerPool {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #poolKeys: readonly string[];

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#poolKeys = [keys.workers(), keys.workerExpiry(), keys.workerPlaced()];
  }

  async heartbeat(worker: WorkerInfo, ttlMs: number): Promise<void> {
    const { workerId, url, load, streams, draining } = worker;
    const text = JSON.stringify({ workerId, url, load, streams, draining });
    await this.#redis.run((client) =>
      HEARTBEAT.run(client, this.#poolKeys, [workerId, text, ttlMs]),
    );
  }

  async remove(workerId: string): Promise<void> {
    const [info = '', expiry = '', placed = ''] = this.#poolKeys;
    await this.#redis.run((client) =>
      execute(client.multi().hdel(info, workerId).zrem(expiry, workerId).hdel(placed, workerId)),
    );
  }

  async list(): Promise<WorkerInfo[]> {
    const reply = await this.#redis.run((client) => LIST.run(client, this.#poolKeys, []));
    if (!Array.isArray(reply)) return [];
    const workers = reply.map((text): unknown => JSON.parse(String(text))).filter(isWorkerInfo);
    return workers.sort((a, b) => (a.workerId < b.workerId ? -1 : 1));
  }

  async place(
    callId: string,
    { excludeWorkers = [], aboveEpoch = 0 }: PlaceOptions,
  ): Promise<Placement | undefined> {
    const keys = [...this.#poolKeys, this.#keys.placement(callId), this.#keys.lease(callId)];
    const bounds = [LOAD_PER_PLACEMENT, UNCLAIMED_TTL_MS, EPOCH_TTL_MS, FULL_LOAD];
    const args = [...bounds, aboveEpoch, ...excludeWorkers];
    const reply = await this.#redis.runReplicated(PLACE, keys, args);
    if (!Array.isArray(reply)) return undefined;
    const [workerId, url, epoch] = reply;
    return { workerId: String(workerId), url: String(url), epoch: Number(epoch) };
  }

  async claim({ callId, workerId, epoch }: Lease, ttlMs: number): Promise<'ok' | 'stale'> {
    const keys = [this.#keys.placement(callId), this.#keys.lease(callId)];
    const claimed = await this.#redis.runReplicated(CLAIM, keys, [epoch, workerId, ttlMs]);
    return claimed === 1 ? 'ok' : 'stale';
  }

  async renew({ callId, workerId, epoch }: Lease, ttlMs: number): Promise<boolean> {
    const renewed = await this.#redis.run((client) =>
      RENEW.run(client, [this.#keys.lease(callId)], [`${epoch} ${workerId}`, ttlMs]),
    );
    return renewed === 1;
  }

  async release({ callId, workerId, epoch }: Lease): Promise<boolean> {
    const released = await this.#redis.run((client) =>
      RELEASE.run(client, [this.#keys.lease(callId)], [`${epoch} ${workerId}`]),
    );
    return released === 1;
  }

  async leaseOf(callId: string): Promise<Lease | undefined> {
    const held = await this.#redis.run((client) => client.get(this.#keys.lease(callId)));
    if (held === null) return undefined;
    const space = held.indexOf(' ');
    return { callId, epoch: Number(held.slice(0, space)), workerId: held.slice(space + 1) };
  }
}

function isWorkerInfo(value: unknown): value is WorkerInfo {
  return typeof value === 'object' && value !== null && 'workerId' in value && 'url' in value;
}

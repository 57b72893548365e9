import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

/** A media host, as it said last to the process that it is connected to. */
export interface HostNews {
  readonly hostId: string;
  /** Calls that it can take at once. */
  readonly capacity: number;
  readonly activeCalls: number;
  readonly level: 'normal' | 'heavilyLoaded' | 'overloaded';
  /** True when it takes no more calls. */
  readonly draining: boolean;
  /** How long its last ping took there and back. */
  readonly rttMs?: number | undefined;
}

/** A host and the process that has it. */
export interface ConnectedHost extends HostNews {
  readonly processId: string;
}

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** KEYS: info (hash), expiry (sorted set). ARGV: ttl, then host id and description in turn. */
const ANNOUNCE = new LuaScript(`${NOW}
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], now + ARGV[1], ARGV[i])
end
return 1`);

/** Not when it has come to another process meanwhile. */
const REMOVE = new LuaScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or cjson.decode(held).processId ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`);

const LIST = new LuaScript(`${NOW}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[1], id)
end
return redis.call('HVALS', KEYS[1])`);

/** Which media hosts are connected to which process; what a process that died said expires. */
export class HostStore {
  readonly #redis: RedisConnection;
  readonly #keys: readonly string[];

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = [keys.hosts(), keys.hostExpiry()];
  }

  /** Says which hosts this process has and how they are. They count as gone `ttlMs` later. */
  async announce(processId: string, hosts: readonly HostNews[], ttlMs: number): Promise<void> {
    if (hosts.length === 0) return;
    const told = hosts.flatMap((host) => [host.hostId, JSON.stringify({ ...host, processId })]);
    await this.#redis.run((client) => ANNOUNCE.run(client, this.#keys, [ttlMs, ...told]));
  }

  /** Says that a host has left this process; nothing when it is with another one already. */
  async remove(processId: string, hostId: string): Promise<void> {
    await this.#redis.run((client) => REMOVE.run(client, this.#keys, [hostId, processId]));
  }

  /** The hosts of all processes, by id. */
  async list(): Promise<ConnectedHost[]> {
    const reply = await this.#redis.run((client) => LIST.run(client, this.#keys, []));
    if (!Array.isArray(reply)) return [];
    const hosts = reply.map((text): unknown => JSON.parse(String(text))).filter(isConnectedHost);
    return hosts.sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
  }
}

function isConnectedHost(value: unknown): value is ConnectedHost {
  return typeof value === 'object' && value !== null && 'hostId' in value && 'processId' in value;
}

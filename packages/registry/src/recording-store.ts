import type { GateState } from '@earshot/recording-gate';
import { parseGateState } from '@earshot/recording-gate';
import { OPEN_TTL_MS } from './call-store.js';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

/** How long an open gate counts without being told again: nobody might be left to close it. */
export const GATE_TTL_MS = 60_000;

/** What was told is kept for as long as the call, so that an older word can be told apart. */
const SET_GATE = new LuaScript(`
local known = redis.call('HGET', KEYS[1], 'changes')
if known and tonumber(known) > tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if known ~= ARGV[1] then redis.call('HSET', KEYS[1], 'since', now) end
redis.call('HSET', KEYS[1], 'changes', ARGV[1], 'gate', ARGV[2], 'until', now + ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`);

const READ_GATE = new LuaScript(`
local held = redis.call('HMGET', KEYS[1], 'gate', 'until')
if not held[1] then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now >= tonumber(held[2]) then return false end
return held[1]`);

const JOIN = new LuaScript(`
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

/** Whether calls may be recorded, and whom they record under a policy. */
export class RecordingStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** See `Registry.setRecordingGate`. */
  async setGate(callId: string, gate: GateState): Promise<void> {
    const args = [gate.changes, JSON.stringify(gate), GATE_TTL_MS, OPEN_TTL_MS];
    await this.#redis.run((client) =>
      SET_GATE.run(client, [this.#keys.recordingGate(callId)], args),
    );
  }

  /** See `Registry.recordingGate`. */
  async gate(callId: string): Promise<GateState | undefined> {
    const text = await this.#redis.run((client) =>
      READ_GATE.run(client, [this.#keys.recordingGate(callId)], []),
    );
    return typeof text === 'string' ? parseGateState(JSON.parse(text)) : undefined;
  }

  /** See `Registry.joinRecorded`. */
  async join(callId: string, participantId: string, capacity: number): Promise<boolean> {
    const args = [participantId, capacity, OPEN_TTL_MS];
    const joined = await this.#redis.run((client) =>
      JOIN.run(client, [this.#keys.recorded(callId)], args),
    );
    return joined === 1;
  }

  /** See `Registry.leaveRecorded`. */
  async leave(callId: string, participantId: string): Promise<void> {
    await this.#redis.run((client) => client.srem(this.#keys.recorded(callId), participantId));
  }
}

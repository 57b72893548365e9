import type { EarshotEvent } from './event.js';
import type { Names } from './names.js';
import { DEFAULT_REMOVED, DEFAULT_SUBSCRIPTION, JOB_NAME } from './names.js';
import { JOB_OPTIONS } from './partition-queues.js';
import type { RedisClient } from './redis.js';
import { LuaScript } from './redis.js';

/** Counts and fences outlive every call, so that a late worker is still recognised. */
const CALL_TTL_MS = 7 * 24 * 3_600_000;
/** A batch whose answer was lost is sent again within seconds of Redis being back. */
const BATCH_TTL_MS = 24 * 3_600_000;
/** Events of this epoch have no fence. */
const UNFENCED = -1;
const KEYS_BEFORE_CALLS = 2;

/**
 * All or nothing: a batch with an event behind its call's fence is not added, and the answer says
 * which calls these are. A batch that is sent again is not added again, whatever the fence is by then.
 *
 * The job is what BullMQ's own `add` writes, without its stream of news that nobody reads: hash of
 * the job, list `wait`, and the marker that wakes a worker unless all slots are taken.
 *
 * KEYS: last batch of the publisher, subscriptions, calls.
 * ARGV: batch number, its TTL, TTL of calls, keys of a queue before and after its subscription, job id,
 * job name, time, data, options; then for each call its epoch and number of events.
 */
const PUBLISH = new LuaScript(`
local last = redis.call('GET', KEYS[1])
if last and tonumber(last) >= tonumber(ARGV[1]) then
  -- Written, so that there is something to wait for: maybe no replica has the batch.
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {}
end
local fenced = {}
for i = ${KEYS_BEFORE_CALLS + 1}, #KEYS do
  local epoch = tonumber(ARGV[5 + 2 * i])
  if epoch ~= ${UNFENCED} then
    local fence = redis.call('HGET', KEYS[i], 'fence')
    if fence and tonumber(fence) > epoch then
      fenced[#fenced + 1] = i - ${KEYS_BEFORE_CALLS + 1}
      fenced[#fenced + 1] = tonumber(fence)
    end
  end
end
if #fenced > 0 then return fenced end
for i = ${KEYS_BEFORE_CALLS + 1}, #KEYS do
  local epoch = ARGV[5 + 2 * i]
  redis.call('HINCRBY', KEYS[i], 'published', ARGV[6 + 2 * i])
  if tonumber(epoch) ~= ${UNFENCED} then redis.call('HSET', KEYS[i], 'fence', epoch) end
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
end
local served = {['${DEFAULT_SUBSCRIPTION}'] = true}
for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do served[name] = true end
if served['${DEFAULT_REMOVED}'] then
  served['${DEFAULT_REMOVED}'] = nil
  served['${DEFAULT_SUBSCRIPTION}'] = nil
end
for name in pairs(served) do
  local queue = ARGV[4] .. name .. ARGV[5]
  redis.call('HSET', queue .. ARGV[6], 'name', ARGV[7], 'data', ARGV[9], 'opts', ARGV[10],
    'timestamp', ARGV[8], 'delay', 0, 'priority', 0)
  redis.call('LPUSH', queue .. 'wait', ARGV[6])
  local meta = redis.call('HMGET', queue .. 'meta', 'paused', 'concurrency')
  if not meta[1] and
    (not meta[2] or redis.call('LLEN', queue .. 'active') < tonumber(meta[2])) then
    redis.call('ZADD', queue .. 'marker', 0, '0')
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {}`);

const CLAIM = new LuaScript(`
local fence = redis.call('HGET', KEYS[1], 'fence')
if fence and tonumber(fence) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** Where batches go. */
export interface Destination {
  readonly client: RedisClient;
  readonly names: Names;
  /** So many replicas must have a batch. */
  readonly minReplicas: number;
}

/** Events of one partition that go into one job. */
export interface Batch {
  readonly publisherId: string;
  readonly partition: number;
  /** Grows within a publisher and partition. */
  readonly number: number;
  readonly events: readonly EarshotEvent[];
  /** Of adding it, ms since 1970. */
  readonly wallclockMs: number;
}

/** A call that has a newer owner, and that one's epoch. */
export interface Fence {
  readonly callId: string;
  readonly epoch: number;
}

/**
 * Adds a batch to the queues of all subscriptions, in one step with the counts and fences of its calls.
 *
 * @returns the fences that some of its events are behind; unless there is none, nothing was added.
 */
export async function publishBatch(
  { client, names, minReplicas }: Destination,
  batch: Batch,
): Promise<Fence[]> {
  const { publisherId, partition, number, events, wallclockMs } = batch;
  const calls = sumUp(events);
  const jobId = `${publisherId}-${partition}-${number}`;
  const options = JSON.stringify({ ...JOB_OPTIONS, jobId });
  const keys = [
    names.lastBatch(partition, publisherId),
    names.subscriptions(partition),
    ...calls.map(({ callId }) => names.call(callId)),
  ];
  const args = [
    ...[number, BATCH_TTL_MS, CALL_TTL_MS, ...names.aroundSubscription(partition)],
    ...[jobId, JOB_NAME, wallclockMs, JSON.stringify({ events }), options],
    ...calls.flatMap(({ epoch, count }) => [epoch, count]),
  ];
  const reply = await PUBLISH.runReplicated(client, keys, args, minReplicas);
  return Array.isArray(reply) ? fencesOf(reply, calls) : [];
}

/** Raises the fence of a call; false when it is higher already. */
export async function claimFence(
  { client, names, minReplicas }: Destination,
  { callId, epoch }: Fence,
): Promise<boolean> {
  const args = [epoch, CALL_TTL_MS];
  return (await CLAIM.runReplicated(client, [names.call(callId)], args, minReplicas)) === 1;
}

interface CallPart {
  readonly callId: string;
  readonly epoch: number;
  count: number;
}

/** Each call once, or twice when it has both fenced events and others. */
function sumUp(events: readonly EarshotEvent[]): CallPart[] {
  const media = new Map<string, CallPart>();
  const others = new Map<string, CallPart>();
  for (const { callId, source, epoch } of events) {
    const parts = source === 'media' ? media : others;
    const part = parts.get(callId);
    if (part !== undefined) part.count += 1;
    else parts.set(callId, { callId, epoch: source === 'media' ? epoch : UNFENCED, count: 1 });
  }
  return [...media.values(), ...others.values()];
}

/** The answer is pairs of an index and an epoch. */
function fencesOf(reply: readonly unknown[], calls: readonly CallPart[]): Fence[] {
  const fences: Fence[] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const call = calls[Number(reply[i])];
    if (call !== undefined) fences.push({ callId: call.callId, epoch: Number(reply[i + 1]) });
  }
  return fences;
}

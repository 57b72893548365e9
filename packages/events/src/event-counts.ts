import type { Redis } from 'ioredis';
import type { EarshotEvent } from './event.js';
import { Names } from './names.js';
import { LuaScript, withClient } from './redis.js';

const TTL_MS = 24 * 3_600_000;

/** A batch that is sent again is not counted again: its number is remembered per publisher. */
const COUNT = new LuaScript(`
for i = 1, #KEYS do
  local last = tonumber(redis.call('HGET', KEYS[i], ARGV[1]) or '-1')
  if last < tonumber(ARGV[2]) then
    redis.call('HINCRBY', KEYS[i], 'published', ARGV[3 + i])
    redis.call('HSET', KEYS[i], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  end
end
return #KEYS`);

export interface BatchName {
  readonly publisherId: string;
  /** Grows within a publisher and partition. */
  readonly batchNumber: number;
}

/** Adds a batch to the counts of its calls, once however often it is called. */
export async function recordCounts(
  client: Redis,
  names: Names,
  batch: readonly EarshotEvent[],
  { publisherId, batchNumber }: BatchName,
): Promise<void> {
  const counts = new Map<string, number>();
  for (const { callId } of batch) counts.set(callId, (counts.get(callId) ?? 0) + 1);
  const keys = [...counts.keys()].map(names.counts);
  await COUNT.run(client, keys, [`last:${publisherId}`, batchNumber, TTL_MS, ...counts.values()]);
}

export async function readCounts(
  client: Redis,
  names: Names,
  callId: string,
): Promise<{ published: number }> {
  const published = await client.hget(names.counts(callId), 'published');
  return { published: Number(published ?? 0) };
}

/**
 * How many events of a call are in Redis, as counted by all publishers together; kept for a day.
 *
 * @throws CodedError `redis_unreachable`.
 */
export function eventCounts(
  redisUrl: string,
  callId: string,
  prefix = 'earshot',
): Promise<{ published: number }> {
  return withClient(redisUrl, (client) => readCounts(client, new Names(prefix), callId));
}

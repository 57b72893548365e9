import { Names } from './names.js';
import type { RedisClient } from './redis.js';
import { withClient } from './redis.js';

export async function readCounts(
  client: RedisClient,
  names: Names,
  callId: string,
): Promise<{ published: number }> {
  const published = await client.hget(names.call(callId), 'published');
  return { published: Number(published ?? 0) };
}

/**
 * How many events of a call are in Redis, as counted by all publishers together; kept for a week
 * after the last one.
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

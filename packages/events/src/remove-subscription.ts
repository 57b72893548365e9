import { DeadLetters } from './dead-letters.js';
import type { Names } from './names.js';
import { PARTITIONS } from './partition.js';
import type { PartitionQueues } from './partition-queues.js';
import type { RedisClient } from './redis.js';

export interface RemovalParts {
  readonly client: RedisClient;
  readonly names: Names;
  readonly queues: PartitionQueues;
}

/**
 * Ends a subscription and drops what waits for it. First its name goes, which publishing asks for
 * in the same step as it adds: so nothing comes into the queues that are emptied then.
 */
export async function removeSubscription(
  name: string,
  { client, names, queues }: RemovalParts,
): Promise<void> {
  await queues.unregister(name);
  await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      queues.of(name, partition).obliterate({ force: true }),
    ),
  );
  await new DeadLetters(client, names.deadLetters(name)).clear();
}

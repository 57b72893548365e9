import { DeadLetters } from './dead-letters.js';
import { EphemeralSubscriptions } from './ephemeral-subscriptions.js';
import type { Names } from './names.js';
import { PARTITIONS } from './partition.js';
import { PartitionQueues } from './partition-queues.js';
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
  await new DeadLetters(client, names, name).clear();
}

/** Removes the ephemeral subscriptions whose consumers are dead. */
export async function sweepSubscriptions(client: RedisClient, names: Names): Promise<void> {
  const queues = new PartitionQueues(client, names);
  await new EphemeralSubscriptions(client, names).sweep((name) =>
    removeSubscription(name, { client, names, queues }),
  );
  await queues.close();
}

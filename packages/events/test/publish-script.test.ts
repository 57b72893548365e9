import { Queue } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { Names } from '../src/names.js';
import { partitionOf } from '../src/partition.js';
import { JOB_OPTIONS, PartitionQueues } from '../src/partition-queues.js';
import type { Batch } from '../src/publish-script.js';
import { claimFence, publishBatch } from '../src/publish-script.js';
import { speech, useRedis } from './support.js';

const redis = useRedis();
const names = new Names('earshot');
const partition = partitionOf('c_1');
const queueKey = `earshot:{events-${partition}}:events-default-${partition}`;

function batch(number: number, events: readonly EarshotEvent[], more: Partial<Batch> = {}): Batch {
  return { publisherId: 'p', partition, number, events, wallclockMs: 1_700_000_000_000, ...more };
}

function media(position: number, epoch: number, callId = 'c_1'): EarshotEvent {
  return { ...speech(callId, position, `${callId}/${epoch}/${position}`), epoch };
}

/** Ids of all events in a queue, oldest first. */
async function queued(subscription = 'default'): Promise<string[]> {
  const key = `earshot:{events-${partition}}:events-${subscription}-${partition}`;
  const jobIds = (await redis.raw.lrange(`${key}:wait`, 0, -1)).reverse();
  const jobs = await Promise.all(jobIds.map((id) => redis.raw.hget(`${key}:${id}`, 'data')));
  return jobs.flatMap((data) => {
    const { events }: { events: EarshotEvent[] } = JSON.parse(data ?? '');
    return events.map(({ id }) => id);
  });
}

/** A call in the same partition as c_1. */
function neighbour(): string {
  for (let i = 2; ; i += 1) if (partitionOf(`c_${i}`) === partition) return `c_${i}`;
}

describe('a published batch', () => {
  it('is the job that BullMQ itself would have added', async () => {
    const events = [media(0, 1)];
    await publishBatch(redis.raw, names, batch(0, events));
    const state = () =>
      Promise.all([
        redis.raw.hgetall(`${queueKey}:p-${partition}-0`),
        redis.raw.lrange(`${queueKey}:wait`, 0, -1),
        redis.raw.zrange(`${queueKey}:marker`, 0, -1, 'WITHSCORES'),
      ]);
    const ours = await state();
    await redis.raw.flushall();
    const queue = new Queue(`events-default-${partition}`, {
      connection: redis.raw,
      prefix: `earshot:{events-${partition}}`,
    });
    onTestFinished(() => queue.close());
    const jobId = `p-${partition}-0`;
    await queue.add('events', { events }, { ...JOB_OPTIONS, jobId, timestamp: 1_700_000_000_000 });
    const theirs = await state();
    // BullMQ's options repeat the time that we had to set for the comparison.
    const options = (job: Record<string, string>): unknown => {
      const { timestamp: _, ...rest } = JSON.parse(job['opts'] ?? '');
      return rest;
    };
    expect({ ...ours[0], opts: options(ours[0]) }).toEqual({
      ...theirs[0],
      opts: options(theirs[0]),
    });
    expect(ours.slice(1)).toEqual(theirs.slice(1));
  });

  it('wakes no worker while all slots are taken or the queue is paused', async () => {
    const marker = () => redis.raw.exists(`${queueKey}:marker`);
    await redis.raw.hset(`${queueKey}:meta`, 'concurrency', '1');
    await redis.raw.lpush(`${queueKey}:active`, 'other');
    await publishBatch(redis.raw, names, batch(0, [media(0, 1)]));
    expect(await marker()).toBe(0);
    await redis.raw.del(`${queueKey}:active`);
    await redis.raw.hset(`${queueKey}:meta`, 'paused', '1');
    await publishBatch(redis.raw, names, batch(1, [media(1, 1)]));
    expect(await marker()).toBe(0);
    await redis.raw.hdel(`${queueKey}:meta`, 'paused');
    await publishBatch(redis.raw, names, batch(2, [media(2, 1)]));
    expect(await marker()).toBe(1);
    expect(await queued()).toEqual(['c_1/1/0', 'c_1/1/1', 'c_1/1/2']);
  });

  it('goes to all subscriptions, to each once, also when it is sent again', async () => {
    const queues = new PartitionQueues(redis.raw, names);
    await queues.register('mine');
    await queues.register('default');
    await publishBatch(redis.raw, names, batch(0, [media(0, 1)]));
    await publishBatch(redis.raw, names, batch(0, [media(0, 1)]));
    // As after it was handled, when there is no job of this id.
    await redis.raw.del(`${queueKey}:wait`, `${queueKey}:p-${partition}-0`);
    await publishBatch(redis.raw, names, batch(0, [media(0, 1)]));
    await publishBatch(redis.raw, names, batch(1, [media(1, 1)]));
    expect(await queued('mine')).toEqual(['c_1/1/0', 'c_1/1/1']);
    expect(await queued()).toEqual(['c_1/1/1']);
    expect(await queues.registered()).toEqual(['default', 'mine']);
    await queues.unregister('mine');
    await publishBatch(redis.raw, names, batch(2, [media(2, 1)]));
    expect(await queued('mine')).toEqual(['c_1/1/0', 'c_1/1/1']);
    expect(await redis.raw.hget(names.call('c_1'), 'published')).toBe('3');
    expect(await queues.registered()).toEqual(['default']);
  });

  it('is refused as a whole for one call that has a newer owner, and said which', async () => {
    const other = neighbour();
    await claimFence(redis.raw, names, { callId: 'c_1', epoch: 2 });
    const mixed = [media(0, 1), media(0, 1, other), media(1, 1)];
    expect(await publishBatch(redis.raw, names, batch(0, mixed))).toEqual([
      { callId: 'c_1', epoch: 2 },
    ]);
    expect(await redis.raw.keys('*')).toEqual([names.call('c_1')]);
    expect(await publishBatch(redis.raw, names, batch(0, [media(0, 1, other)]))).toEqual([]);
    expect(await publishBatch(redis.raw, names, batch(1, [media(0, 2)]))).toEqual([]);
    expect(await queued()).toEqual([`${other}/1/0`, 'c_1/2/0']);
  });

  it('fences older epochs by itself, though not what signaling says', async () => {
    await publishBatch(redis.raw, names, batch(0, [media(0, 5)]));
    expect(await publishBatch(redis.raw, names, batch(1, [media(1, 4)]))).toEqual([
      { callId: 'c_1', epoch: 5 },
    ]);
    const signaling: EarshotEvent = { ...media(0, 4), source: 'signaling' };
    expect(await publishBatch(redis.raw, names, batch(1, [signaling]))).toEqual([]);
    expect(await claimFence(redis.raw, names, { callId: 'c_1', epoch: 4 })).toBe(false);
    expect(await claimFence(redis.raw, names, { callId: 'c_1', epoch: 5 })).toBe(true);
    expect(await claimFence(redis.raw, names, { callId: 'c_1', epoch: 6 })).toBe(true);
    expect(await redis.raw.hget(names.call('c_1'), 'fence')).toBe('6');
  });

  it('leaves nothing that stays for ever but what waits', async () => {
    await publishBatch(redis.raw, names, batch(0, [media(0, 1)]));
    const keys = (await redis.raw.keys('*')).filter((key) => !key.startsWith(queueKey));
    expect(keys.sort()).toEqual([names.call('c_1'), names.lastBatch(partition, 'p')].sort());
    for (const key of keys) expect(await redis.raw.pttl(key)).toBeGreaterThan(3_600_000);
  });
});

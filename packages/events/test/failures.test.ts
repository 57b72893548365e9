import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { partitionOf } from '../src/partition.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis({ persistent: true });

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

async function subscriptions(): Promise<Subscriptions> {
  const opened = new Subscriptions({ redisUrl: redis.server.url });
  onTestFinished(() => opened.close());
  await opened.ready();
  return opened;
}

describe('while Redis is away', () => {
  it('nothing is lost or told twice, and the order holds', async () => {
    const calls = upTo(6).map((i) => `c_${i}`);
    const got: EarshotEvent[] = [];
    const consumers = await Promise.all(
      upTo(2).map(() => redis.consumer((event) => void got.push(event))),
    );
    const publisher = await redis.publisher({ maxBatch: 5 });
    const events = upTo(400).flatMap((i) => calls.map((callId) => speech(callId, i)));
    const publishing = publishAll(publisher, events);
    for (const reached of [300, 900]) {
      await until(() => got.length > reached);
      await redis.server.kill();
      await redis.server.restart();
    }
    await publishing;
    await publisher.flushed();
    await until(() => got.length >= events.length);
    for (const callId of calls) {
      const positions = got.filter((e) => e.callId === callId).map(({ position }) => position);
      expect(positions).toEqual(upTo(400));
    }
    expect(consumers.reduce((sum, { stats }) => sum + stats.delivered, 0)).toBe(events.length);
    expect(await publisher.counts('c_0')).toEqual({ published: 400 });
  });

  it('the outbox fills up to its bound and refuses the rest', async () => {
    const errors: unknown[] = [];
    const publisher = await redis.publisher({
      outboxCapacity: 100,
      onError: (error) => errors.push(error),
    });
    const got: number[] = [];
    await redis.consumer((event) => void got.push(event.position));
    await redis.server.kill();
    await until(() => !publisher.stats.redisUp);
    const accepted = upTo(150).filter((i) => publisher.publish(speech('c_1', i)));
    expect(accepted).toEqual(upTo(100));
    await until(() => errors.length > 0);
    await expect(publisher.counts('c_1')).rejects.toMatchObject({ code: 'redis_unreachable' });
    expect(publisher.stats).toEqual({ published: 0, waiting: 100, refused: 50, redisUp: false });

    await redis.server.restart();
    await publisher.flushed();
    expect(publisher.stats).toEqual({ published: 100, waiting: 0, refused: 50, redisUp: true });
    await until(() => got.length === 100);
    expect(got).toEqual(upTo(100));
    expect(publisher.publish(speech('c_1', 150))).toBe(true);
  });

  it('both close, and the publisher says what it could not bring', async () => {
    const errors: unknown[] = [];
    const publisher = await redis.publisher({ onError: (error) => errors.push(error) });
    const consumer = await redis.consumer(() => {});
    await redis.server.kill();
    await until(() => !publisher.stats.redisUp);
    publisher.publish(speech('c_1', 0));
    const flushed = expect(publisher.flushed()).rejects.toMatchObject({ code: 'publisher_closed' });
    await publisher.close({ deadlineMs: 20 });
    await flushed;
    expect(errors.at(-1)).toMatchObject({ code: 'events_lost' });
    await consumer.close();
    await redis.server.restart();
  });

  it('a Redis that forgot everything is told again what consumers need', async () => {
    const got: number[] = [];
    const errors: unknown[] = [];
    await redis.consumer((event) => void got.push(event.position), {
      subscription: 'mine',
      onError: (error) => errors.push(error),
    });
    await redis.raw.flushall();
    await redis.server.kill();
    await redis.server.restart();
    await until(
      async () => (await redis.raw.sismember('earshot:event-subscriptions', 'mine')) === 1,
    );
    const meta = `earshot:events-mine-${partitionOf('c_1')}:meta`;
    await until(async () => (await redis.raw.hget(meta, 'concurrency')) === '1');
    const publisher = await redis.publisher();
    publisher.publish(speech('c_1', 0));
    await until(() => got.length === 1);
    expect(errors.length).toBeLessThanOrEqual(1);
  });
});

describe('a consumer that dies', () => {
  it('leaves its batch to another, in order', async () => {
    const index = new URL('../dist/index.js', import.meta.url).href;
    const clock = new URL('../../async/dist/system.js', import.meta.url).href;
    const script = `
      import { EventConsumer } from ${JSON.stringify(index)};
      import { systemClock } from ${JSON.stringify(clock)};
      const consumer = new EventConsumer({
        redisUrl: ${JSON.stringify(redis.server.url)},
        clock: systemClock,
        handler: (event) => {
          console.log(event.position);
          return event.position < 3 ? undefined : new Promise(() => {});
        },
      });
      await consumer.start();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const theirs: number[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => theirs.push(Number(line)));
    const publisher = await redis.publisher({ maxBatch: 4 });
    await publishAll(
      publisher,
      upTo(12).map((i) => speech('c_1', i)),
    );
    await until(() => theirs.length === 4);
    const ours: number[] = [];
    await redis.consumer((event) => void ours.push(event.position));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => ours.includes(11));
    expect(theirs).toEqual([0, 1, 2, 3]);
    // What it had begun comes again; what it had done does not.
    expect(ours).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('a handler that throws', () => {
  it('is called again, three times in all', async () => {
    const calls: number[] = [];
    const consumer = await redis.consumer((event) => {
      calls.push(event.position);
      if (event.position === 1 && calls.filter((p) => p === 1).length < 3) throw new Error('no');
    });
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(3).map((i) => speech('c_1', i)),
    );
    await until(() => consumer.stats.delivered === 3);
    expect(calls).toEqual([0, 1, 1, 1, 2]);
    expect(consumer.stats).toEqual({ delivered: 3, duplicates: 0, failed: 0 });
  });

  it('does not hold up the others: the event is set aside, and can be replayed', async () => {
    const delivered: number[] = [];
    const errors: unknown[] = [];
    let isBroken = true;
    const consumer = await redis.consumer(
      (event) => {
        if (isBroken && event.position % 10 === 4) throw new Error('broken');
        delivered.push(event.position);
      },
      { onError: (error) => errors.push(error) },
    );
    const publisher = await redis.publisher({ maxBatch: 6 });
    await publishAll(
      publisher,
      upTo(20).map((i) => speech('c_1', i)),
    );
    await until(() => delivered.length === 18);
    expect(delivered).toEqual(upTo(20).filter((i) => i % 10 !== 4));
    expect(consumer.stats).toMatchObject({ delivered: 18, failed: 2 });
    expect(errors.map(String)).toEqual(['Error: broken', 'Error: broken']);

    const admin = await subscriptions();
    expect(await admin.list()).toEqual([{ name: 'default', jobs: 0, deadLetters: 2 }]);
    const letters = await admin.deadLetters('default');
    expect(letters).toMatchObject([
      { error: 'broken', event: { position: 14 } },
      { error: 'broken', event: { position: 4 } },
    ]);
    isBroken = false;
    expect(await admin.replay('default')).toBe(2);
    await until(() => delivered.length === 20);
    expect(delivered.slice(-2)).toEqual([4, 14]);
    expect(await admin.deadLetters('default')).toEqual([]);
  });
});

describe('what is no event', () => {
  it('is set aside, without harm to the events beside it', async () => {
    const connection = new Redis(redis.server.url);
    const queue = new Queue(`events-default-${partitionOf('c_1')}`, {
      connection,
      prefix: 'earshot',
    });
    const got: number[] = [];
    const consumer = await redis.consumer((event) => void got.push(event.position));
    await queue.add('events', { events: [{ type: 'nonsense' }, speech('c_1', 7)] });
    await queue.add('other', 'nonsense');
    await until(() => consumer.stats.failed === 2);
    expect(got).toEqual([7]);
    const admin = await subscriptions();
    expect(await admin.deadLetters('default')).toMatchObject([
      { event: 'nonsense' },
      { event: { type: 'nonsense' } },
    ]);
    expect(await admin.replay('default')).toBe(0);
    await queue.close();
    connection.disconnect();
  });

  it('and no job survives a batch whose consumers died again and again', async () => {
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0), speech('c_1', 1)]);
    await publisher.flushed();
    const queue = `earshot:events-default-${partitionOf('c_1')}`;
    const [jobId] = await redis.raw.lrange(`${queue}:wait`, 0, -1);
    await redis.raw.hset(`${queue}:${jobId}`, 'stc', 21);
    const consumer = await redis.consumer(() => {
      throw new Error('must not be called');
    });
    await until(() => consumer.stats.failed === 2);
    const [letter] = await (await subscriptions()).deadLetters('default');
    expect(letter?.error).toBe('its consumer died 21 times');
  });
});

describe('subscriptions', () => {
  it('have a copy each of all events since they were registered', async () => {
    const publisher = await redis.publisher();
    publisher.publish(speech('c_1', 0));
    await publisher.flushed();
    const got: Record<string, number[]> = { default: [], early: [], late: [] };
    const listen = (subscription: string) =>
      redis.consumer((event) => void got[subscription]?.push(event.position), { subscription });
    await listen('default');
    await listen('early');
    publisher.publish(speech('c_1', 1));
    await publisher.flushed();
    await listen('late');
    publisher.publish(speech('c_1', 2));
    await until(() => Object.values(got).every((positions) => positions.includes(2)));
    expect(got).toEqual({ default: [0, 1, 2], early: [1, 2], late: [2] });
  });

  it('keep their events while nobody listens, until they are removed', async () => {
    const consumer = await redis.consumer(() => {}, { subscription: 'mine' });
    await consumer.close();
    const publisher = await redis.publisher({ maxBatch: 1 });
    await publishAll(
      publisher,
      upTo(3).map((i) => speech('c_1', i)),
    );
    await publisher.flushed();
    const admin = await subscriptions();
    expect(await admin.list()).toContainEqual({ name: 'mine', jobs: 3, deadLetters: 0 });
    await admin.remove('mine');
    expect((await admin.list()).map(({ name }) => name)).toEqual(['default']);
    expect(await redis.raw.keys('earshot:events-mine-*:wait')).toEqual([]);
    publisher.publish(speech('c_1', 3));
    await publisher.flushed();
    expect(await redis.raw.keys('earshot:events-mine-*:wait')).toEqual([]);
  });

  it('have plain names', async () => {
    for (const subscription of ['', 'a:b', 'ä', 'x'.repeat(65)]) {
      await expect(redis.consumer(() => {}, { subscription })).rejects.toMatchObject({
        code: 'invalid_subscription',
      });
    }
  });
});

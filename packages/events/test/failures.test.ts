import { describe, expect, it } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { partitionOf } from '../src/partition.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis({ persistent: 'always' });

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
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
    expect(publisher.stats).toMatchObject({
      published: 0,
      waiting: 100,
      refused: 50,
      redisUp: false,
    });

    await redis.server.restart();
    await publisher.flushed();
    expect(publisher.stats).toMatchObject({
      published: 100,
      waiting: 0,
      refused: 50,
      redisUp: true,
    });
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
    const partition = `earshot:{events-${partitionOf('c_1')}}`;
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
      async () => (await redis.raw.sismember(`${partition}:subscriptions`, 'mine')) === 1,
    );
    const meta = `${partition}:events-mine-${partitionOf('c_1')}:meta`;
    await until(async () => (await redis.raw.hget(meta, 'concurrency')) === '1');
    const publisher = await redis.publisher();
    publisher.publish(speech('c_1', 0));
    await until(() => got.length === 1);
    expect(errors.length).toBeLessThanOrEqual(1);
  });
});

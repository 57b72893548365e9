import { systemClock } from '@earshot/async/system';
import { describe, expect, it } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { EventConsumer } from '../src/event-consumer.js';
import { eventCounts } from '../src/event-counts.js';
import { EventPublisher } from '../src/event-publisher.js';
import { PARTITIONS, partitionOf } from '../src/partition.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis();

function positionsOf(events: readonly EarshotEvent[], callId: string, source = 'media') {
  return events
    .filter((event) => event.callId === callId && event.source === source)
    .map(({ position }) => position);
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

describe('publisher and consumer', () => {
  it('keep the order of each call over several of both, each event once', async () => {
    const calls = upTo(24).map((i) => `c_${i}`);
    const got: EarshotEvent[] = [];
    const consumers = await Promise.all(
      upTo(3).map(() => redis.consumer((event) => void got.push(event))),
    );
    const publishers = await Promise.all(upTo(3).map(() => redis.publisher({ maxBatch: 7 })));
    const publishing = Promise.all(
      publishers.map((publisher, p) =>
        publishAll(
          publisher,
          upTo(60).flatMap((position) =>
            calls.filter((_, c) => c % 3 === p).map((callId) => speech(callId, position)),
          ),
        ),
      ),
    );
    // In mid-flow the partitions pass from one consumer to the others.
    await until(() => got.length > 200);
    await consumers[0]?.close();
    await publishing;
    await until(() => got.length >= 1_440);
    for (const callId of calls) expect(positionsOf(got, callId)).toEqual(upTo(60));
    expect(consumers[0]?.stats.delivered).toBeLessThan(1_440);
    const delivered = consumers.reduce((sum, { stats }) => sum + stats.delivered, 0);
    expect(delivered).toBe(1_440);
  });

  it('keep the order of two sources of one call', async () => {
    const got: EarshotEvent[] = [];
    await redis.consumer((event) => void got.push(event));
    const [media, signaling] = await Promise.all([redis.publisher(), redis.publisher()]);
    const told = upTo(200).map((i): EarshotEvent => {
      return { ...speech('c_1', i, `signaling/${i}`), source: 'signaling' };
    });
    await Promise.all([
      publishAll(
        media,
        upTo(200).map((i) => speech('c_1', i)),
      ),
      publishAll(signaling, told),
    ]);
    await until(() => got.length >= 400);
    expect(positionsOf(got, 'c_1', 'media')).toEqual(upTo(200));
    expect(positionsOf(got, 'c_1', 'signaling')).toEqual(upTo(200));
  });

  it('deliver an event once that was told twice, in one batch or by two publishers', async () => {
    const got: string[] = [];
    const consumer = await redis.consumer((event) => void got.push(event.id));
    const [a, b] = await Promise.all([redis.publisher(), redis.publisher()]);
    a.publish(speech('c_1', 0));
    a.publish(speech('c_1', 0));
    await a.flushed();
    b.publish(speech('c_1', 0));
    b.publish(speech('c_1', 1));
    await until(() => consumer.stats.duplicates === 2 && got.length === 2);
    expect(got).toEqual(['c_1/0', 'c_1/1']);
  });

  it('deliver what was published before anyone listened', async () => {
    const publisher = await redis.publisher();
    publisher.publish(speech('c_1', 0));
    await publisher.flushed();
    const got: string[] = [];
    await redis.consumer((event) => void got.push(event.id));
    await until(() => got.length === 1);
  });

  it('remember what was handled for some hours, and leave no jobs behind', async () => {
    const consumer = await redis.consumer(() => {});
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(120).map((i) => speech('c_1', i)),
    );
    await until(() => consumer.stats.delivered === 120);
    await consumer.close();
    const partition = `earshot:{events-${partitionOf('c_1')}}`;
    const ttlMs = await redis.raw.pttl(`${partition}:handled:default:c_1`);
    expect(ttlMs).toBeGreaterThan(3_600_000);
    const queue = `${partition}:events-default-${partitionOf('c_1')}`;
    for (const list of ['wait', 'active']) expect(await redis.raw.llen(`${queue}:${list}`)).toBe(0);
    for (const set of ['completed', 'failed']) {
      expect(await redis.raw.zcard(`${queue}:${set}`)).toBe(0);
    }
  });

  it('count what was published, by call, over all publishers', async () => {
    const [a, b] = await Promise.all([redis.publisher({ maxBatch: 3 }), redis.publisher()]);
    await publishAll(
      a,
      upTo(10).flatMap((i) => [speech('c_1', i), speech('c_2', i)]),
    );
    b.publish(speech('c_1', 0, 'other'));
    await Promise.all([a.flushed(), b.flushed()]);
    expect(await eventCounts(redis.server.url, 'c_1')).toEqual({ published: 11 });
    expect(await a.counts('c_2')).toEqual({ published: 10 });
    expect(await a.counts('c_3')).toEqual({ published: 0 });
    expect(a.stats).toEqual({ published: 20, waiting: 0, refused: 0, fenced: 0, redisUp: true });
  });

  it('have counted an event before it can be seen', async () => {
    const publisher = await redis.publisher();
    const counts: number[] = [];
    await redis.consumer(async (event) => {
      counts[event.position] = (await publisher.counts('c_1')).published;
    });
    for (const position of upTo(20)) {
      publisher.publish(speech('c_1', position));
      await publisher.flushed();
    }
    await until(() => counts.length === 20);
    for (const [position, published] of counts.entries()) {
      expect(published).toBeGreaterThanOrEqual(position + 1);
    }
  });

  it('let one batch of a partition be handled at a time, over all consumers', async () => {
    let atOnce = 0;
    let most = 0;
    let total = 0;
    const handler = async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await redis.raw.ping();
      atOnce -= 1;
      total += 1;
    };
    await Promise.all(upTo(3).map(() => redis.consumer(handler)));
    const publisher = await redis.publisher({ maxBatch: 1 });
    await publishAll(
      publisher,
      upTo(150).map((i) => speech('c_1', i)),
    );
    await until(() => total === 150);
    expect(most).toBe(1);
    for (const partition of upTo(PARTITIONS)) {
      const meta = `earshot:{events-${partition}}:events-default-${partition}:meta`;
      expect(await redis.raw.hget(meta, 'concurrency')).toBe('1');
    }
  });
});

describe('closing', () => {
  it('of a consumer lets the event at hand end, and gives the rest to others', async () => {
    let finish = () => {};
    let begun = false;
    const first: string[] = [];
    const consumer = await redis.consumer(async (event) => {
      begun = true;
      if (event.position === 0) {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }
      first.push(event.id);
    });
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0), speech('c_1', 1)]);
    await until(() => begun);
    const closing = consumer.close();
    finish();
    await closing;
    expect(first).toEqual(['c_1/0']);

    publisher.publish(speech('c_1', 2));
    const second: string[] = [];
    const next = await redis.consumer((event) => void second.push(event.id));
    await until(() => second.length > 1);
    expect(second).toEqual(['c_1/1', 'c_1/2']);
    expect(next.stats.duplicates).toBe(1);
  });

  it('of a publisher sends what is in the outbox, then takes nothing more', async () => {
    const publisher = await redis.publisher();
    for (const position of upTo(300)) publisher.publish(speech('c_1', position));
    const flushed = publisher.flushed();
    await publisher.close();
    await flushed;
    expect(publisher.stats).toMatchObject({ published: 300, waiting: 0, redisUp: false });
    expect(publisher.publish(speech('c_1', 300))).toBe(false);
    expect(publisher.stats.refused).toBe(1);
    await publisher.close();
  });

  it('works before and without starting', async () => {
    const options = { redisUrl: redis.server.url, clock: systemClock };
    await new EventPublisher(options).close();
    await new EventConsumer({ ...options, handler: () => {} }).close();
  });
});

describe('without Redis', () => {
  const options = { redisUrl: '/nowhere/redis.sock', clock: systemClock };

  it('an address that is none is refused, without showing it', () => {
    const open = () => new EventPublisher({ ...options, redisUrl: 'redis://:secret@host:abc' });
    expect(open).toThrow(expect.objectContaining({ code: 'redis_unreachable' }));
    expect(open).not.toThrow(/secret/);
  });

  it('everything says so at the start', async () => {
    const publisher = new EventPublisher(options);
    const consumer = new EventConsumer({ ...options, handler: () => {} });
    const outcomes = await Promise.allSettled([
      publisher.ready(),
      consumer.start(),
      eventCounts(options.redisUrl, 'c_1'),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'redis_unreachable' } });
    }
    await Promise.all([publisher.close(), consumer.close()]);
  });
});

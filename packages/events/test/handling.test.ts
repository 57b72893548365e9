import { systemClock } from '@earshot/async/system';
import { describe, expect, it } from 'vitest';
import type { EarshotEvent, EventOf } from '../src/event.js';
import { EventConsumer } from '../src/event-consumer.js';
import type { Handling } from '../src/handling.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis();

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function tone(callId: string, position: number): EventOf<'tone.detected'> {
  const data = {
    startMs: 0,
    durationMs: 100,
    levelDbfs: -10,
    twistDb: 0,
    confidence: 1,
    acrossGap: false,
  } as const;
  return {
    ...speech(callId, position),
    type: 'tone.detected',
    data: { ...data, kind: 'dtmf', digit: '5', origin: 'inBand' },
  };
}

describe('handlers by type', () => {
  it('take the events of their type, and `handler` the others, all in order', async () => {
    const got: string[] = [];
    await redis.consumer({
      // The data is that of the type: `digit` compiles here only.
      on: { 'tone.detected': ({ position, data }) => void got.push(`${position} ${data.digit}`) },
      handler: ({ position }) => void got.push(String(position)),
    });
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0), tone('c_1', 1), speech('c_1', 2)]);
    await until(() => got.length === 3);
    expect(got).toEqual(['0', '1 5', '2']);
  });

  it('let the other types pass when they are alone', async () => {
    const got: number[] = [];
    const consumer = await redis.consumer({
      on: { 'tone.detected': async ({ position }) => void got.push(position) },
    });
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0), tone('c_1', 1), speech('c_1', 2)]);
    await until(() => consumer.stats.delivered === 3);
    expect(got).toEqual([1]);
  });
});

describe('a batch handler', () => {
  it('takes what waits, in order, up to its limit', async () => {
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(25).map((i) => speech('c_1', i)),
    );
    await publisher.flushed();
    const batches: number[][] = [];
    await redis.consumer({
      batchHandler: (events) => void batches.push(events.map(({ position }) => position)),
      maxEvents: 10,
    });
    await until(() => batches.flat().length === 25);
    expect(batches.flat()).toEqual(upTo(25));
    expect(Math.max(...batches.map(({ length }) => length))).toBe(10);
  });

  it('that throws is given the events one by one; what it throws on is set aside', async () => {
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(6).map((i) => speech('c_1', i)),
    );
    await publisher.flushed();
    const done: number[][] = [];
    const errors: unknown[] = [];
    const consumer = await redis.consumer(
      {
        batchHandler: async (events: readonly EarshotEvent[]) => {
          if (events.some(({ position }) => position === 3)) throw new Error('no 3');
          done.push(events.map(({ position }) => position));
        },
        maxEvents: 4,
      },
      { onError: (error) => errors.push(String(error)) },
    );
    await until(() => consumer.stats.delivered === 5);
    expect(done).toEqual([[0], [1], [2], [4, 5]]);
    expect(consumer.stats).toEqual({ delivered: 5, duplicates: 0, failed: 1 });
    // Told of the batch, and of the event.
    expect(errors).toEqual(['Error: no 3', 'Error: no 3']);
    const admin = new Subscriptions({ redisUrl: redis.server.url });
    await admin.ready();
    const { letters } = await admin.deadLetters('default');
    expect(letters).toMatchObject([{ error: 'no 3', event: { position: 3 } }]);
    await admin.close();
  });
});

describe('a handler whose batch was lost', () => {
  it('is told by its signal; what it throws then is no failure of the event', async () => {
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(3).map((i) => speech('c_1', i)),
    );
    await publisher.flushed();
    const got: number[] = [];
    let isLost = false;
    const consumer = await redis.consumer(async ({ position }, { signal }) => {
      got.push(position);
      if (position !== 1 || isLost) return;
      isLost = true;
      for (const key of await redis.raw.keys('*:lock')) await redis.raw.del(key);
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('told to stop')));
      });
    });
    await until(() => got.includes(2));
    expect(got).toEqual([0, 1, 1, 2]);
    expect(consumer.stats).toEqual({ delivered: 3, duplicates: 1, failed: 0 });
  });

  it('by closing for too long, is told to stop, too', async () => {
    let isBegun = false;
    let isAborted = false;
    const consumer = await redis.consumer(
      (_event, { signal }) =>
        new Promise((_, reject) => {
          isBegun = true;
          signal.addEventListener('abort', () => {
            isAborted = true;
            reject(new Error('told to stop'));
          });
        }),
    );
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0)]);
    await until(() => isBegun);
    await consumer.close();
    expect(isAborted).toBe(true);
    const got: number[] = [];
    await redis.consumer(({ position }) => void got.push(position));
    await until(() => got.length === 1);
  });
});

describe('a consumer', () => {
  it('has one way of handling', () => {
    const settings = { redisUrl: redis.server.url, clock: systemClock };
    const wrong: unknown[] = [
      {},
      { batchHandler: () => {}, handler: () => {} },
      { batchHandler: () => {}, on: {} },
      { batchHandler: () => {}, maxEvents: 0 },
      { batchHandler: () => {}, maxEvents: 1.5 },
    ];
    for (const handling of wrong) {
      expect(() => new EventConsumer({ ...settings, ...(handling as Handling) })).toThrow(
        expect.objectContaining({ code: 'invalid_handling' }),
      );
    }
  });
});

import { CodedError, VirtualClock } from '@earshot/async';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Names } from '../src/names.js';
import { partitionOf } from '../src/partition.js';
import { PartitionQueues } from '../src/partition-queues.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis();

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

async function subscriptions(): Promise<Subscriptions> {
  const opened = new Subscriptions({ redisUrl: redis.server.url });
  onTestFinished(() => opened.close());
  await opened.ready();
  return opened;
}

/** The queue that the events of a call come through, to write to by hand. */
function queueOf(callId: string) {
  const queues = new PartitionQueues(redis.raw, new Names('earshot'));
  onTestFinished(() => queues.close());
  return queues.of('default', partitionOf(callId));
}

/** Sets aside the events at these positions of call c_1, in this order. */
async function fail(positions: readonly number[]) {
  const consumer = await redis.consumer(({ position }) => {
    throw new TypeError(`broken ${position}`);
  });
  const publisher = await redis.publisher();
  await publishAll(
    publisher,
    positions.map((position) => speech('c_1', position)),
  );
  await until(() => consumer.stats.failed === positions.length);
  await consumer.close();
}

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

  it('does not hold up the others: the event is set aside with the error', async () => {
    const delivered: number[] = [];
    const errors: unknown[] = [];
    const consumer = await redis.consumer(
      (event) => {
        if (event.position % 10 === 4) throw new TypeError('broken');
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
    expect(errors.map(String)).toEqual(['TypeError: broken', 'TypeError: broken']);

    const admin = await subscriptions();
    await until(async () => (await admin.list())[0]?.jobs === 0);
    expect(await admin.list()).toMatchObject([{ name: 'default', jobs: 0, deadLetters: 2 }]);
    const { letters, next } = await admin.deadLetters('default');
    expect(next).toBeNull();
    expect(letters).toMatchObject([
      { error: 'broken', event: { position: 14 } },
      { error: 'broken', event: { position: 4 } },
    ]);
    expect(letters[0]?.stack).toContain('dead-letters.test.ts');
    expect(Date.parse(letters[0]?.failedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe('dead letters', () => {
  it('are listed page by page, by type, call and id', async () => {
    await fail(upTo(7));
    const admin = await subscriptions();
    const pages: unknown[] = [];
    let before: string | undefined;
    do {
      const page = await admin.deadLetters('default', { limit: 3, before });
      pages.push(page.letters.map(({ error }) => error));
      before = page.next ?? undefined;
    } while (before !== undefined);
    expect(pages).toEqual([
      ['broken 6', 'broken 5', 'broken 4'],
      ['broken 3', 'broken 2', 'broken 1'],
      ['broken 0'],
    ]);
    const countOf = async (query: object) =>
      (await admin.deadLetters('default', query)).letters.length;
    expect(await countOf({ type: 'speech.started' })).toBe(7);
    expect(await countOf({ type: 'speech.ended' })).toBe(0);
    expect(await countOf({ callId: 'c_1' })).toBe(7);
    expect(await countOf({ callId: 'c_2' })).toBe(0);
    const [letter] = (await admin.deadLetters('default', { limit: 1 })).letters;
    const id = letter?.id ?? '';
    expect(await admin.deadLetter('default', id)).toEqual(letter);
    expect(await countOf({ ids: [id] })).toBe(1);
    await expect(admin.deadLetter('default', 'nonsense')).rejects.toMatchObject({
      code: 'invalid_dead_letter_id',
    });
  });

  it('are replayed in the order in which they failed, behind what waits', async () => {
    await fail([3, 1, 2]);
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 4)]);
    await publisher.flushed();
    const admin = await subscriptions();
    expect(await admin.replay('default')).toEqual({ replayed: 3, invalid: 0, withheld: 0 });
    expect((await admin.deadLetters('default')).letters).toEqual([]);
    const got: number[] = [];
    await redis.consumer((event) => void got.push(event.position));
    await until(() => got.length === 4);
    expect(got).toEqual([4, 3, 1, 2]);
  });

  it('are replayed once, though the replay is cut short and done again', async () => {
    await fail(upTo(3));
    const admin = await subscriptions();
    const stream = 'earshot:{dead-events:default}:letters';
    const dumped = await redis.raw.dumpBuffer(stream);
    const got: number[] = [];
    const consumer = await redis.consumer((event) => void got.push(event.position));
    await admin.replay('default');
    await until(() => got.length === 3);
    // As if it had been killed before it could remove the letters.
    await redis.raw.restore(stream, 0, dumped, 'REPLACE');
    expect(await admin.replay('default')).toEqual({ replayed: 3, invalid: 0, withheld: 0 });
    await until(() => consumer.stats.duplicates === 3);
    expect(got).toEqual([0, 1, 2]);
  });

  it('that fail again are letters again', async () => {
    await fail([5]);
    const admin = await subscriptions();
    const [first] = (await admin.deadLetters('default')).letters;
    const consumer = await redis.consumer(() => Promise.reject(new Error('still broken')));
    await admin.replay('default');
    await until(() => consumer.stats.failed === 1);
    const { letters } = await admin.deadLetters('default');
    expect(letters).toMatchObject([{ error: 'still broken', event: { position: 5 } }]);
    expect(letters[0]?.id).not.toBe(first?.id);
  });

  it('do not come again with a copy of the event', async () => {
    await fail([0]);
    const publisher = await redis.publisher();
    const got: number[] = [];
    const consumer = await redis.consumer((event) => void got.push(event.position));
    await publishAll(publisher, [speech('c_1', 0), speech('c_1', 1)]);
    await until(() => got.length > 0);
    expect(got).toEqual([1]);
    expect(consumer.stats.duplicates).toBe(1);
  });

  it('are dropped one by one or all', async () => {
    await fail(upTo(5));
    const admin = await subscriptions();
    const [letter] = (await admin.deadLetters('default')).letters;
    expect(await admin.drop('default', { ids: [letter?.id ?? ''] })).toBe(1);
    expect(await admin.drop('default', { ids: [letter?.id ?? ''] })).toBe(0);
    expect(await admin.drop('default', { callId: 'c_2' })).toBe(0);
    expect(await admin.drop('default')).toBe(4);
    expect((await admin.deadLetters('default')).letters).toEqual([]);
  });
});

describe('an event that can not be handled', () => {
  it('is tried again after pauses, so that what its handler needs may be back', async () => {
    const clock = new VirtualClock();
    let tries = 0;
    const broken = (): void => {
      tries += 1;
      throw new Error('broken');
    };
    const consumer = await redis.consumer(broken, { clock });
    await publishAll(await redis.publisher(), [speech('c_1', 0)]);
    for (const [index, pauseMs] of [200, 1_000].entries()) {
      await until(() => tries === index + 1);
      await redis.raw.ping();
      expect(tries).toBe(index + 1);
      clock.advance(pauseMs);
    }
    await until(() => consumer.stats.failed === 1);
    expect(tries).toBe(3);
  });

  it('waits, with all behind it, when there are as many dead letters as may be', async () => {
    const got: number[] = [];
    const codes: unknown[] = [];
    let isBroken = true;
    const consumer = await redis.consumer(
      ({ position }) => {
        if (isBroken) throw new Error('broken');
        got.push(position);
      },
      {
        maxDeadLetters: 1,
        onError: (error) => codes.push(error instanceof CodedError && error.code),
      },
    );
    await publishAll(
      await redis.publisher(),
      upTo(3).map((i) => speech('c_1', i)),
    );
    await until(() => codes.includes('dead_letters_full'));
    expect(consumer.stats.failed).toBe(1);
    isBroken = false;
    await until(() => got.length === 2);
    expect(got).toEqual([1, 2]);
    const { letters } = await (await subscriptions()).deadLetters('default');
    expect(letters).toMatchObject([{ event: { position: 0 } }]);
  });
});

describe('what is no event', () => {
  it('is set aside, without harm to the events beside it, and stays when replayed', async () => {
    const got: number[] = [];
    const consumer = await redis.consumer((event) => void got.push(event.position));
    const queue = queueOf('c_1');
    await queue.add('events', { events: [{ type: 'nonsense' }, speech('c_1', 7)] });
    await queue.add('other', 'nonsense');
    await until(() => consumer.stats.failed === 2);
    expect(got).toEqual([7]);
    const admin = await subscriptions();
    // Nobody can tell what they hold: only a name is kept.
    expect((await admin.deadLetters('default')).letters).toMatchObject([
      { event: {}, withheldBytes: 10 },
      { event: { type: 'nonsense' }, withheldBytes: 19 },
    ]);
    expect(await admin.replay('default')).toEqual({ replayed: 0, invalid: 0, withheld: 2 });
    expect((await admin.deadLetters('default')).letters.length).toBe(2);
  });

  it('and what comes through the partition of another call is set aside', async () => {
    const stray = upTo(50)
      .map((i) => `c_${i}`)
      .find((callId) => partitionOf(callId) !== partitionOf('c_1'));
    const consumer = await redis.consumer(() => {});
    await queueOf('c_1').add('events', { events: [speech(stray ?? '', 0), speech('c_1', 0)] });
    await until(() => consumer.stats.failed === 1 && consumer.stats.delivered === 1);
    const [letter] = (await (await subscriptions()).deadLetters('default')).letters;
    expect(letter?.error).toMatch(/must come through partition \d, that of its call, got \d/);
  });
});

import { systemClock } from '@earshot/async/system';
import { LossyLink } from '@earshot/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { EventPublisher } from '../src/event-publisher.js';
import { partitionOf } from '../src/partition.js';
import { speech, useRedis } from './support.js';

const redis = useRedis();
const EPOCHS = [1, 2, 3] as const;
/** Two calls of one partition, and one of another. */
const CALLS = ['c_1', ofPartition(partitionOf('c_1')), ofPartition((partitionOf('c_1') + 1) % 8)];

function ofPartition(partition: number): string {
  for (let i = 2; ; i += 1) if (partitionOf(`c_${i}`) === partition) return `c_${i}`;
}

function media(callId: string, epoch: number, position: number): EarshotEvent {
  return { ...speech(callId, position, `${callId}/${epoch}/${position}`), epoch };
}

/** All events of a call in the queue that nobody consumes, in order. */
async function queued(callId: string): Promise<EarshotEvent[]> {
  const partition = partitionOf(callId);
  const key = `earshot:{events-${partition}}:events-default-${partition}`;
  const jobIds = (await redis.raw.lrange(`${key}:wait`, 0, -1)).reverse();
  const jobs = await Promise.all(jobIds.map((id) => redis.raw.hget(`${key}:${id}`, 'data')));
  const events = jobs.flatMap((data) => {
    const { events }: { events: EarshotEvent[] } = JSON.parse(data ?? '');
    return events;
  });
  return events.filter((event) => event.callId === callId);
}

describe('a publisher whose call has a newer owner', () => {
  it('adds nothing more of that call, counts it and says so; other calls go on', async () => {
    const told: unknown[] = [];
    const older = await redis.publisher({ onFenced: (attachment) => told.push(attachment) });
    const newer = await redis.publisher();
    expect(await older.claim('c_1', 1)).toBe('ok');
    older.publish(media('c_1', 1, 0));
    await older.flushed();
    expect(await newer.claim('c_1', 2)).toBe('ok');
    expect(await older.claim('c_1', 1)).toBe('stale');
    const [, neighbour = ''] = CALLS;
    for (const callId of ['c_1', neighbour, 'c_1']) older.publish(media(callId, 1, 1));
    await older.flushed();
    newer.publish(media('c_1', 2, 0));
    await newer.flushed();
    older.publish(media('c_1', 1, 2));
    await older.flushed();
    expect((await queued('c_1')).map(({ id }) => id)).toEqual(['c_1/1/0', 'c_1/2/0']);
    expect((await queued(neighbour)).map(({ id }) => id)).toEqual([`${neighbour}/1/1`]);
    expect(older.stats).toMatchObject({ published: 2, fenced: 3, waiting: 0 });
    expect(told).toEqual([
      { callId: 'c_1', epoch: 1 },
      { callId: 'c_1', epoch: 1 },
    ]);
    expect(await newer.counts('c_1')).toEqual({ published: 2 });
  });

  it('claims nothing while Redis is away', async () => {
    const publisher = new EventPublisher({ redisUrl: '/nowhere/redis.sock', clock: systemClock });
    await expect(publisher.claim('c_1', 1)).rejects.toMatchObject({ code: 'redis_unreachable' });
    await publisher.close();
  });
});

type Step =
  | {
      readonly do: 'publish';
      readonly owner: number;
      readonly call: number;
      readonly count: number;
    }
  | { readonly do: 'claim'; readonly owner: number; readonly call: number }
  | { readonly do: 'flush'; readonly owner: number }
  | { readonly do: 'loseAnswer'; readonly owner: number };

const owner = fc.nat(EPOCHS.length - 1);
const call = fc.nat(CALLS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant<'publish'>('publish'),
      owner,
      call,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant<'claim'>('claim'), owner, call }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant<'flush'>('flush'), owner }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant<'loseAnswer'>('loseAnswer'), owner }) },
);

/** Owners of three epochs, each over a link of its own that can lose answers. */
class Owners {
  readonly #links: LossyLink[] = [];
  readonly #publishers: EventPublisher[] = [];
  readonly #positions = new Map<string, number>();
  /** Events of a call that were in the queue when a claim had been answered. */
  readonly claims: { callId: string; epoch: number; after: number }[] = [];

  async open(): Promise<void> {
    for (const epoch of EPOCHS) {
      const link = new LossyLink(redis.server.url, `owner-${epoch}`);
      await link.open();
      this.#links.push(link);
      const publisher = await redis.publisher({ redisUrl: link.path, maxBatch: 3 });
      this.#publishers.push(publisher);
    }
  }

  async do(step: Step): Promise<void> {
    const publisher = this.#publishers[step.owner];
    const epoch = EPOCHS[step.owner] ?? 0;
    if (step.do === 'flush') return publisher?.flushed();
    if (step.do === 'loseAnswer') return this.#links[step.owner]?.swallowAnswerTo('events-');
    const callId = CALLS[step.call] ?? '';
    if (step.do === 'publish') return this.#publish(callId, epoch, step.count, publisher);
    const answer = await publisher?.claim(callId, epoch).catch(() => 'lost');
    if (answer !== 'ok') return;
    this.claims.push({ callId, epoch, after: (await queued(callId)).length });
  }

  /** All that was published, and could be, is in Redis. */
  async finish(): Promise<void> {
    for (const link of this.#links) link.swallowNothing();
    await Promise.all(this.#publishers.map((publisher) => publisher.flushed()));
  }

  /** What all of them count published and fenced. */
  totals(): { published: number; fenced: number } {
    const stats = this.#publishers.map((publisher) => publisher.stats);
    return {
      published: stats.reduce((sum, { published }) => sum + published, 0),
      fenced: stats.reduce((sum, { fenced }) => sum + fenced, 0),
    };
  }

  accepted(): number {
    return [...this.#positions.values()].reduce((sum, next) => sum + next, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#publishers.map((publisher) => publisher.close()));
    await Promise.all(this.#links.map((link) => link.close()));
  }

  #publish(callId: string, epoch: number, count: number, publisher?: EventPublisher): void {
    const key = `${callId} ${epoch}`;
    for (let i = 0; i < count; i += 1) {
      const position = this.#positions.get(key) ?? 0;
      this.#positions.set(key, position + 1);
      publisher?.publish(media(callId, epoch, position));
    }
  }
}

describe('owners of different epochs, whatever they do and whichever answers are lost', () => {
  it('never get an older event behind a newer one or a claim, nor any event twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        await redis.raw.flushall();
        const owners = new Owners();
        try {
          await owners.open();
          for (const each of steps) await owners.do(each);
          await owners.finish();
          let landed = 0;
          for (const callId of CALLS) {
            const events = await queued(callId);
            landed += events.length;
            expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
            const epochs = events.map(({ epoch }) => epoch);
            expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
            for (const epoch of EPOCHS) {
              const positions = events.filter((e) => e.epoch === epoch).map((e) => e.position);
              expect(positions).toEqual([...positions.keys()]);
            }
            for (const claim of owners.claims.filter((each) => each.callId === callId)) {
              expect(epochs.slice(claim.after).every((epoch) => epoch >= claim.epoch)).toBe(true);
            }
            expect(
              await redis.raw.hget(
                `earshot:{events-${partitionOf(callId)}}:call:${callId}`,
                'published',
              ),
            ).toBe(events.length === 0 ? null : String(events.length));
          }
          const { published, fenced } = owners.totals();
          expect(published).toBe(landed);
          expect(published + fenced).toBe(owners.accepted());
        } finally {
          await owners.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});

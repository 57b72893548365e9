import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { BatchLock } from '../src/batch-lock.js';
import { DeadLetters } from '../src/dead-letters.js';
import { Delivery } from '../src/delivery.js';
import type { EarshotEvent } from '../src/event.js';
import { Names } from '../src/names.js';
import { partitionOf } from '../src/partition.js';
import { speech, useRedis } from './support.js';

/** Pauses between tries take a hundredth: what matters here is the order of things. */
const HASTY_CLOCK: Clock = {
  nowMs: () => systemClock.nowMs(),
  wallclockMs: () => systemClock.wallclockMs(),
  at(timeMs, run) {
    const nowMs = systemClock.nowMs();
    return systemClock.at(nowMs + (timeMs - nowMs) / 100, run);
  },
};

const redis = useRedis();
const names = new Names('earshot');

/** Three calls of one partition. */
const PARTITION = partitionOf('c_0');
const CALLS = Array.from({ length: 100 }, (_, i) => `c_${i}`)
  .filter((callId) => partitionOf(callId) === PARTITION)
  .slice(0, 3);

type End = 'crashBefore' | 'crashInside' | 'crashAfter' | 'loseLock' | 'stop';

interface Plan {
  /** Which call each event is of; its position follows. */
  readonly calls: readonly number[];
  /** Sizes of the jobs, over and over. */
  readonly sizes: readonly number[];
  /** Jobs that come twice, by index. */
  readonly copies: readonly number[];
  /** How often the handler throws on an event, by index; three times makes a dead letter. */
  readonly throws: Readonly<Record<number, number>>;
  /** What happens to the consumers, one after the other: after so many handlings, this. */
  readonly ends: readonly { readonly after: number; readonly end: End }[];
  readonly maxEvents: number;
  /** Whether the handler waits for anything, as real ones do. */
  readonly waits: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  calls: fc.array(fc.nat(CALLS.length - 1), { minLength: 1, maxLength: 24 }),
  sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  copies: fc.array(fc.nat(8), { maxLength: 3 }),
  throws: fc.dictionary(fc.nat(23).map(String), fc.integer({ min: 1, max: 4 }), { maxKeys: 4 }),
  ends: fc.array(
    fc.record({
      after: fc.nat(8),
      end: fc.constantFrom<End[]>('crashBefore', 'crashInside', 'crashAfter', 'loseLock', 'stop'),
    }),
    { maxLength: 6 },
  ),
  maxEvents: fc.constantFrom(1, 1, 3),
  waits: fc.boolean(),
});

function eventsOf({ calls }: Plan): EarshotEvent[] {
  const next = new Map<number, number>();
  return calls.map((call) => {
    const position = next.get(call) ?? 0;
    next.set(call, position + 1);
    return speech(CALLS[call] ?? '', position);
  });
}

/** The queue: what the publisher sent, some of it twice. */
function jobsOf(events: readonly EarshotEvent[], { sizes, copies }: Plan): EarshotEvent[][] {
  const jobs: EarshotEvent[][] = [];
  for (let from = 0, i = 0; from < events.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    jobs.push(events.slice(from, from + size));
    from += size;
  }
  return jobs.flatMap((job, i) => (copies.includes(i) ? [job, job] : [job]));
}

/** All consumers of a plan, one after the other; a job stays first until one has ended it. */
class Run {
  readonly #plan: Plan;
  readonly #events: readonly EarshotEvent[];
  readonly #left: Map<string, number>;
  readonly #open: Redis[] = [];
  readonly #deaths = new Map<EarshotEvent[], number>();
  /** Ids in the order in which they were handled; a crash is told, too. */
  readonly log: (string | 'crash')[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#events = eventsOf(plan);
    this.#left = new Map(
      this.#events.map(({ id }, index) => [id, plan.throws[index] ?? 0] as const),
    );
  }

  get events(): readonly EarshotEvent[] {
    return this.#events;
  }

  async toTheEnd(): Promise<void> {
    const jobs = jobsOf(this.#events, this.#plan);
    const ends = [...this.#plan.ends];
    while (jobs.length > 0) await this.#consume(jobs, ends.shift());
    for (const client of this.#open) client.disconnect();
  }

  /** One consumer, until it ends as planned or there is nothing left. */
  async #consume(jobs: EarshotEvent[][], ending: Plan['ends'][number] | undefined): Promise<void> {
    const client = new Redis(redis.server.url, { maxRetriesPerRequest: null });
    client.on('error', () => {});
    this.#open.push(client);
    let handlings = 0;
    let lock: BatchLock | undefined;
    let crash = () => {};
    let isCrashed = false;
    const crashed = new Promise<'crashed'>((resolve) => {
      crash = () => {
        isCrashed = true;
        this.log.push('crash');
        // Nothing it says from now on is heard.
        client.disconnect();
        resolve('crashed');
      };
    });
    const never = () => new Promise<never>(() => {});
    const delivery = new Delivery({
      client,
      names,
      clock: HASTY_CLOCK,
      subscription: 'default',
      handledTtlMs: 60_000,
      deadLetters: new DeadLetters(client, names, 'default'),
      onError: () => {},
      taker: {
        maxEvents: this.#plan.maxEvents,
        take: async (events) => {
          const end = handlings === ending?.after ? ending.end : undefined;
          handlings += 1;
          if (end === 'crashBefore') {
            crash();
            return never();
          }
          if (this.#plan.waits) await nextTurn();
          if (isCrashed) return never();
          await this.#handle(events);
          if (end === 'crashInside' || end === 'crashAfter') {
            // The handler is done, and the consumer dies before it could say so, or just after.
            if (end === 'crashInside') crash();
            else setImmediate(crash);
            if (end === 'crashInside') return never();
          }
          if (end === 'loseLock') lock?.lose();
          if (end === 'stop') delivery.stop();
        },
      },
    });
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      lock = new BatchLock({
        clock: systemClock,
        leftMs: 60_000,
        durationMs: 60_000,
        renewEveryMs: 60_000,
        renew: async () => true,
      });
      const deaths = this.#deaths.get(job) ?? 0;
      const batch = { partition: PARTITION, values: job, isReplay: false, deaths };
      const outcome = await Promise.race([delivery.deliver(batch, lock), crashed]);
      lock.release();
      if (outcome === 'crashed') {
        this.#deaths.set(job, deaths + 1);
        return;
      }
      if (!outcome) return;
      jobs.shift();
    }
  }

  async #handle(events: readonly EarshotEvent[]): Promise<void> {
    for (const { id } of events) {
      const left = this.#left.get(id) ?? 0;
      if (left === 0) continue;
      this.#left.set(id, left - 1);
      throw new Error(`no ${id}`);
    }
    for (const { id } of events) this.log.push(id);
  }
}

describe('events of a partition', () => {
  it('are handled in order per call without loss, each once but for what a crash cut off', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (planned) => {
        await redis.raw.flushall();
        const run = new Run(planned);
        await run.toTheEnd();
        const dead = new Set(
          (await new DeadLetters(redis.raw, names, 'default').page({})).letters.map(
            ({ event }) => (event as EarshotEvent).id,
          ),
        );
        const first = [...new Set(run.log)].filter((id) => id !== 'crash');
        for (const callId of CALLS) {
          const expected = run.events.filter((e) => e.callId === callId).map(({ id }) => id);
          // Nothing is lost: what was not handled was set aside; and the rest is in order.
          expect(first.filter((id) => id.startsWith(`${callId}/`))).toEqual(
            expected.filter((id) => first.includes(id)),
          );
          for (const id of expected) expect(first.includes(id) || dead.has(id)).toBe(true);
        }
        // Only what a crash cut off comes again: the event at hand, or the batch; of a handler
        // that never waits, what it was given within the same millisecond.
        for (const [index, id] of run.log.entries()) {
          const before = run.log.lastIndexOf(id, index - 1);
          if (id === 'crash' || index === 0 || before < 0) continue;
          const between = run.log.slice(before, index);
          expect(between).toContain('crash');
          if (!planned.waits) continue;
          expect(between.indexOf('crash')).toBeLessThanOrEqual(planned.maxEvents);
        }
        // An event that never fails is never set aside.
        for (const [index, { id }] of run.events.entries()) {
          if (planned.throws[index] === undefined) expect(dead.has(id)).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });
});

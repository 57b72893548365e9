import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LaneOptions } from '../src/outbox-lane.js';
import { OutboxLane } from '../src/outbox-lane.js';
import { speech } from './support.js';

interface Sent {
  readonly batchNumber: number;
  readonly positions: readonly number[];
}

/** A lane whose sending fails as often as told. */
function lane(more: Partial<LaneOptions> & { failures?: readonly boolean[] } = {}) {
  const clock = new VirtualClock();
  const attempts: Sent[] = [];
  const accepted: Sent[] = [];
  const errors: unknown[] = [];
  let sentEvents = 0;
  const outcomes = [...(more.failures ?? [])];
  const created = new OutboxLane({
    clock,
    maxBatch: 3,
    windowMs: 10,
    send: async (batch, batchNumber) => {
      const sent = { batchNumber, positions: batch.map(({ position }) => position) };
      attempts.push(sent);
      if (outcomes.shift() === true) throw new Error('away');
      accepted.push(sent);
    },
    onError: (error) => errors.push(error),
    onSent: (events) => {
      sentEvents += events;
    },
    ...more,
  });
  return { clock, lane: created, attempts, accepted, errors, sentEvents: () => sentEvents };
}

/** Lets pending promises go on, and time pass for those that wait for it. */
async function settle(clock: VirtualClock): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    await Promise.resolve();
    clock.advance(1_000);
  }
}

/** Lets pending promises go on, and no time pass. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

describe('OutboxLane', () => {
  it('sends what comes in one turn in batches, in order', async () => {
    const { lane: outbox, accepted } = lane();
    for (let i = 0; i < 7; i += 1) outbox.push(speech('c_1', i));
    await outbox.flushed();
    expect(accepted).toEqual([
      { batchNumber: 0, positions: [0, 1, 2] },
      { batchNumber: 1, positions: [3, 4, 5] },
      { batchNumber: 2, positions: [6] },
    ]);
  });

  it('repeats a batch under its number until it is taken, before any other', async () => {
    const { clock, lane: outbox, attempts, errors } = lane({ failures: [true, true, true] });
    for (let i = 0; i < 4; i += 1) outbox.push(speech('c_1', i));
    const flushed = outbox.flushed();
    await settle(clock);
    await flushed;
    expect(attempts.map(({ batchNumber }) => batchNumber)).toEqual([0, 0, 0, 0, 1]);
    expect(attempts[3]?.positions).toEqual([0, 1, 2]);
    expect(errors).toHaveLength(1);
  });

  it('waits for as long as sending takes, with one batch on its way', async () => {
    let finish = () => {};
    const numbers: number[] = [];
    const { lane: outbox } = lane({
      send: (_batch, batchNumber) => {
        numbers.push(batchNumber);
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    for (let i = 0; i < 6; i += 1) outbox.push(speech('c_1', i));
    await Promise.resolve();
    await Promise.resolve();
    expect(numbers).toEqual([0]);
    finish();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(numbers).toEqual([0, 1]);
    finish();
    await outbox.flushed();
  });

  it('sends what is alone at once, and then gives a batch time to fill', async () => {
    const { clock, lane: outbox, accepted } = lane();
    const sent = () => accepted.map(({ positions }) => positions);
    outbox.push(speech('c_1', 0));
    await turns();
    expect(sent()).toEqual([[0]]);
    outbox.push(speech('c_1', 1));
    clock.advance(6);
    outbox.push(speech('c_1', 2));
    await turns();
    expect(sent()).toEqual([[0]]);
    clock.advance(4);
    await turns();
    expect(sent()).toEqual([[0], [1, 2]]);
    clock.advance(10);
    outbox.push(speech('c_1', 3));
    await turns();
    expect(sent()).toEqual([[0], [1, 2], [3]]);
  });

  it('waits no longer for a batch that is full, or that somebody waits for', async () => {
    const { clock, lane: outbox, accepted } = lane();
    const sent = () => accepted.map(({ positions }) => positions);
    outbox.push(speech('c_1', 0));
    await turns();
    outbox.push(speech('c_1', 1));
    await turns();
    expect(sent()).toEqual([[0]]);
    outbox.push(speech('c_1', 2));
    outbox.push(speech('c_1', 3));
    outbox.push(speech('c_1', 4));
    await turns();
    expect(sent()).toEqual([[0], [1, 2, 3]]);
    await outbox.flushed();
    expect(sent()).toEqual([[0], [1, 2, 3], [4]]);
    expect(clock.pending).toBe(0);
  });

  it('resolves flushed for what came before it, not for what comes after', async () => {
    let finish = () => {};
    const { lane: outbox } = lane({
      send: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    outbox.push(speech('c_1', 0));
    const flushed = outbox.flushed();
    await Promise.resolve();
    await Promise.resolve();
    outbox.push(speech('c_1', 1));
    finish();
    await flushed;
    outbox.abandon();
  });

  it('gives up when abandoned, and says so to those who wait', async () => {
    const { clock, lane: outbox, attempts } = lane({ failures: new Array<boolean>(99).fill(true) });
    outbox.push(speech('c_1', 0));
    const flushed = outbox.flushed();
    const expectation = expect(flushed).rejects.toMatchObject({ code: 'publisher_closed' });
    await Promise.resolve();
    outbox.abandon();
    await expectation;
    await expect(outbox.flushed()).rejects.toMatchObject({ code: 'publisher_closed' });
    const before = attempts.length;
    await settle(clock);
    expect(attempts.length).toBe(before);
    expect(clock.pending).toBe(0);
  });

  it('brings every event over once, in order, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 15 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
        async (failures, bursts) => {
          const { clock, lane: outbox, accepted, sentEvents } = lane({ failures });
          let position = 0;
          for (const burst of bursts) {
            for (let i = 0; i < burst; i += 1) outbox.push(speech('c_1', position++));
            await Promise.resolve();
          }
          const flushed = outbox.flushed();
          for (let i = 0; i < 5; i += 1) await settle(clock);
          await flushed;
          const positions = accepted.flatMap((sent) => sent.positions);
          expect(positions).toEqual(Array.from({ length: position }, (_, i) => i));
          expect(accepted.map(({ batchNumber }) => batchNumber)).toEqual([...accepted.keys()]);
          expect(sentEvents()).toBe(position);
        },
      ),
    );
  });
});

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GraphLeg } from './support/graph-server.js';
import { Harness, WAIT } from './support/harness.js';
import { rosterItem, stateItem } from './support/notifications.js';

const ADA = { id: 'p-ada', name: 'Ada', sourceId: '101' };

const SIGNS = ['establishing', 'established', 'roster', 'again'] as const;

/** A callback of the leg. */
type Sign = (typeof SIGNS)[number];

describe('a call that Graph made without saying so', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host({ capacity: 100 });
  });

  afterAll(() => harness.close());

  const orders: fc.Arbitrary<(Sign | 'retry')[]> = fc
    .subarray([...SIGNS], { minLength: 1 })
    .chain((signs) =>
      fc.shuffledSubarray<Sign | 'retry'>([...signs, 'retry'], { minLength: signs.length + 1 }),
    );

  it('leaves no second bot, whenever its callbacks and the second try come', async () => {
    await fc.assert(
      fc.asyncProperty(orders, fc.boolean(), async (order, isAnswerLate) => {
        const { leg: first, isMade } = await joinUnanswered(isAnswerLate);
        if (isMade) return keepsIt(first, order);
        let second: GraphLeg | undefined;
        for (const happening of order) {
          if (happening === 'retry') second = await join();
          else await callBack(first, happening);
        }
        if (second === undefined) throw new Error('there must be a second try');
        expect(second.callbackUri).not.toBe(first.callbackUri);
        await harness.graph.notify([stateItem(second.id, 'established')], { leg: second });
        await harness.reaches(callIdOf(second), 'established');
        await vi.waitUntil(() => !first.alive, WAIT);
        expect(second.alive).toBe(true);
        await harness.closed(callIdOf(first));
        await hangUp(second);
        expect(harness.graph.count('DELETE', first.id)).toBe(1);
      }),
      { numRuns: 12 },
    );
  });

  /** The callback was faster than the loss of the answer: nobody has to try again. */
  async function keepsIt(leg: GraphLeg, order: readonly (Sign | 'retry')[]): Promise<void> {
    for (const happening of order) if (happening !== 'retry') await callBack(leg, happening);
    await callBack(leg, 'established');
    await harness.reaches(callIdOf(leg), 'established');
    expect(leg.alive).toBe(true);
    await hangUp(leg);
    expect(harness.graph.count('DELETE', leg.id)).toBe(1);
  }

  /** Graph's answer is lost, at once or when a callback may already have told of the leg. */
  async function joinUnanswered(
    isAnswerLate: boolean,
  ): Promise<{ leg: GraphLeg; isMade: boolean }> {
    harness.graph.answerNext('create', 'cut');
    if (!isAnswerLate) {
      expect((await harness.join()).status).toBe(502);
      return { leg: harness.graph.lastLeg, isMade: false };
    }
    const held = harness.graph.holdNextCreate();
    const joining = harness.join();
    const leg = await held.leg;
    await callBack(leg, 'establishing');
    held.release();
    const { status } = await joining;
    expect([201, 502]).toContain(status);
    return { leg, isMade: status === 201 };
  }

  async function join(): Promise<GraphLeg> {
    expect((await harness.join()).status).toBe(201);
    return harness.graph.lastLeg;
  }

  async function callBack(leg: GraphLeg, sign: Sign): Promise<void> {
    const item =
      sign === 'roster'
        ? rosterItem(leg.id, [ADA])
        : stateItem(leg.id, sign === 'again' ? 'established' : sign);
    expect((await harness.graph.notify([item], { leg })).status).toBe(202);
  }

  async function hangUp(leg: GraphLeg): Promise<void> {
    await harness.request('DELETE', `/v1/calls/${callIdOf(leg)}`);
    await vi.waitUntil(() => !leg.alive, WAIT);
  }

  function callIdOf({ blob }: GraphLeg): string {
    return String(blob).replace('blob-', '');
  }
});

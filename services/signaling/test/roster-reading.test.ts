import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ROSTER_GRACE_MS } from '../src/calls/roster-reading.js';
import type { TestHost } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import type { Attendee } from './support/notifications.js';
import { deltaItem, participantEntry, rosterItem, stateItem } from './support/notifications.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

describe('a roster that is not whole', () => {
  let harness: Harness;
  let clock: VirtualClock;
  let host: TestHost;

  beforeEach(async () => {
    harness = await Harness.open();
    clock = new VirtualClock();
    await harness.start({ clock });
    host = await harness.host();
    await harness.worker();
  });

  afterEach(() => harness.close());

  const ada: Attendee = { id: 'p-ada', name: 'Ada', sourceId: '213' };
  const bob: Attendee = { id: 'p-bob', name: 'Bob', sourceId: '214' };

  async function established() {
    const { id } = (await harness.join()).body;
    const leg = harness.graph.lastLeg;
    const self = (await harness.registry.readCall(id))?.model.myParticipantId ?? '';
    const bot: Attendee = { id: self, name: 'Bot', sourceId: '1', kind: 'application' };
    await harness.graph.notify([stateItem(leg.id, 'established')]);
    await harness.reaches(id, 'established');
    return { id, leg, bot };
  }

  const reads = () => harness.graph.count('GET', '/participants');

  async function names(id: string): Promise<string[]> {
    const { participants } = await harness.call(id);
    return participants.map(({ displayName = '' }) => displayName).sort();
  }

  /** Waits, without time passing, until the record says that the roster is wanted. */
  function wanted(id: string): Promise<unknown> {
    return vi.waitUntil(async () => {
      const record = await harness.registry.readCall(id);
      return Object(record?.service)['roster'] !== undefined;
    }, WAIT);
  }

  /** Lets time pass without the host, which an attached call does not need: in longer steps. */
  async function passAlone(id: string, durationMs: number): Promise<void> {
    await vi.waitUntil(async () => (await harness.call(id)).media.attached, WAIT);
    await harness.disconnect(host);
    await harness.pass(clock, durationMs, MINUTE_MS);
  }

  it('for the bot is not in it is read from Graph, once', async () => {
    const { id, leg, bot } = await established();
    leg.participants = [bot, ada, bob].map(participantEntry);
    await harness.graph.notify([rosterItem(leg.id, [ada])]);
    await wanted(id);
    expect(reads()).toBe(0);
    await vi.waitUntil(async () => {
      await harness.pass(clock, ROSTER_GRACE_MS);
      return (await names(id)).length === 3;
    }, WAIT);
    expect(await names(id)).toEqual(['Ada', 'Bob', 'Bot']);
    expect(await harness.registry.participantOfSource(id, '214')).toMatchObject({
      participantId: 'p-bob',
    });
    await passAlone(id, HOUR_MS);
    expect(reads()).toBe(1);
  });

  it('for a delta is missing is read from Graph, and what came later stays', async () => {
    const { id, leg, bot } = await established();
    leg.participants = [bot, ada].map(participantEntry);
    await harness.graph.notify([deltaItem(leg.id, 1, [bot, bob])]);
    await harness.graph.notify([deltaItem(leg.id, 3, [ada])]);
    await wanted(id);
    await vi.waitUntil(async () => {
      await harness.pass(clock, ROSTER_GRACE_MS);
      return reads() > 0;
    }, WAIT);
    // Bob left with the delta that was lost.
    await vi.waitUntil(async () => (await names(id)).join() === 'Ada,Bot', WAIT);
    await harness.graph.notify([deltaItem(leg.id, 4, [bob])]);
    await vi.waitUntil(async () => (await names(id)).join() === 'Ada,Bob,Bot', WAIT);
    await passAlone(id, HOUR_MS);
    expect(reads()).toBe(1);
  });

  it('is not asked for without end when the bot never is in it', async () => {
    const { id, leg } = await established();
    leg.participants = [ada].map(participantEntry);
    await harness.graph.notify([rosterItem(leg.id, [ada])]);
    await wanted(id);
    await passAlone(id, HOUR_MS);
    await vi.waitUntil(() => reads() === 5, WAIT);
    await harness.pass(clock, HOUR_MS, MINUTE_MS);
    expect(reads()).toBe(5);
  });

  it('of a call that Graph no longer knows ends it', async () => {
    const { id, leg } = await established();
    await harness.graph.notify([rosterItem(leg.id, [ada])]);
    await wanted(id);
    leg.alive = false;
    await harness.pass(clock, ROSTER_GRACE_MS);
    expect((await harness.reaches(id, 'terminated')).result?.cause).toBe('call_gone');
  });
});

import { VirtualClock } from '@earshot/async';
import type { SourceOwner, SourceOwners } from '@earshot/call';
import type { MediaEventDraft } from '@earshot/media-session';
import { describe, expect, it } from 'vitest';
import { Attribution, KNOWN_FOR_MS } from '../src/attribution.js';
import { CallJournal } from '../src/call-journal.js';

const ADA: SourceOwner = { participantId: 'p-a', displayName: 'Ada' };

/** A roster under the test's hand, and how often it was asked. */
class Roster {
  readonly known = new Map<string, SourceOwners>();
  away = false;
  asked = 0;
  readonly lookUp = async (sourceId: string): Promise<SourceOwners> => {
    this.asked += 1;
    if (this.away) throw new Error('away');
    return this.known.get(sourceId) ?? [];
  };
}

async function settle(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

function open(waitMs: number): { roster: Roster; clock: VirtualClock; attribution: Attribution } {
  const roster = new Roster();
  const clock = new VirtualClock();
  return { roster, clock, attribution: new Attribution({ lookUp: roster.lookUp, clock, waitMs }) };
}

describe('attribution', () => {
  it('asks once for what is known', async () => {
    const { roster, clock, attribution } = open(2000);
    roster.known.set('11', [{ ...ADA, fromMs: 0 }]);
    attribution.expect('11');
    expect(await attribution.resolve('11', clock.wallclockMs())).toEqual(ADA);
    expect(await attribution.resolve('11', clock.wallclockMs())).toEqual(ADA);
    expect(attribution.known('11')).toEqual(ADA);
    expect(roster.asked).toBe(1);
  });

  it('names who spoke at the time when a source changed hands', async () => {
    const { roster, clock, attribution } = open(2000);
    const startMs = clock.wallclockMs();
    roster.known.set('11', [{ ...ADA, fromMs: startMs }]);
    expect(await attribution.resolve('11', startMs)).toEqual(ADA);
    const bob = { participantId: 'p-b' };
    const toMs = startMs + 60_000;
    roster.known.set('11', [
      { ...ADA, fromMs: startMs, toMs },
      { ...bob, fromMs: toMs + 60_000 },
    ]);
    clock.advance(KNOWN_FOR_MS);
    expect(await attribution.resolve('11', toMs + 90_000)).toEqual(bob);
    expect(await attribution.resolve('11', toMs - 1)).toEqual(ADA);
    expect(roster.asked).toBe(2);
  });

  it('keeps what it knows while the roster is away', async () => {
    const { roster, clock, attribution } = open(2000);
    roster.known.set('11', [{ ...ADA, fromMs: 0 }]);
    await attribution.resolve('11', clock.wallclockMs());
    roster.away = true;
    clock.advance(KNOWN_FOR_MS);
    expect(await attribution.resolve('11', clock.wallclockMs())).toEqual(ADA);
    expect(roster.asked).toBe(2);
  });

  it('waits for a new source, and then with each event asks once more', async () => {
    const { roster, clock, attribution } = open(2000);
    attribution.expect('11');
    let resolved = false;
    const first = attribution.resolve('11', clock.wallclockMs()).finally(() => {
      resolved = true;
    });
    for (let n = 0; n < 39; n += 1) {
      await settle();
      clock.advance(50);
    }
    await settle();
    expect(resolved).toBe(false);
    clock.advance(50);
    expect(await first).toBeUndefined();
    const asked = roster.asked;
    expect(await attribution.resolve('11', clock.wallclockMs())).toBeUndefined();
    expect(roster.asked).toBe(asked + 1);
    roster.known.set('11', [{ ...ADA, fromMs: 0 }]);
    expect(await attribution.resolve('11', clock.wallclockMs())).toEqual(ADA);
  });

  it('takes a roster that is away for one that does not know', async () => {
    const { roster, clock, attribution } = open(100);
    roster.away = true;
    attribution.expect('11');
    const resolved = attribution.resolve('11', clock.wallclockMs());
    await settle();
    roster.away = false;
    roster.known.set('11', [{ ...ADA, fromMs: 0 }]);
    clock.advance(50);
    expect(await resolved).toEqual(ADA);
  });

  it('stops waiting when told to hurry', async () => {
    const { clock, attribution } = open(60_000);
    attribution.expect('11');
    const resolved = attribution.resolve('11', clock.wallclockMs());
    await settle();
    attribution.hurry();
    clock.advance(50);
    expect(await resolved).toBeUndefined();
  });
});

describe('the journal of a call', () => {
  const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

  function draft(sourceId: string | null, n: number): MediaEventDraft {
    const data = { startMs: n };
    return { id: `e${n}`, type: 'speech.started', mediaTimeMs: n, sourceId, data };
  }

  it('keeps the order, also of events that wait for no name, and numbers them', async () => {
    const { roster, clock, attribution } = open(1000);
    const taken: [string, number, string | undefined][] = [];
    const journal = new CallJournal({
      callId: 'c_1',
      epoch: 1,
      attribution,
      clock,
      log: SILENT,
      sink: {
        publish: ({ id, position, participant }) => taken.push([id, position, participant?.id]) > 0,
        flushed: async () => {},
      },
    });
    attribution.expect('11');
    journal.add(draft('11', 0));
    journal.add(draft(null, 1));
    await settle();
    expect(taken).toEqual([]);
    expect(journal.isFlushed).toBe(false);
    roster.known.set('11', [{ ...ADA, fromMs: 0 }]);
    clock.advance(50);
    await journal.flushed();
    expect(taken).toEqual([
      ['e0', 0, 'p-a'],
      ['e1', 1, undefined],
    ]);
    expect(journal.isFlushed).toBe(true);
  });

  it('holds back what the outbox has no room for, and loses nothing', async () => {
    const { clock, attribution } = open(0);
    const taken: number[] = [];
    let room = 1;
    const journal = new CallJournal({
      callId: 'c_1',
      epoch: 1,
      attribution,
      clock,
      log: SILENT,
      sink: {
        publish({ position }) {
          if (room === 0) return false;
          room -= 1;
          return taken.push(position) > 0;
        },
        flushed: async () => {},
      },
    });
    for (let n = 0; n < 3; n += 1) journal.add(draft(null, n));
    await settle();
    expect(taken).toEqual([0]);
    room = 9;
    clock.advance(100);
    await journal.flushed();
    expect(taken).toEqual([0, 1, 2]);
    expect(journal.refused).toBe(0);
  });

  it('leaves a hole in the numbers for what it has to lose, and says so once', async () => {
    const { clock, attribution } = open(0);
    const taken: number[] = [];
    const losses: unknown[] = [];
    let hasRoom = false;
    const journal = new CallJournal({
      callId: 'c_1',
      epoch: 1,
      attribution,
      clock,
      log: { ...SILENT, error: (_, fields) => losses.push(fields) },
      sink: {
        publish: ({ position }) => hasRoom && taken.push(position) > 0,
        flushed: async () => {},
      },
    });
    for (let n = 0; n < 10_002; n += 1) journal.add(draft(null, n));
    hasRoom = true;
    await settle();
    clock.advance(100);
    await journal.flushed();
    journal.add(draft(null, 10_002));
    await journal.flushed();
    expect(journal.refused).toBe(2);
    expect(taken.slice(-2)).toEqual([9_999, 10_002]);
    expect(losses).toEqual([{ callId: 'c_1', waiting: 10_000, position: 10_000 }]);
    expect(journal.isFlushed).toBe(true);
  });
});

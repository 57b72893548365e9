import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DominantChange } from '../src/index.js';
import { DominantSpeaker, TalkLedger } from '../src/index.js';

type Spurt = readonly [speaker: string, startMs: number, endMs: number];

function ledgerOf(spurts: readonly Spurt[], untilMs: number): TalkLedger {
  const ledger = new TalkLedger();
  for (const [speaker, startMs, endMs] of spurts) {
    ledger.started(speaker, startMs);
    ledger.ended(speaker, startMs, endMs);
  }
  ledger.settle(untilMs);
  return ledger;
}

describe('talk time', () => {
  it('is counted for each and for all, and so is what they say at once', () => {
    const { totals } = ledgerOf(
      [
        ['a', 0, 1000],
        ['b', 600, 1500],
        ['c', 900, 950],
        ['a', 2000, 2100],
      ],
      3000,
    );
    expect(totals).toEqual({
      ...{ startMs: 0, endMs: 3000, talkMs: 1600, overlapMs: 400 },
      speakers: [
        { speaker: 'a', talkMs: 1100, talkspurts: 2, overlapMs: 400 },
        { speaker: 'b', talkMs: 900, talkspurts: 1, overlapMs: 400 },
        { speaker: 'c', talkMs: 50, talkspurts: 1, overlapMs: 50 },
      ],
    });
  });

  it('counts speech that goes on, and speech whose begin another worker heard from there on', () => {
    const nothing = { talkMs: 0, overlapMs: 0, speakers: [], spurts: [] };
    const ledger = new TalkLedger({ state: { startMs: 5000, settledMs: 5000, ...nothing } });
    ledger.ended('a', 3000, 5600);
    ledger.started('b', 5500);
    ledger.settle(6000);
    expect(ledger.totals).toMatchObject({ startMs: 5000, talkMs: 1000, overlapMs: 100 });
    ledger.ended('b', 5500, 5900);
    ledger.settle(7000);
    // Settled is settled.
    expect(ledger.totals).toMatchObject({ talkMs: 1000, endMs: 7000 });
  });

  it('does not count again what is told again', () => {
    const ledger = ledgerOf([['a', 0, 1000]], 500);
    ledger.started('a', 0.1);
    ledger.ended('a', 0, 1000);
    ledger.settle(2000);
    expect(ledger.totals).toMatchObject({ talkMs: 1000, speakers: [{ talkspurts: 1 }] });
  });
});

const talk: fc.Arbitrary<Spurt[]> = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.integer({ min: 2, max: 3000 }),
      fc.integer({ min: 1, max: 4000 }),
    ),
    {
      maxLength: 20,
    },
  )
  .map((list) => {
    const endOf = new Map<string, number>();
    return list.map(([speaker, pauseMs, talkMs]) => {
      const startMs = (endOf.get(speaker) ?? 0) + pauseMs;
      endOf.set(speaker, startMs + talkMs);
      return [speaker, startMs, startMs + talkMs] as const;
    });
  });

/** What is told of spurts, in the order and as late as it is, with time settled in steps. */
function live(
  spurts: readonly Spurt[],
  stepMs: number,
): { ledger: TalkLedger; changes: DominantChange[] } {
  const changes: DominantChange[] = [];
  const dominant = new DominantSpeaker((change) => changes.push(change));
  const ledger = new TalkLedger({
    onStretch: (speaking, fromMs, toMs) => dominant.stretch(speaking, fromMs, toMs),
  });
  const told = spurts
    .flatMap(([speaker, startMs, endMs]) => [
      { atMs: startMs + 100, tell: () => ledger.started(speaker, startMs) },
      { atMs: endMs + 300, tell: () => ledger.ended(speaker, startMs, endMs) },
    ])
    .sort((one, other) => one.atMs - other.atMs);
  const lastMs = (told.at(-1)?.atMs ?? 0) + 20_000;
  let next = 0;
  for (let nowMs = 0; nowMs < lastMs; nowMs += stepMs) {
    for (; (told[next]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs; next += 1) told[next]?.tell();
    ledger.settle(nowMs - 400);
  }
  ledger.settle(100_000);
  return { ledger, changes };
}

describe('any talk', () => {
  it('adds up the same however time is settled, and to no more than there is', () => {
    fc.assert(
      fc.property(talk, fc.integer({ min: 20, max: 5000 }), (spurts, stepMs) => {
        const { totals } = live(spurts, stepMs).ledger;
        expect(totals).toEqual(live(spurts, 137).ledger.totals);
        const sum = totals.speakers.reduce((ms, { talkMs }) => ms + talkMs, 0);
        expect(sum).toBe(spurts.reduce((ms, [, startMs, endMs]) => ms + endMs - startMs, 0));
        expect(totals.talkMs).toBeLessThanOrEqual(sum);
        expect(totals.overlapMs).toBeLessThanOrEqual(totals.talkMs);
        expect(sum).toBeGreaterThanOrEqual(totals.talkMs + totals.overlapMs);
      }),
    );
  });

  it('has the same dominant speakers however time is settled, each one another, and in the end nobody', () => {
    fc.assert(
      fc.property(talk, fc.integer({ min: 20, max: 5000 }), (spurts, stepMs) => {
        const { changes } = live(spurts, stepMs);
        expect(changes).toEqual(live(spurts, 137).changes);
        changes.forEach((change, n) => {
          expect(change.previous).toBe(changes[n - 1]?.speaker ?? null);
          expect(change.speaker).not.toBe(change.previous);
        });
        expect(changes.at(-1)?.speaker ?? null).toBeNull();
      }),
    );
  });
});

describe('the dominant speaker', () => {
  function speakers(spurts: readonly Spurt[]): string {
    return live(spurts, 100)
      .changes.map(({ speaker, sinceMs }) => `${speaker}@${sinceMs}`)
      .join(' ');
  }

  it('is who speaks for a second, and another soon after they take turns', () => {
    expect(
      speakers([
        ['a', 1000, 6000],
        ['b', 6200, 12_000],
      ]),
    ).toBe('a@2000 b@7700 null@17000');
  });

  it('stays through a cough, an interjection and a pause', () => {
    const long: Spurt = ['a', 0, 8000];
    expect(speakers([long, ['b', 3000, 3400], ['b', 5000, 6000], ['a', 10_000, 12_000]])).toBe(
      'a@1000 null@17000',
    );
    expect(speakers([['b', 0, 500]])).toBe('');
  });

  it('is who the host says, once it says so', () => {
    const changes: DominantChange[] = [];
    const dominant = new DominantSpeaker((change) => changes.push(change));
    dominant.stretch(['a'], 0, 3000);
    dominant.hostSays('b', 3100);
    dominant.hostSays('b', 3200);
    dominant.stretch(['a'], 3000, 9000);
    dominant.hostSays(null, 9000);
    expect(changes.map(({ speaker, previous, origin }) => [speaker, previous, origin])).toEqual([
      ['a', null, 'heard'],
      ['b', 'a', 'host'],
      [null, 'b', 'host'],
    ]);
  });

  it('takes a stretch of a thousand years in its stride', () => {
    const dominant = new DominantSpeaker(() => {});
    dominant.stretch(['a'], 0, 3e13);
    expect(dominant.current).toBe('a');
  });
});

describe('times that can not be', () => {
  const extreme = fc.oneof(
    fc.constantFrom(0, 2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 53), 2 ** 60, -(2 ** 60)),
    fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Infinity, -Infinity, Number.NaN),
    fc.double(),
  );

  it('end a stretch in as many looks as 30 s have', () => {
    fc.assert(
      fc.property(extreme, extreme, (fromMs, toMs) => {
        let changes = 0;
        const dominant = new DominantSpeaker(() => {
          changes += 1;
        });
        dominant.stretch(['a'], fromMs, toMs);
        expect(changes).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are counted without end in memory or time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(extreme, extreme), { maxLength: 20 }), (spurts) => {
        const ledger = ledgerOf([], 0);
        for (const [startMs, endMs] of spurts) {
          ledger.started('a', startMs);
          ledger.ended('b', startMs, endMs);
          ledger.settle(endMs);
        }
        expect(ledger.totals.speakers.length).toBeLessThanOrEqual(2);
      }),
    );
    // Nobody says what time it is.
    const ledger = new TalkLedger();
    for (let n = 0; n < 10_000; n += 1) ledger.ended('a', n * 100, n * 100 + 50);
    ledger.settle(1_000_000);
    expect(ledger.totals.talkMs).toBe(4096 * 50);
  });
});

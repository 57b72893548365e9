import type { Digit } from '@earshot/dtmf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ToneDraft } from '../src/index.js';
import {
  findingEvent,
  hostToneEvent,
  LATE_NAMING_WAIT_MS,
  NAMING_WAIT_MS,
  ToneFolder,
} from '../src/index.js';

interface Report {
  readonly draft: ToneDraft;
  readonly way: string;
}

function heard(digit: Digit, sourceId: string | null, startMs: number, durationMs = 60): Report {
  const identity = { callId: 'c', mediaId: 'm', epoch: 1, streamId: 9, ordinal: 0, sourceId };
  const kind = sourceId === null ? 'mixed' : 'unmixed';
  const finding = {
    kind: 'tone' as const,
    ...{ digit, startMs, durationMs, levelDbfs: -20, twistDb: 0, confidence: 1, acrossGap: false },
  };
  const draft = findingEvent({ ...identity, kind, codec: 'opus' }, finding);
  if (draft.type !== 'tone.detected') throw new Error('must be a tone');
  return { draft, way: sourceId ?? 'mixed9' };
}

function reported(digit: Digit, sourceId: string | null, startMs: number): Report {
  const draft = hostToneEvent({ callId: 'c', mediaId: 'm', sourceId, digit, startMs, ordinal: 0 });
  return { draft, way: 'host' };
}

/** What is told when all reports come at once, and then time passes. */
function fold(reports: readonly Report[], hasNamed = true): ToneDraft[] {
  const told: ToneDraft[] = [];
  const folder = new ToneFolder({ tell: (draft) => told.push(draft) });
  for (const { draft, way } of reports) folder.accept(draft, way, 0, hasNamed);
  folder.flush();
  return told;
}

function keys(told: readonly ToneDraft[]): string {
  return told
    .map(({ data, sourceId }) => `${data.digit}${sourceId ?? '?'}${data.origin[0]}`)
    .join(' ');
}

describe('reports of one tone', () => {
  it.each([
    ['the same begin', 1000],
    ['150 ms before', 850],
    ['150 ms after', 1150],
    ['within a tone that is held', 2900],
    ['150 ms after its end', 3150],
  ])('are one event, told by who was first: %s', (_, hostMs) => {
    const both = [heard('5', 'a', 1000, 2000), reported('5', 'a', hostMs)] as const;
    expect(keys(fold(both))).toBe('5ai');
    expect(keys(fold(both.toReversed()))).toBe('5ah');
  });

  it.each([
    ['too early', reported('5', 'a', 849)],
    ['too late', reported('5', 'a', 1211)],
    ['another digit', reported('6', 'a', 1000)],
    ['another source', reported('5', 'b', 1000)],
  ])('are two events: %s', (_, report) => {
    expect(fold([heard('5', 'a', 1000), report])).toHaveLength(2);
  });

  it('are never folded when one detector heard both', () => {
    const quick = [heard('1', 'a', 0, 45), heard('1', 'a', 90, 45)];
    expect(keys(fold(quick))).toBe('1ai 1ai');
    const late = [reported('1', 'a', 70), reported('1', 'a', 160)];
    expect(keys(fold([...late, ...quick]))).toBe('1ah 1ah');
    expect(keys(fold([...quick, ...late]))).toBe('1ai 1ai');
    expect(keys(fold([quick[0]!, late[0]!, quick[1]!, late[1]!]))).toBe('1ai 1ai');
  });

  it('have the name that one of them gives', () => {
    expect(keys(fold([heard('5', null, 0), heard('5', 'a', 5)]))).toBe('5ai');
    expect(keys(fold([reported('5', null, 0), heard('5', null, 5)]))).toBe('5?i');
    expect(keys(fold([heard('5', null, 0), heard('5', 'a', 5), heard('5', 'b', 9)]))).toBe(
      '5ai 5bi',
    );
  });

  it('without a name wait for one, but only where there could be one, and not for long', () => {
    const told: ToneDraft[] = [];
    const folder = new ToneFolder({ tell: (draft) => told.push(draft) });
    const { draft, way } = reported('5', null, 100);
    folder.accept(draft, way, 1000, true);
    const named = heard('6', 'a', 200);
    folder.accept(named.draft, named.way, 1001, true);
    expect(told).toEqual([]);
    expect(folder.deadlineMs).toBe(1000 + NAMING_WAIT_MS);
    folder.advance(1000 + NAMING_WAIT_MS);
    // In order: what came after it waited too.
    expect(keys(told)).toBe('5?h 6ai');
    expect(folder.deadlineMs).toBeUndefined();
    expect(keys(fold([reported('5', null, 100), heard('5', 'a', 100)], false))).toBe('5?h');
  });

  it('without a name wait longer for streams that are behind, to a limit', () => {
    let isBehind = true;
    const told: ToneDraft[] = [];
    const tell = (draft: ToneDraft): void => void told.push(draft);
    const folder = new ToneFolder({ tell, areBehind: () => isBehind });
    const unnamed = heard('5', null, 100);
    folder.accept(unnamed.draft, unnamed.way, 1000, true);
    folder.advance(1000 + NAMING_WAIT_MS);
    expect(told).toEqual([]);
    const named = heard('5', 'a', 105);
    folder.accept(named.draft, named.way, 1400, true);
    expect(keys(told)).toBe('5ai');
    const next = heard('6', null, 500);
    folder.accept(next.draft, next.way, 2000, true);
    folder.advance(2000 + LATE_NAMING_WAIT_MS - 1);
    expect(keys(told)).toBe('5ai');
    expect(folder.deadlineMs).toBe(2000 + LATE_NAMING_WAIT_MS);
    folder.advance(2000 + LATE_NAMING_WAIT_MS);
    expect(keys(told)).toBe('5ai 6?i');
    const last = heard('7', null, 900);
    folder.accept(last.draft, last.way, 4000, true);
    isBehind = false;
    folder.advance(4000 + NAMING_WAIT_MS);
    expect(keys(told)).toBe('5ai 6?i 7?i');
  });

  it('are of two people when the host says that two pressed a key at once', () => {
    expect(keys(fold([reported('5', 'a', 1000), reported('5', 'b', 1010)]))).toBe('5ah 5bh');
  });

  it('have ids without the digit, the same when they come again', () => {
    const first = new ToneFolder({ tell: (draft) => told.push(draft) });
    const told: ToneDraft[] = [];
    const idOf = (folder: ToneFolder, digit: Digit, startMs: number): string => {
      const ordinal = folder.ordinalOf(digit, 'host', startMs);
      const draft = hostToneEvent({
        ...{ callId: 'c', mediaId: 'm', sourceId: null, digit, startMs, ordinal },
      });
      folder.accept(draft, 'host', 0, false);
      return draft.id;
    };
    const presses = [
      ['1', 0],
      ['9', 0.2],
      ['9', 400],
    ] as const;
    const ids = presses.map(([digit, startMs]) => idOf(first, digit, startMs));
    expect(ids).toEqual([
      'c.m.hostTone.call.0.0',
      'c.m.hostTone.call.0.1',
      'c.m.hostTone.call.400.0',
    ]);
    expect(told.map(({ id }) => id)).toEqual(ids);
    expect(presses.map(([digit, startMs]) => idOf(first, digit, startMs))).toEqual(ids);
    const second = new ToneFolder({
      tell: () => {},
      state: { told: first.state.told.slice(0, 1) },
    });
    expect(presses.map(([digit, startMs]) => idOf(second, digit, startMs))).toEqual(ids);
  });

  it('are known again by who goes on, whatever was told', () => {
    const told: ToneDraft[] = [];
    const first = new ToneFolder({ tell: (draft) => told.push(draft) });
    const before = [reported('1', 'a', 0), heard('1', 'a', 10), heard('2', 'a', 300)];
    for (const { draft, way } of before) first.accept(draft, way, 0, true);
    const state = JSON.parse(JSON.stringify(first.state));
    const second = new ToneFolder({ tell: (draft) => told.push(draft), state });
    const again = [heard('1', 'a', 10), heard('2', 'a', 300.4), reported('2', 'a', 320)];
    for (const { draft, way } of again) second.accept(draft, way, 0, true);
    second.flush();
    expect(keys(told)).toBe('1ah 2ai');
    expect(second.again).toBe(2);
    expect(second.folded).toBe(1);
  });
});

/** Key presses of some people, at least 80 ms apart for each. */
const presses = fc
  .array(
    fc.record({
      sourceId: fc.constantFrom('a', 'b'),
      digit: fc.constantFrom<Digit>('1', '1', '2', '#'),
      afterMs: fc.integer({ min: 80, max: 700 }),
    }),
    { maxLength: 12 },
  )
  .map((list) => {
    const atMs = { a: 0, b: 0 };
    return list.map(({ sourceId, digit, afterMs }) => {
      const person = sourceId === 'a' ? 'a' : 'b';
      atMs[person] += afterMs;
      const startMs = atMs[person];
      return { heard: heard(digit, person, startMs, 45), host: { digit, person, startMs } };
    });
  });

describe('any key presses', () => {
  it('that one detector heard are all told, in its order', () => {
    fc.assert(
      fc.property(presses, (list) => {
        expect(fold(list.map((press) => press.heard))).toHaveLength(list.length);
      }),
    );
  });

  it('that detector and host both tell of are told once, whatever the order of the two', () => {
    fc.assert(
      fc.property(
        presses,
        fc.array(fc.boolean()),
        fc.integer({ min: -60, max: 60 }),
        (list, hostLeads, lateMs) => {
          // Each of the two comes in its own order; which is ahead of the other is left to chance.
          const own = list.map((press) => press.heard);
          const host = list.map(({ host: { digit, person, startMs } }) =>
            reported(digit, person, startMs + lateMs),
          );
          const mixed = merge(own, host, hostLeads);
          const told = fold(mixed);
          expect(told).toHaveLength(list.length);
          expect(new Set(told.map(({ id }) => id)).size).toBe(list.length);
        },
      ),
    );
  });

  it('are told once though all comes again to who goes on', () => {
    fc.assert(
      fc.property(presses, fc.nat(12), (list, cut) => {
        const told: ToneDraft[] = [];
        const tell = (draft: ToneDraft): void => void told.push(draft);
        const reports = list.map((press) => press.heard);
        const first = new ToneFolder({ tell });
        for (const { draft, way } of reports.slice(0, cut)) first.accept(draft, way, 0, true);
        const second = new ToneFolder({ tell, state: structuredClone(first.state) });
        for (const { draft, way } of reports) second.accept(draft, way, 0, true);
        expect(told.map(({ id }) => id).sort()).toEqual(
          reports.map(({ draft }) => draft.id).sort(),
        );
      }),
    );
  });
});

function merge<T>(one: readonly T[], other: readonly T[], otherLeads: readonly boolean[]): T[] {
  const merged: T[] = [];
  let [n, m] = [0, 0];
  for (const leads of [...otherLeads, ...one.map(() => false), ...other.map(() => true)]) {
    if (leads && m < other.length) merged.push(other[m++]!);
    else if (!leads && n < one.length) merged.push(one[n++]!);
  }
  return [...merged, ...other.slice(m), ...one.slice(n)];
}

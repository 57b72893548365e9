import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collection, CollectionSettings, Digit, KeyPress } from '../src/index.js';
import { DIGITS, DigitCollector } from '../src/index.js';

const SETTINGS: CollectionSettings = {
  ...{ maxDigits: 4, terminator: '#', interDigitMs: 3000, firstDigitMs: null },
};

function press(digit: Digit, startMs: number, durationMs = 100): KeyPress {
  return { digit, startMs, endMs: startMs + durationMs };
}

function collect(presses: readonly KeyPress[], settings = SETTINGS): Collection[] {
  const collector = new DigitCollector(settings);
  return presses.flatMap((each) => collector.press(each));
}

describe('keys of one source', () => {
  it('are over when there are enough of them', () => {
    const four = [press('1', 0), press('2', 500), press('3', 1000), press('4', 1500)];
    expect(collect([...four, press('5', 2000)])).toEqual([
      { digits: '1234', reason: 'length', sinceMs: 0, startMs: 0, endMs: 1600 },
    ]);
  });

  it('are over with the terminator, which is not one of them', () => {
    expect(collect([press('1', 0), press('#', 500), press('#', 1000)])).toEqual([
      { digits: '1', reason: 'terminator', sinceMs: 0, startMs: 0, endMs: 600 },
      { digits: '', reason: 'terminator', sinceMs: 1000, startMs: 1000, endMs: 1100 },
    ]);
    expect(collect([press('1', 0), press('#', 500)], { ...SETTINGS, terminator: null })).toEqual(
      [],
    );
  });

  it('are over after a pause, whether time is told or the next key tells it', () => {
    const over = { digits: '1', reason: 'interDigitTimeout', sinceMs: 0, startMs: 0, endMs: 3100 };
    const collector = new DigitCollector(SETTINGS);
    collector.press(press('1', 0));
    expect(collector.deadlineMs).toBe(3100);
    expect(collector.advance(3099)).toEqual([]);
    expect(collector.advance(3100)).toEqual([over]);
    expect(collector.deadlineMs).toBeNull();
    expect(collect([press('1', 0), press('2', 3000)])).toEqual([over]);
    expect(collect([press('1', 0), press('2', 2999)])).toEqual([]);
  });

  it('are over, and none, when no first one comes; that is told once', () => {
    const collector = new DigitCollector({ ...SETTINGS, firstDigitMs: 5000 });
    collector.begin(1000);
    expect(collector.advance(6000)).toEqual([
      { digits: '', reason: 'firstDigitTimeout', sinceMs: 1000, startMs: null, endMs: 6000 },
    ]);
    expect(collector.advance(1e9)).toEqual([]);
    expect(collector.press(press('#', 2e9))).toHaveLength(1);
    expect(collector.advance(2e9 + 5100)).toMatchObject([{ reason: 'firstDigitTimeout' }]);
  });

  it('end with the source, if there are any', () => {
    const collector = new DigitCollector(SETTINGS);
    expect(collector.end(100)).toBeUndefined();
    collector.press(press('7', 200));
    expect(collector.end(900)).toMatchObject({ digits: '7', reason: 'ended', endMs: 900 });
    expect(collector.end(901)).toBeUndefined();
  });

  it('stay when the settings change', () => {
    const collector = new DigitCollector(SETTINGS);
    collector.press(press('7', 200));
    collector.change({ ...SETTINGS, maxDigits: 2 }, 300);
    expect(collector.press(press('8', 400))).toMatchObject([{ digits: '78', reason: 'length' }]);
  });
});

const keying = fc
  .array(
    fc.record({
      digit: fc.constantFrom(...DIGITS),
      pauseMs: fc.integer({ min: 30, max: 5000 }),
      durationMs: fc.integer({ min: 0, max: 400 }),
    }),
    { maxLength: 40 },
  )
  .map((list) => {
    let atMs = 0;
    return list.map(({ digit, pauseMs, durationMs }) => {
      const key = press(digit, atMs + pauseMs, durationMs);
      atMs = key.endMs;
      return key;
    });
  });
const settings = fc.record({
  maxDigits: fc.integer({ min: 1, max: 6 }),
  terminator: fc.constantFrom(null, '#', '1'),
  interDigitMs: fc.integer({ min: 200, max: 4000 }),
  firstDigitMs: fc.constantFrom(null, 300, 2500),
});

describe('any keys', () => {
  it('are each in one collection, in order, but for terminators', () => {
    fc.assert(
      fc.property(keying, settings, (keys, how) => {
        const collector = new DigitCollector(how);
        const collections = keys.flatMap((key) => collector.press(key));
        const last = collector.end(1e9);
        const all = last === undefined ? collections : [...collections, last];
        const expected = keys.filter(({ digit }) => digit !== how.terminator);
        expect(all.map(({ digits }) => digits).join('')).toBe(
          expected.map(({ digit }) => digit).join(''),
        );
        expect(all.every(({ digits }) => digits.length <= how.maxDigits)).toBe(true);
        expect(
          new Set(all.map(({ startMs, sinceMs }) => `${startMs ?? `none since ${sinceMs}`}`)).size,
        ).toBe(all.length);
      }),
    );
  });

  it('are collected the same however often time is told, and by whoever goes on', () => {
    fc.assert(
      fc.property(keying, settings, fc.nat(700), (keys, how, stepMs) => {
        const plain = new DigitCollector(how);
        plain.begin(0);
        const expected = keys.flatMap((key) => plain.press(key));
        let collector = new DigitCollector(how);
        collector.begin(0);
        let nowMs = 0;
        const told: Collection[] = [];
        for (const key of keys) {
          for (; nowMs < key.endMs; nowMs += stepMs + 1) told.push(...collector.advance(nowMs));
          collector = new DigitCollector(how, JSON.parse(JSON.stringify(collector.state)));
          told.push(...collector.press(key));
        }
        expect(told).toEqual(expected);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markGaps, mergeGaps } from '../src/index.js';
import { textOf } from './support.js';

const HELLO = textOf('Hello, can you "hear me" now?');

function marked(gaps: readonly (readonly [number, number])[], text = HELLO.text): string {
  return markGaps({
    ...HELLO,
    text,
    gaps: gaps.map(([startMs, durationMs]) => ({ startMs, durationMs })),
  });
}

describe('marks of lost sound', () => {
  it('stand between the words where it was lost', () => {
    expect(marked([[420, 1200]])).toBe('Hello, can [lost 1.2 s] you "hear me" now?');
    expect(marked([[1400, 210]])).toBe('Hello, can you [lost 0.2 s] "hear me" now?');
    expect(marked([[200, 210]])).toBe('Hello, [lost 0.2 s] can you "hear me" now?');
    expect(marked([[-600, 500]])).toBe('[lost 0.5 s] Hello, can you "hear me" now?');
    expect(marked([[2900, 5000]])).toBe('Hello, can you "hear me" now? [lost 5.0 s]');
  });

  it('are one for what was lost between the same two words, and none for less than 200 ms', () => {
    expect(marked([[400, 60]])).toBe(HELLO.text);
    expect(
      marked([
        [400, 100],
        [520, 100],
      ]),
    ).toBe('Hello, [lost 0.2 s] can you "hear me" now?');
    expect(
      marked([
        [400, 300],
        [400, 300],
      ]),
    ).toBe('Hello, [lost 0.3 s] can you "hear me" now?');
  });

  it('have a place without word times, and without spaces', () => {
    const text = 'one two three four';
    const gaps = [{ startMs: 900, durationMs: 200 }];
    const spoken = { text, words: [], gaps, startMs: 0, endMs: 2000 };
    expect(markGaps(spoken)).toBe('one two [lost 0.2 s] three four');
    expect(markGaps({ text, words: [], gaps })).toBe('one two three four [lost 0.2 s]');
    const words = ['你好', '世界'].map((word, n) => ({
      text: word,
      startMs: n * 1000,
      endMs: n * 1000 + 800,
    }));
    expect(markGaps({ text: '你好世界', words, gaps })).toBe('你好 [lost 0.2 s] 世界');
  });

  it('lose no word, come in order and change nothing when made again', () => {
    const gaps = fc.array(
      fc.record({
        startMs: fc.integer({ min: -1000, max: 4000 }),
        durationMs: fc.integer({ min: 0, max: 2000 }),
      }),
    );
    fc.assert(
      fc.property(gaps, fc.boolean(), (lost, hasWords) => {
        const words = hasWords ? HELLO.words : [];
        const once = markGaps({ ...HELLO, words, gaps: lost });
        expect(once.replace(/ ?\[lost \d+\.\d s\] ?/g, ' ').trim()).toBe(HELLO.text);
        expect(markGaps({ ...HELLO, words, gaps: lost, text: once })).toBe(once);
        const reversed = markGaps({ ...HELLO, words, gaps: [...lost].reverse() });
        expect(reversed).toBe(once);
      }),
    );
  });

  it('are made of gaps each of whose parts counts once', () => {
    const merged = mergeGaps([
      { startMs: 500, durationMs: 100 },
      { startMs: 0, durationMs: 20 },
      { startMs: 20.1, durationMs: 19.9 },
      { startMs: 510, durationMs: 10 },
    ]);
    expect(merged).toEqual([
      { startMs: 0, durationMs: 40 },
      { startMs: 500, durationMs: 100 },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { DIGITS, digitOfGraphTone, graphToneOf, toneFrequencies } from '../src/index.js';

describe('digits', () => {
  it('are sixteen, each with its own pair of tones', () => {
    expect(new Set(DIGITS).size).toBe(16);
    expect(new Set(DIGITS.map((digit) => toneFrequencies(digit).join())).size).toBe(16);
  });

  it.each([
    ['1', 697, 1209],
    ['5', 770, 1336],
    ['9', 852, 1477],
    ['0', 941, 1336],
    ['*', 941, 1209],
    ['#', 941, 1477],
    ['A', 697, 1633],
    ['D', 941, 1633],
  ] as const)('%s sounds at %i and %i Hz', (digit, lowHz, highHz) => {
    expect(toneFrequencies(digit)).toEqual([lowHz, highHz]);
  });

  it('have a name in Graph and are found by it', () => {
    for (const digit of DIGITS) expect(digitOfGraphTone(graphToneOf(digit))).toBe(digit);
    expect(['7', '*', '#', 'C'].map((digit) => graphToneOf(digit as '7'))).toEqual([
      'tone7',
      'star',
      'pound',
      'c',
    ]);
  });

  it.each(['flash', 'unknownFutureValue', '', 'Tone1', 'toString'])('%j is none', (tone) => {
    expect(digitOfGraphTone(tone)).toBeUndefined();
  });
});

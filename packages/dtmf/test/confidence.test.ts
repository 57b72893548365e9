import { describe, expect, it } from 'vitest';
import { DIGITS } from '../src/index.js';
import type { Scene, Tones } from './signal.js';
import { detect, digitsOf, fixture, off, render } from './signal.js';

/** Least confidence in all sixteen digits, each of which must be heard. */
function leastConfidence(how: Partial<Tones & Scene>, deviation = 0, toneMs = 100): number {
  const tones = DIGITS.map((digit, n) => ({
    ...how,
    startMs: 47 + n * 200,
    durationMs: toneMs,
    hz: off(digit, deviation),
  }));
  const heard = detect(render({ ...how, durationMs: 3300, tones }));
  expect(digitsOf(heard)).toBe(DIGITS.join(''));
  return Math.min(...heard.map(({ confidence }) => confidence));
}

describe('confidence', () => {
  it('is high for tones alone, the higher the longer they are', () => {
    const long = leastConfidence({}, 0, 140);
    const short = leastConfidence({}, 0, 40);
    expect(long).toBeGreaterThan(0.9);
    expect(long).toBeLessThanOrEqual(1);
    expect(short).toBeGreaterThan(0.7);
    expect(short).toBeLessThan(long);
  });

  it('falls with what is wrong: the frequency, and noise', () => {
    const right = leastConfidence({});
    expect(leastConfidence({}, 0.015)).toBeLessThan(right - 0.1);
    expect(leastConfidence({ noiseDbfs: -30 })).toBeLessThan(right - 0.01);
    expect(leastConfidence({ noiseDbfs: -25 })).toBeLessThan(leastConfidence({ noiseDbfs: -30 }));
  });

  it('is lower over a voice than alone, and never outside 0 to 1', () => {
    const tones = DIGITS.map((digit, n) => ({
      startMs: n * 200,
      durationMs: 100,
      hz: off(digit, 0),
    }));
    const alone = render({ durationMs: 3300, tones });
    const voice = fixture('speech.wav');
    const over = alone.map((sample, i) => sample + voice[i % voice.length]! / 3);
    const heard = detect(over).map(({ confidence }) => confidence);
    expect(heard.length).toBeGreaterThan(8);
    expect(Math.min(...heard)).toBeGreaterThanOrEqual(0);
    expect(mean(heard)).toBeLessThan(
      mean(detect(alone).map(({ confidence }) => confidence)) - 0.02,
    );
  });
});

it('the twist is that of the tones', () => {
  for (const twistDb of [-8, -3, 0, 4]) {
    const tones = [{ startMs: 50, durationMs: 100, hz: off('6', 0), twistDb }];
    const [heard] = detect(render({ durationMs: 300, tones }));
    expect(heard?.twistDb).toBeCloseTo(twistDb, 0);
  }
});

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

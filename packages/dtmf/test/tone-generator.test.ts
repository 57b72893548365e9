import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIGITS, generateSequence, generateTone } from '../src/index.js';
import { detect, digitsOf } from './signal.js';

const SAMPLE_RATE_HZ = 16_000;

function levelDbfs(pcm: Int16Array): number {
  const energy = pcm.reduce((sum, sample) => sum + sample * sample, 0);
  return 10 * Math.log10(energy / pcm.length / 32_768 ** 2);
}

describe('generateTone', () => {
  it('has the duration and the level asked for', () => {
    const pcm = generateTone({
      digit: '5',
      durationMs: 100,
      sampleRateHz: SAMPLE_RATE_HZ,
      levelDbfs: -20,
    });
    expect(pcm.length).toBe(1600);
    expect(levelDbfs(pcm)).toBeCloseTo(-20, 1);
  });

  it('clips instead of wrapping', () => {
    const pcm = generateTone({
      digit: '1',
      durationMs: 40,
      sampleRateHz: SAMPLE_RATE_HZ,
      levelDbfs: 0,
    });
    expect(Math.max(...pcm)).toBe(32_767);
    expect(pcm.every((sample, i) => i === 0 || Math.abs(sample - pcm[i - 1]!) < 40_000)).toBe(true);
  });

  it('starts at the phase asked for', () => {
    const [first] = generateTone({
      digit: '1',
      durationMs: 1,
      sampleRateHz: SAMPLE_RATE_HZ,
      startPhase: Math.PI / 2,
    });
    expect(first).toBeGreaterThan(7000);
  });

  it('is heard as it was made (property)', () => {
    const shape = fc.record({
      digit: fc.constantFrom(...DIGITS),
      durationMs: fc.integer({ min: 40, max: 300 }),
      levelDbfs: fc.integer({ min: -40, max: -6 }),
      twistDb: fc.integer({ min: -8, max: 4 }),
      startPhase: fc.double({ min: 0, max: 6.28, noNaN: true }),
      sampleRateHz: fc.constantFrom(8000 as const, 16_000 as const),
    });
    fc.assert(
      fc.property(shape, fc.integer({ min: 0, max: 40 }), (made, leadMs) => {
        const tone = generateTone(made);
        const lead = (leadMs * made.sampleRateHz) / 1000;
        const pcm = new Int16Array(made.sampleRateHz / 2);
        pcm.set(tone, lead);
        const [heard, ...rest] = detect(pcm, made.sampleRateHz);
        expect(rest).toEqual([]);
        expect(heard?.digit).toBe(made.digit);
        expect(Math.abs((heard?.startMs ?? Number.NaN) - leadMs)).toBeLessThan(3);
        expect(Math.abs((heard?.durationMs ?? Number.NaN) - made.durationMs)).toBeLessThan(3);
        expect(Math.abs((heard?.levelDbfs ?? Number.NaN) - made.levelDbfs)).toBeLessThan(1);
        expect(Math.abs((heard?.twistDb ?? Number.NaN) - made.twistDb)).toBeLessThan(1);
        expect(heard?.acrossGap).toBe(false);
      }),
    );
  });

  it.each([
    [{ durationMs: -1, sampleRateHz: SAMPLE_RATE_HZ }],
    [{ durationMs: Number.NaN, sampleRateHz: SAMPLE_RATE_HZ }],
    [{ durationMs: 50, sampleRateHz: 2000 }],
  ])('refuses %o', (options) => {
    expect(() => generateTone({ digit: '1', ...options })).toThrow(
      expect.objectContaining({ code: 'invalid_tone' }),
    );
  });
});

describe('generateSequence', () => {
  it('plays digit after digit', () => {
    const pcm = generateSequence({
      digits: '1234567890*#ABCD',
      toneMs: 60,
      pauseMs: 40,
      sampleRateHz: SAMPLE_RATE_HZ,
    });
    expect(pcm.length).toBe(16 * 1600);
    const tones = detect(pcm);
    expect(digitsOf(tones)).toBe('1234567890*#ABCD');
    tones.forEach((tone, n) => {
      expect(Math.abs(tone.startMs - n * 100)).toBeLessThan(2);
    });
  });

  it('refuses what is no digit', () => {
    const options = { toneMs: 50, pauseMs: 50, sampleRateHz: SAMPLE_RATE_HZ };
    expect(() => generateSequence({ ...options, digits: '12a' })).toThrow(
      expect.objectContaining({ code: 'invalid_digit' }),
    );
    expect(generateSequence({ ...options, digits: '' }).length).toBe(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PTIME_MS, samplesPerFrame } from '../src/frame.js';
import { rmsDbfs, SILENCE_DBFS } from '../src/level.js';

describe('samplesPerFrame', () => {
  it.each([
    [8000, 160],
    [16_000, 320],
    [44_100, 882],
    [48_000, 960],
  ])('at %i Hz is %i', (sampleRateHz, samples) => {
    expect(samplesPerFrame(sampleRateHz)).toBe(samples);
    expect((samples * 1000) / sampleRateHz).toBe(PTIME_MS);
  });

  it.each([0, -8000, 11_025, Number.NaN])('refuses %s Hz', (sampleRateHz) => {
    expect(() => samplesPerFrame(sampleRateHz)).toThrow(/Cannot size a frame/);
  });
});

describe('rmsDbfs', () => {
  it('is what its definition says to the last bit, at the extremes too (property)', () => {
    const sample = fc.oneof(fc.constantFrom(-32_768, 32_767), fc.integer({ min: -300, max: 300 }));
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 50 }), fc.nat(49), (list, offset) => {
        const part = list.slice(offset);
        const energy = part.reduce((sum, x) => sum + x * x, 0);
        const dbfs = 10 * Math.log10(energy / part.length / 32_768 ** 2);
        const level = rmsDbfs(Int16Array.from(list), offset, list.length);
        expect(level).toBe(energy === 0 ? SILENCE_DBFS : Math.max(SILENCE_DBFS, dbfs));
      }),
    );
  });

  it('is 0 for a square wave at full scale and −3.01 for a sine', () => {
    const square = new Int16Array(320).fill(-32_768);
    const sine = Int16Array.from({ length: 320 }, (_, i) =>
      Math.round(32_767 * Math.sin((2 * Math.PI * i) / 32)),
    );
    expect(rmsDbfs(square, 0, 320)).toBe(0);
    expect(rmsDbfs(sine, 0, 320)).toBeCloseTo(-3.01, 2);
  });

  it('stops at the floor for silence and for nothing', () => {
    const pcm = new Int16Array(320);
    expect(rmsDbfs(pcm, 0, 320)).toBe(SILENCE_DBFS);
    expect(rmsDbfs(pcm, 0, 0)).toBe(SILENCE_DBFS);
    expect(rmsDbfs(pcm, 400, 20)).toBe(SILENCE_DBFS);
  });

  it('looks only at its stretch', () => {
    const pcm = new Int16Array(30);
    pcm.fill(1000, 10, 20);
    expect(rmsDbfs(pcm, 0, 10)).toBe(SILENCE_DBFS);
    expect(rmsDbfs(pcm, 10, 10)).toBeCloseTo(20 * Math.log10(1000 / 32_768), 6);
    expect(rmsDbfs(pcm, 20, 99)).toBe(SILENCE_DBFS);
  });

  it('lies between floor and full scale and rises by 6.02 dB when doubled (property)', () => {
    const samples = fc.int16Array({ minLength: 1, maxLength: 64, min: -16_384, max: 16_383 });
    fc.assert(
      fc.property(samples, (pcm) => {
        const level = rmsDbfs(pcm, 0, pcm.length);
        expect(level).toBeGreaterThanOrEqual(SILENCE_DBFS);
        expect(level).toBeLessThanOrEqual(0);
        const doubled = rmsDbfs(
          pcm.map((sample) => sample * 2),
          0,
          pcm.length,
        );
        expect(doubled - level).toBeCloseTo(level === SILENCE_DBFS ? 0 : 6.02, 2);
      }),
    );
  });
});

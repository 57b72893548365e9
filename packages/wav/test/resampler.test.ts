import { sine, snrDb } from '@earshot/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resampler } from '../src/index.js';

const TO_HZ = 16_000;

function resample(samples: ArrayLike<number>, fromHz: number, block = 320): Float32Array {
  const resampler = new Resampler(fromHz, TO_HZ);
  const out = new Float32Array(resampler.lengthOf(samples.length));
  const read = (start: number, into: Float32Array): void => {
    for (let n = 0; n < into.length; n += 1) into[n] = samples[start + n] ?? 0;
  };
  for (let start = 0; start < out.length; start += block) {
    resampler.read(read, start, out.subarray(start, start + block));
  }
  return out;
}

describe('resampling', () => {
  it.each([8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000])(
    'from %i Hz keeps a tone as it is',
    (fromHz) => {
      const hz = 1000;
      const got = resample(sine({ hz, sampleRateHz: fromHz, durationMs: 400 }), fromHz);
      const expected = sine({ hz, sampleRateHz: TO_HZ, durationMs: 400 });
      expect(got).toHaveLength(expected.length);
      expect(snrDb(expected.subarray(400, 4400), got.subarray(400, 4400))).toBeGreaterThan(70);
    },
  );

  it.each([44_100, 48_000, 192_000])('from %i Hz lets nothing alias', (fromHz) => {
    const got = resample(sine({ hz: 9500, sampleRateHz: fromHz, durationMs: 400 }), fromHz);
    const middle = got.subarray(400, 4400);
    expect(Math.max(...middle.map(Math.abs))).toBeLessThan(0.5 * 10 ** (-60 / 20));
  });

  it('does not depend on the blocks that are asked for', () => {
    const samples = sine({ hz: 440, sampleRateHz: 44_100, durationMs: 50 });
    const whole = resample(samples, 44_100, 800);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (block) => {
        expect(resample(samples, 44_100, block)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
});

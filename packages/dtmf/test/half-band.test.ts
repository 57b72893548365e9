import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HalfBandDecimator } from '../src/half-band.js';

const TAPS = [3, 0, -25, 0, 150, 256, 150, 0, -25, 0, 3];

it('decimates as its taps say, to the last bit, from one call to the next (property)', () => {
  const pcm = fc.int16Array({ minLength: 240, maxLength: 240 });
  fc.assert(
    fc.property(pcm, fc.constantFrom(5, 20, 40), (samples, count) => {
      const decimator = new HalfBandDecimator(count);
      const out = new Float64Array(120);
      for (let from = 0; from < 120; from += count) {
        decimator.decimate(samples, 2 * from, out, from);
      }
      const expected = out.map((_, i) =>
        TAPS.reduce((sum, tap, k) => sum + (tap * (samples[2 * i - k] ?? 0)) / 2 ** 24, 0),
      );
      expect(out).toEqual(expected);
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HalfBandDecimator } from '../src/half-band.js';
import { lobe, TONES_HZ, ToneSpectrum, WINDOW_SAMPLES } from '../src/tone-spectrum.js';

/** Peak of a sine of amplitude 1 after decimation, once the filter has settled. */
function passed(hz: number): number {
  const pcm = Int16Array.from({ length: 1600 }, (_, i) =>
    Math.round(32_767 * Math.sin((2 * Math.PI * hz * i) / 16_000)),
  );
  const decimator = new HalfBandDecimator(40);
  const out = new Float64Array(800);
  for (let n = 0; n < 20; n += 1) decimator.decimate(pcm, n * 80, out, n * 40);
  return Math.max(...out.subarray(40).map(Math.abs));
}

function sine(hz: number, amplitude: number, phase: number): Float64Array {
  return Float64Array.from(
    { length: WINDOW_SAMPLES },
    (_, i) => amplitude * Math.cos((2 * Math.PI * hz * i) / 8000 + phase),
  );
}

describe('HalfBandDecimator', () => {
  it.each([300, 697, 941, 1209, 1633])('passes %i Hz', (hz) => {
    expect(Math.abs(20 * Math.log10(passed(hz)))).toBeLessThan(0.1);
  });

  it.each([6367, 6791, 7059, 7303])('stops %i Hz, which would fold onto a tone', (hz) => {
    expect(20 * Math.log10(passed(hz))).toBeLessThan(-40);
  });

  it('forgets on reset', () => {
    const decimator = new HalfBandDecimator(40);
    const out = new Float64Array(40);
    decimator.decimate(new Int16Array(80).fill(10_000), 0, out, 0);
    decimator.reset();
    decimator.decimate(new Int16Array(80), 0, out, 0);
    expect(out).toEqual(new Float64Array(40));
  });
});

describe('ToneSpectrum', () => {
  it.each(TONES_HZ.map((hz, tone) => [hz, tone]))(
    'measures %i Hz and nothing beside',
    (hz, tone) => {
      const spectrum = new ToneSpectrum();
      spectrum.measure(sine(hz!, 0.5, 1), 0);
      expect(spectrum.totalPower).toBeCloseTo(0.125, 3);
      expect(spectrum.power[tone!]).toBeCloseTo(0.125, 3);
      spectrum.power.forEach((power, other) => {
        if (Math.abs(TONES_HZ[other]! - hz!) > 150) expect(power).toBeLessThan(0.125 * 1e-3);
      });
    },
  );

  it('takes the phase at the middle of the window', () => {
    const spectrum = new ToneSpectrum();
    spectrum.measure(sine(1209, 1, 0.3), 0);
    const middle = 0.3 + (2 * Math.PI * 1209 * (WINDOW_SAMPLES - 1)) / 2 / 8000;
    const phase = Math.atan2(spectrum.im[4]!, spectrum.re[4]!);
    expect(Math.cos(phase - middle)).toBeCloseTo(1, 4);
  });

  it('loses as much beside a tone as the lobe says (property)', () => {
    const spectrum = new ToneSpectrum();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 7 }),
        fc.double({ min: -40, max: 40, noNaN: true }),
        fc.double({ min: 0, max: 6.28, noNaN: true }),
        (tone, offsetHz, phase) => {
          spectrum.measure(sine(TONES_HZ[tone]! + offsetHz, 1, phase), 0);
          expect(spectrum.power[tone]).toBeCloseTo(0.5 * lobe(offsetHz), 2);
        },
      ),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PairReading } from '../src/pair-reading.js';
import { LOOK_BACK, SoundTrail } from '../src/sound-trail.js';
import {
  GROUP,
  HOP_SAMPLES,
  lobe,
  TONES_HZ,
  ToneSpectrum,
  WINDOW_SAMPLES,
} from '../src/tone-spectrum.js';
import { randomSource } from './signal.js';

const HOPS = 8;

/** Two tones as far off and as unequal as readings go, and beyond; in noise. */
const sound = fc.record({
  row: fc.integer({ min: 0, max: 3 }),
  column: fc.integer({ min: 0, max: 3 }),
  low: fc.double({ min: -0.037, max: 0.037, noNaN: true }),
  high: fc.double({ min: -0.037, max: 0.037, noNaN: true }),
  twistDb: fc.double({ min: -13, max: 9, noNaN: true }),
  noise: fc.double({ min: 0, max: 1.5, noNaN: true }),
  phase: fc.double({ min: 0, max: 6.28, noNaN: true }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

type Sound = typeof sound extends fc.Arbitrary<infer T> ? T : never;

function made({ row, column, low, high, twistDb, noise, phase, seed }: Sound): Float64Array {
  const random = randomSource(seed);
  const [lowHz, highHz] = [TONES_HZ[row]! * (1 + low), TONES_HZ[GROUP + column]! * (1 + high)];
  return Float64Array.from({ length: HOPS * HOP_SAMPLES }, (_, i) => {
    const lowWave = Math.sin((2 * Math.PI * lowHz * i) / 8000 + phase);
    const highWave = Math.sin((2 * Math.PI * highHz * i) / 8000 + 2 * phase);
    return 0.1 * (lowWave + 10 ** (twistDb / 20) * highWave + noise * (2 * random() - 1));
  });
}

function trailOf(samples: Float64Array): SoundTrail {
  const trail = new SoundTrail();
  for (let hop = 0; hop < HOPS; hop += 1) {
    if (hop % 4 === 0) trail.makeRoom(4);
    const from = hop * HOP_SAMPLES;
    trail.samples.set(samples.subarray(from, from + HOP_SAMPLES), trail.append());
  }
  trail.jumpTo(1);
  trail.advance();
  return trail;
}

function spectrumOf(samples: Float64Array, hopsAgo: number): ToneSpectrum {
  const spectrum = new ToneSpectrum();
  spectrum.measure(samples, (HOPS - hopsAgo) * HOP_SAMPLES - WINDOW_SAMPLES);
  return spectrum;
}

/** What a reading is by definition, nothing being left out: its share, or −1 for none. */
function shareByDefinition(samples: Float64Array): number {
  const [now, before] = [spectrumOf(samples, 0), spectrumOf(samples, 1)];
  let powers = 0;
  const pair: number[] = [];
  for (const first of [0, GROUP]) {
    const tone = now.strongest(first);
    const phase = (spectrum: ToneSpectrum) => Math.atan2(spectrum.im[tone]!, spectrum.re[tone]!);
    const turn = (phase(now) - phase(before)) / (2 * Math.PI) - TONES_HZ[tone]! / 200;
    const offsetHz = 200 * (turn - Math.round(turn));
    if (Math.abs(offsetHz) > 0.035 * TONES_HZ[tone]!) return -1;
    pair.push(now.power[tone]! / lobe(offsetHz));
    powers += pair.at(-1)!;
  }
  const twist = pair[1]! / pair[0]!;
  const share = powers / now.totalPower;
  return share >= 0.55 && twist >= 10 ** -1.2 && twist <= 10 ** 0.8 ? share : -1;
}

describe('PairReading', () => {
  it('never turns away early what is a pair (property)', () => {
    let pairs = 0;
    let others = 0;
    fc.assert(
      fc.property(sound, (how) => {
        const samples = made(how);
        const share = shareByDefinition(samples);
        const reading = new PairReading();
        expect(reading.read(trailOf(samples))).toBe(share > 0);
        if (share > 0) expect(reading.share).toBeCloseTo(share, 9);
        pairs += share > 0 ? 1 : 0;
        others += share > 0 ? 0 : 1;
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(pairs, others)).toBeGreaterThan(100);
  });
});

describe('SoundTrail', () => {
  it('has the spectra that its sound has, whatever is asked for first (property)', () => {
    fc.assert(
      fc.property(sound, fc.boolean(), (how, highFirst) => {
        const samples = made(how);
        const trail = trailOf(samples);
        for (let n = 0; n <= LOOK_BACK; n += 1) {
          if (highFirst) trail.high(n);
          const expected = spectrumOf(samples, n);
          expect(trail.low(n).totalPower).toBe(expected.totalPower);
          expect(trail.high(n).power).toEqual(expected.power);
          expect(trail.low(n).re).toEqual(expected.re);
          expect(trail.low(n).im).toEqual(expected.im);
        }
      }),
      { numRuns: 50 },
    );
  });
});

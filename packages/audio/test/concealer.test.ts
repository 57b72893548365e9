import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Concealer } from '../src/concealer.js';
import { samplesPerFrame } from '../src/frame.js';
import { rmsDbfs, SILENCE_DBFS } from '../src/level.js';
import { findPeriod } from '../src/period.js';

const RATE_HZ = 16_000;
const FRAME = samplesPerFrame(RATE_HZ);

/** A voice-like sound: harmonics of 125 Hz, falling in strength. */
function voice(from: number, length: number, sampleRateHz: number = RATE_HZ): Int16Array {
  return Int16Array.from({ length }, (_, i) => {
    const phase = (2 * Math.PI * 125 * (from + i)) / sampleRateHz;
    let sample = 0;
    for (let n = 1; n <= 8; n += 1) sample += (5000 / n) * Math.sin(n * phase + n * n);
    return Math.round(sample);
  });
}

function concealerAfterVoice(frames: number, maxConcealedFrames = 5): Concealer {
  const concealer = new Concealer({ sampleRateHz: RATE_HZ, maxConcealedFrames });
  for (let n = 0; n < frames; n += 1) concealer.accept(voice(n * FRAME, FRAME));
  return concealer;
}

function largestStep(pcm: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < pcm.length; i += 1) {
    largest = Math.max(largest, Math.abs(pcm[i]! - pcm[i - 1]!));
  }
  return largest;
}

describe('findPeriod', () => {
  it.each([8000, 16_000, 48_000])('finds the pitch of a voice at %i Hz', (sampleRateHz) => {
    const history = voice(0, (sampleRateHz * 35) / 1000, sampleRateHz);
    expect(findPeriod(history, sampleRateHz)).toBe(sampleRateHz / 125);
  });

  it('takes the longest period for silence and for noise', () => {
    let seed = 1;
    const noise = Int16Array.from({ length: 560 }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 16) - 32_768;
    });
    expect(findPeriod(new Int16Array(560), RATE_HZ)).toBe(240);
    expect(findPeriod(noise, RATE_HZ)).toBe(240);
  });
});

describe('Concealer', () => {
  it('goes on with a voice as it was', () => {
    const concealer = concealerAfterVoice(3);
    const out = new Int16Array(FRAME);
    expect(concealer.conceal(out)).toBe(true);
    const truth = voice(3 * FRAME, FRAME);
    // The first 10 ms keep their loudness; there the made-up wave must be the real one.
    const error = truth.subarray(0, 160).map((sample, i) => sample - out[i]!);
    expect(rmsDbfs(error, 0, 160)).toBeLessThan(rmsDbfs(truth, 0, 160) - 30);
  });

  it('joins both ends without a click', () => {
    const concealer = concealerAfterVoice(3);
    const before = voice(2 * FRAME, FRAME);
    const out = new Int16Array(FRAME);
    concealer.conceal(out);
    // What comes after is out of step with what was made up.
    const after = voice(4 * FRAME + 64, FRAME);
    const [natural, bare] = [largestStep(after), Math.abs(after[0]! - out[FRAME - 1]!)];
    expect(bare).toBeGreaterThan(natural);
    concealer.accept(after);
    const joined = Int16Array.from([...before, ...out, ...after]);
    expect(largestStep(joined)).toBeLessThan(natural * 1.3);
  });

  it('changes only the first 5 ms of a good frame after a loss, and none otherwise', () => {
    const concealer = concealerAfterVoice(3);
    concealer.conceal(new Int16Array(FRAME));
    const truth = voice(4 * FRAME + 64, FRAME);
    const [first, second] = [truth.slice(), truth.slice()];
    concealer.accept(first);
    concealer.accept(second);
    expect(first.subarray(0, 80)).not.toEqual(truth.subarray(0, 80));
    expect(first.subarray(80)).toEqual(truth.subarray(80));
    expect(second).toEqual(truth);
  });

  it('fades to silence at its bound and says so', () => {
    const concealer = concealerAfterVoice(3, 3);
    const levels: number[] = [];
    const honest: boolean[] = [];
    for (let n = 0; n < 5; n += 1) {
      const out = new Int16Array(FRAME).fill(99);
      honest.push(concealer.conceal(out));
      levels.push(rmsDbfs(out, 0, FRAME));
    }
    expect(honest).toEqual([true, true, true, false, false]);
    expect(levels[0]).toBeGreaterThan(levels[1]!);
    expect(levels[1]).toBeGreaterThan(levels[2]!);
    expect(levels.slice(3)).toEqual([SILENCE_DBFS, SILENCE_DBFS]);
  });

  it('fades in after a gap beyond its bound', () => {
    const concealer = concealerAfterVoice(3, 1);
    concealer.conceal(new Int16Array(FRAME));
    concealer.conceal(new Int16Array(FRAME));
    const after = new Int16Array(FRAME).fill(10_000);
    concealer.accept(after);
    expect(after[0]).toBeLessThan(500);
    expect(after[79]).toBeGreaterThan(9500);
  });

  it('makes up nothing before it heard anything, nor after a reset', () => {
    const out = new Int16Array(FRAME).fill(7);
    expect(new Concealer({ sampleRateHz: RATE_HZ }).conceal(out)).toBe(false);
    expect(out).toEqual(new Int16Array(FRAME));
    const concealer = concealerAfterVoice(3);
    concealer.conceal(out);
    concealer.reset();
    expect(concealer.conceal(out.fill(7))).toBe(false);
    expect(out).toEqual(new Int16Array(FRAME));
    const fresh = voice(0, FRAME);
    concealer.accept(fresh);
    expect(fresh).toEqual(voice(0, FRAME));
  });

  it('bridges a second loss right after one good frame', () => {
    const concealer = concealerAfterVoice(3);
    const out = new Int16Array(FRAME);
    concealer.conceal(out);
    concealer.accept(voice(4 * FRAME, FRAME));
    expect(concealer.conceal(out)).toBe(true);
    expect(Math.abs(rmsDbfs(out, 0, 160) - rmsDbfs(voice(0, FRAME), 0, 160))).toBeLessThan(1);
  });

  it.each([-1, 1.5, Number.NaN])('refuses a bound of %s frames', (maxConcealedFrames) => {
    expect(() => new Concealer({ sampleRateHz: RATE_HZ, maxConcealedFrames })).toThrow(
      /whole number/,
    );
  });

  it('is never louder than what it heard, and ends within its bound (property)', () => {
    const pcm = fc.int16Array({ minLength: FRAME, maxLength: FRAME });
    const bound = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(pcm, bound, fc.integer({ min: 1, max: 10 }), (heard, max, losses) => {
        const concealer = new Concealer({ sampleRateHz: RATE_HZ, maxConcealedFrames: max });
        concealer.accept(heard);
        const peak = heard.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        for (let n = 0; n < losses; n += 1) {
          const out = new Int16Array(FRAME).fill(1);
          expect(concealer.conceal(out)).toBe(n < max);
          // The step at the joint fades out over 5 ms, so the first of them may be higher.
          const from = n === 0 ? 80 : 0;
          expect(out.subarray(from).every((sample) => Math.abs(sample) <= peak)).toBe(true);
          if (n >= max) expect(out).toEqual(new Int16Array(FRAME));
        }
      }),
      { numRuns: 50 },
    );
  });
});

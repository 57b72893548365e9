import { describe, expect, it } from 'vitest';
import { ALL_KNOWN, knownOf } from '../src/known.js';
import type { Tones } from './signal.js';
import { detect, digitsOf, off, render } from './signal.js';

const FRAME = 320;

function one(tone: Partial<Tones>): Int16Array {
  return render({
    durationMs: 500,
    tones: [{ startMs: 100, durationMs: 40, hz: off('7', 0), ...tone }],
  });
}

function without(...frames: readonly number[]): ReadonlySet<number> {
  return new Set(frames);
}

/** Makes so many ms from `fromMs` on come in as after a loss: quiet at first. */
function fadeIn(pcm: Int16Array, fromMs: number, ms: number): Int16Array {
  return pcm.map((sample, i) => {
    const at = (i - fromMs * 16) / (ms * 16);
    return Math.round(sample * Math.max(at < 0 ? 1 : 0, Math.min(1, at)));
  });
}

describe('what is known of a window', () => {
  it('is all of it without gaps', () => {
    const { isEnough, ...gains } = ALL_KNOWN;
    expect(isEnough).toBe(true);
    expect(gains.shareGain).toBeCloseTo(1, 9);
    expect(gains.magnitudeGain).toBeCloseTo(1, 9);
    expect(gains.powerGain).toBeCloseTo(1, 9);
    expect(gains.middleMs).toBeCloseTo(0, 9);
  });

  it('says as much of a half as of the whole, and nothing when less is left', () => {
    for (const [missing, side] of [
      [0b0011, -1],
      [0b1100, 1],
    ] as const) {
      const half = knownOf(missing);
      expect(half.shareGain).toBeCloseTo(2, 4);
      expect(half.magnitudeGain).toBeCloseTo(2, 4);
      expect(half.middleMs).toBeCloseTo(side * 2.97, 2);
    }
    expect([0b0111, 0b1110, 0b1111].map((missing) => knownOf(missing).isEnough)).toEqual(
      Array(3).fill(false),
    );
  });
});

describe('DtmfDetector beside a gap', () => {
  it.each([-0.01, 0, 0.01])('hears 10 ms on either side of a lost frame, off by %d', (share) => {
    for (const digit of ['1', '5', 'D'] as const) {
      const [tone, ...more] = detect(
        one({ startMs: 110, hz: off(digit, share) }),
        16_000,
        without(6),
      );
      expect(more).toEqual([]);
      expect(tone).toMatchObject({ digit, acrossGap: true });
      expect(Math.abs(tone!.startMs - 110)).toBeLessThan(5);
      expect(Math.abs(tone!.durationMs - 40)).toBeLessThan(8);
    }
  });

  it('hears the 15 ms that are left before a gap, or after one', () => {
    expect(digitsOf(detect(one({ startMs: 105 }), 16_000, without(6, 7)))).toBe('7');
    expect(digitsOf(detect(one({ startMs: 115 }), 16_000, without(5, 6)))).toBe('7');
  });

  it('does not hear 10 ms there', () => {
    expect(digitsOf(detect(one({ startMs: 110 }), 16_000, without(6, 7)))).toBe('');
    expect(digitsOf(detect(one({ startMs: 110 }), 16_000, without(5, 6)))).toBe('');
  });

  it('hears a tone that comes in slowly after the gap, but only there', () => {
    const pcm = fadeIn(one({ startMs: 105, durationMs: 45 }), 120, 25);
    expect(digitsOf(detect(pcm, 16_000, without(5)))).toBe('7');
    const quiet = pcm.map((sample, i) => (i < 6 * FRAME ? 0 : sample));
    expect(digitsOf(detect(quiet))).toBe('');
  });

  it('does not hear one that other sound passes into without a break', () => {
    const short: Partial<Tones> = { startMs: 120, durationMs: 22 };
    const alone = one({ ...short, hz: off('7', 0.021, -0.019) });
    expect(digitsOf(detect(alone, 16_000, without(5)))).toBe('7');
    const hz = [600, 1400, 1900];
    const on = [{ startMs: 142, durationMs: 200, hz, levelDbfs: -15 }];
    const rest = render({ durationMs: 500, tones: on });
    const joined = alone.map((sample, i) => sample + rest[i]!);
    expect(digitsOf(detect(joined, 16_000, without(5)))).toBe('');
  });

  it('hears a digit twice when the pause that is left is silent', () => {
    const tones = [100, 200].map((startMs) => ({ startMs, durationMs: 60, hz: off('7', 0) }));
    const pcm = render({ durationMs: 400, tones });
    for (const frame of [8, 9]) {
      expect(digitsOf(detect(pcm, 16_000, without(frame)))).toBe('77');
    }
  });
});

describe('DtmfDetector of what a codec made coarse', () => {
  /** Its high tone wavers by so much, 60 times a second. */
  function wavering(share: number, level: number): Int16Array {
    let high = 0;
    return Int16Array.from({ length: 16_000 * 0.4 }, (_, i) => {
      const t = i / 16_000;
      high += (2 * Math.PI * 1336 * (1 + share * Math.sin(2 * Math.PI * 60 * t))) / 16_000;
      const tone = t >= 0.1 && t < 0.16 ? Math.sin(2 * Math.PI * 770 * t) + Math.sin(high) : 0;
      return 4000 * tone + level * Math.sin(2 * Math.PI * 400 * t);
    });
  }

  it('hears a tone that wavers when it stands alone', () => {
    expect(digitsOf(detect(wavering(0.028, 0)))).toBe('5');
    expect(digitsOf(detect(wavering(0.028, 1500)))).toBe('');
  });
});

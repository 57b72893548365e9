import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallTone } from '../src/index.js';
import { CALL_TONE_KINDS, CALL_TONE_STATE_NUMBERS, CallToneDetector } from '../src/index.js';
import { CALL_TONES } from './call-tones.js';
import type { Part } from './signal.js';
import {
  cadence,
  FRAME,
  hear,
  hearLossy,
  kindsOf,
  mix,
  noise,
  pcmOf,
  random,
  sound,
} from './signal.js';

/** All tones, one after the other, in a little noise. */
const ALL: Int16Array = (() => {
  const samples = sound(...CALL_TONES.flatMap(([, , parts]): Part[] => [{ ms: 8000 }, ...parts]), {
    ms: 500,
  });
  return pcmOf(mix(samples, noise(samples.length, -55)));
})();

const frames = (pcm: Int16Array): number => pcm.length / FRAME;
const frame = (pcm: Int16Array, n: number): Int16Array => pcm.subarray(n * FRAME, (n + 1) * FRAME);

function detector(tones: CallTone[]): CallToneDetector {
  return new CallToneDetector({ kinds: CALL_TONE_KINDS, onTone: (tone) => tones.push(tone) });
}

describe('CallToneDetector', () => {
  it('tells each of the tones once', () => {
    expect(kindsOf(hear(ALL))).toEqual(CALL_TONES.map(([, kind]) => kind));
  });

  it('hears the same in any chunks', () => {
    const whole = hear(ALL);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5 }), (sizes) => {
        const tones: CallTone[] = [];
        const chunked = detector(tones);
        for (let n = 0, i = 0; n < frames(ALL); i += 1) {
          const size = Math.min(sizes[i % sizes.length]!, frames(ALL) - n);
          chunked.process(ALL.subarray(n * FRAME, (n + size) * FRAME), n * 20);
          n += size;
        }
        chunked.discontinuity();
        expect(tones).toEqual(whole);
      }),
      { numRuns: 5 },
    );
  });

  it('goes on elsewhere from any frame, and tells what it would have told', () => {
    const whole = hear(ALL);
    fc.assert(
      fc.property(fc.integer({ min: 40, max: frames(ALL) - 1 }), (cut) => {
        const tones: CallTone[] = [];
        const before = detector(tones);
        for (let n = 0; n < cut; n += 1) before.process(frame(ALL, n), n * 20);
        const state = new Float64Array(CALL_TONE_STATE_NUMBERS);
        expect(before.save(state, 0)).toBe(CALL_TONE_STATE_NUMBERS);
        const stored: unknown[] = JSON.parse(JSON.stringify([...state]));
        const told = tones.length;
        const after = detector(tones);
        for (let n = cut - 40; n < cut; n += 1) after.process(frame(ALL, n), n * 20);
        tones.length = told;
        const numbers = Float64Array.from(stored, (value) =>
          value === null ? Number.NaN : Number(value),
        );
        expect(after.restore(numbers, 0, cut * 20)).toBe(CALL_TONE_STATE_NUMBERS);
        for (let n = cut; n < frames(ALL); n += 1) after.process(frame(ALL, n), n * 20);
        after.discontinuity();
        expect(tones).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it('goes on elsewhere where frames are lost too', () => {
    const next = random(5);
    const pcm = ALL.subarray(0, 40_000 * 16);
    const lost = Array.from({ length: frames(pcm) }, () => next() < 0.08);
    const isLost = (n: number): boolean => lost[n]!;
    const whole = hearLossy(pcm, isLost);
    fc.assert(
      fc.property(fc.integer({ min: 40, max: frames(pcm) - 1 }), (cut) => {
        const tones: CallTone[] = [];
        const give = (to: CallToneDetector, from: number, end: number): void => {
          for (let n = from; n < end; n += 1) {
            if (isLost(n)) to.gap(20);
            else to.process(frame(pcm, n), n * 20);
          }
        };
        const before = detector(tones);
        give(before, 0, cut);
        const state = new Float64Array(CALL_TONE_STATE_NUMBERS);
        before.save(state, 0);
        const told = tones.length;
        const after = detector(tones);
        give(after, cut - 40, cut);
        tones.length = told;
        after.restore(state, 0, cut * 20);
        give(after, cut, frames(pcm));
        after.discontinuity();
        expect(tones).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  it('takes any state, and hears on', () => {
    const beep = pcmOf(sound({ ms: 9000 }, { ms: 400, hz: [1000] }, { ms: 500 }));
    const number = fc.oneof(
      fc.double(),
      fc.integer({ min: -2, max: 9 }),
      fc.constantFrom(Number.NaN, 1e308, -1e308, 2 ** 53, Number.NEGATIVE_INFINITY),
    );
    const state = fc.array(number, {
      minLength: CALL_TONE_STATE_NUMBERS,
      maxLength: CALL_TONE_STATE_NUMBERS,
    });
    fc.assert(
      fc.property(state, fc.constantFrom(0, 8000, Number.NaN), (numbers, nowMs) => {
        const tones: CallTone[] = [];
        const spoiled = detector(tones);
        spoiled.restore(Float64Array.from(numbers), 0, nowMs);
        for (let n = 0; n < frames(beep); n += 1) spoiled.process(frame(beep, n), n * 20);
        spoiled.discontinuity();
        expect(kindsOf(tones)).toContain('beep');
      }),
      { numRuns: 50 },
    );
  });

  it('takes a tone that goes on through a gap for one', () => {
    const pcm = pcmOf(sound({ ms: 500 }, { ms: 1000, hz: [1000] }, { ms: 500 }));
    for (const length of [1, 3, 5]) {
      const tones = hearLossy(pcm, (n) => n >= 45 && n < 45 + length);
      expect(tones).toMatchObject([{ kind: 'beep', startMs: 500, acrossGap: true }]);
      expect(Math.abs(tones[0]!.durationMs - 1000)).toBeLessThanOrEqual(10);
    }
  });

  it('takes a tone for one whose first sound after a gap a codec made quiet', () => {
    const pcm = pcmOf(sound({ ms: 500 }, { ms: 1000, hz: [1000] }, { ms: 500 }));
    pcm.fill(0, 46 * FRAME, 48 * FRAME);
    const tones = hearLossy(pcm, (n) => n === 45);
    expect(tones).toMatchObject([{ kind: 'beep', startMs: 500, acrossGap: true }]);
    expect(Math.abs(tones[0]!.durationMs - 1000)).toBeLessThanOrEqual(10);
  });

  it('takes a tone for one whose loudness and phase a codec regains only by and by', () => {
    const pcm = pcmOf(sound({ ms: 500 }, { ms: 1000, hz: [1000] }, { ms: 500 }));
    for (let n = 0; n < 10 * FRAME; n += 1) {
      const gain = 10 ** ((-20 * (1 - n / (10 * FRAME))) / 20);
      const phase = 2 * Math.PI * (n / 16_000) * 1000 + (n < 3 * FRAME ? 2 : 1);
      pcm[46 * FRAME + n] = Math.round(4600 * gain * Math.sin(phase));
    }
    const tones = hearLossy(pcm, (n) => n === 45);
    expect(tones).toMatchObject([{ kind: 'beep', startMs: 500, acrossGap: true }]);
    expect(Math.abs(tones[0]!.durationMs - 1000)).toBeLessThanOrEqual(10);
  });

  it('hears a short beep whichever frame of it is lost', () => {
    const pcm = pcmOf(sound({ ms: 510 }, { ms: 170, hz: [850] }, { ms: 500 }));
    for (let lost = 25; lost <= 34; lost += 1) {
      const tones = hearLossy(pcm, (n) => n === lost);
      expect(kindsOf(tones)).toEqual(['beep']);
      expect(Math.abs(tones[0]!.startMs - 510)).toBeLessThanOrEqual(20);
      expect(Math.abs(tones[0]!.durationMs - 170)).toBeLessThanOrEqual(30);
    }
  });

  it('tells a fax once that was not heard to call a second time', () => {
    const parts = cadence([1100], 500, 6500, 500);
    expect(kindsOf(hear(sound({ ms: 500 }, ...parts, { ms: 500 })))).toEqual(['faxCng']);
  });

  it('takes a dial tone for one whatever single frames are lost', () => {
    const pcm = pcmOf(sound({ ms: 500 }, { ms: 5000, hz: [350, 440] }, { ms: 500 }));
    for (const lost of [
      [40, 46],
      [40, 46, 52],
      [60, 65, 80, 88, 120],
    ]) {
      const tones = hearLossy(pcm, (n) => lost.includes(n));
      expect(kindsOf(tones)).toEqual(['dial']);
      expect(Math.abs(tones[0]!.startMs - 500)).toBeLessThanOrEqual(10);
    }
  });

  it('ends a tone that a gap hides the end of, if it is silent afterwards', () => {
    const pcm = pcmOf(sound({ ms: 500 }, { ms: 400, hz: [1000] }, { ms: 900 }));
    const tones = hearLossy(pcm, (n) => n === 44);
    expect(tones).toMatchObject([{ kind: 'beep', startMs: 500 }]);
    expect(Math.abs(tones[0]!.durationMs - 400)).toBeLessThanOrEqual(30);
  });

  it('tells nothing of what was lost alone', () => {
    expect(
      hearLossy(
        pcmOf(sound({ ms: 400 }, { ms: 160, hz: [1000] }, { ms: 400 })),
        (n) => n >= 20 && n < 28,
      ),
    ).toEqual([]);
  });

  it('hears cadences whose pauses were not sent', () => {
    const parts = cadence([425], 1000, 4000, 1000, 4000, 1000);
    const pcm = pcmOf(sound({ ms: 500 }, ...parts, { ms: 500 }));
    const isQuiet = (n: number): boolean => frame(pcm, n).every((sample) => sample === 0);
    for (const way of ['silence', 'jump', 'discontinuity'] as const) {
      const tones: CallTone[] = [];
      const heard = detector(tones);
      for (let n = 0; n < frames(pcm); n += 1) {
        if (!isQuiet(n)) heard.process(frame(pcm, n), n * 20);
        else if (way === 'silence') heard.silence(n * 20);
        else if (way === 'discontinuity') heard.discontinuity();
      }
      heard.discontinuity();
      expect(tones).toMatchObject([{ kind: 'ringback', startMs: 500 }]);
      expect(Math.abs(tones[0]!.durationMs - 6000)).toBeLessThanOrEqual(20);
    }
  });

  it('tells busy after ringback of the same frequency, and another call after a while', () => {
    const parts = [
      ...cadence([425], 1000, 4000, 1000, 2000),
      ...cadence([425], 500, 500, 500, 500, 500),
    ];
    expect(kindsOf(hear(sound({ ms: 500 }, ...parts, { ms: 8000 }, ...parts)))).toEqual([
      'ringback',
      'busy',
      'ringback',
      'busy',
    ]);
  });

  it('tells each recording beep', () => {
    const beep: Part[] = [{ ms: 300, hz: [1400] }, { ms: 14_700 }];
    expect(kindsOf(hear(sound({ ms: 500 }, ...beep, ...beep, ...beep)))).toEqual([
      'beep',
      'beep',
      'beep',
    ]);
  });

  it('wants whole frames', () => {
    expect(() => detector([]).process(new Int16Array(321), 0)).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digit } from '../src/index.js';
import { DIGITS, DtmfDetector } from '../src/index.js';
import type { Tones } from './signal.js';
import { detect, digitsOf, fixture, off, render } from './signal.js';

interface Dialling extends Partial<Tones> {
  readonly low?: number;
  readonly high?: number;
  readonly toneMs?: number;
  readonly pauseMs?: number;
  readonly noiseDbfs?: number;
  readonly sampleRateHz?: 8000 | 16_000;
}

const LEAD_MS = 47;

/** All sixteen digits in a row, each twice, so that a doubled one shows. */
const DIALLED = DIGITS.flatMap((digit) => [digit, digit]);

function dial(digits: readonly Digit[], how: Dialling): Int16Array {
  const { toneMs = 40, pauseMs = 40, low = 0, high = 0 } = how;
  const tones = digits.map((digit, n) => ({
    phase: n,
    ...how,
    startMs: LEAD_MS + n * (toneMs + pauseMs),
    durationMs: toneMs,
    hz: off(digit, low, high),
  }));
  const endMs = LEAD_MS + digits.length * (toneMs + pauseMs);
  return render({ ...how, tones, durationMs: Math.ceil(endMs / 20) * 20 });
}

describe('DtmfDetector accepts', () => {
  it.each<[string, Dialling]>([
    ['40 ms on, 40 ms off', {}],
    ['the same at 8 kHz', { sampleRateHz: 8000 }],
    ['−40 dBFS', { levelDbfs: -40 }],
    ['−6 dBFS', { levelDbfs: -6 }],
    ['both tones 1.8 % high', { low: 0.018, high: 0.018 }],
    ['both tones 1.8 % low', { low: -0.018, high: -0.018 }],
    ['tones drawn apart by 1.5 %', { low: -0.015, high: 0.015 }],
    ['tones drawn together by 1.5 %', { low: 0.015, high: -0.015 }],
    ['a twist of +4 dB', { twistDb: 4 }],
    ['a twist of −8 dB', { twistDb: -8 }],
    [
      '−40 dBFS, −8 dB twist, 1.5 % apart',
      { levelDbfs: -40, twistDb: -8, low: -0.015, high: 0.015 },
    ],
    ['noise 15 dB below', { noiseDbfs: -30 }],
    ['noise 15 dB below, at 8 kHz', { noiseDbfs: -30, sampleRateHz: 8000 }],
    ['noise 8 dB below, at 8 kHz', { noiseDbfs: -23, sampleRateHz: 8000, toneMs: 50 }],
    ['noise 15 dB below a twist of −8 dB', { noiseDbfs: -30, twistDb: -8, low: 0.015 }],
    ['a slow hand', { toneMs: 350, pauseMs: 200 }],
  ])('all digits: %s', (_, how) => {
    const { toneMs = 40, pauseMs = 40 } = how;
    const tones = detect(dial(DIALLED, how), how.sampleRateHz);
    expect(digitsOf(tones)).toBe(DIALLED.join(''));
    tones.forEach((tone, n) => {
      const startMs = LEAD_MS + n * (toneMs + pauseMs);
      expect(Math.abs(tone.startMs - startMs)).toBeLessThan(5);
      expect(Math.abs(tone.endMs - startMs - toneMs)).toBeLessThan(5);
      expect(tone.durationMs).toBe(tone.endMs - tone.startMs);
    });
  });

  it('all digits over a voice 15 dB below', () => {
    const voice = fixture('speech.wav');
    const energy = voice.reduce((sum, sample) => sum + sample * sample, 0) / voice.length;
    const gain = (32_768 * 10 ** (-30 / 20)) / Math.sqrt(energy);
    const pcm = dial(DIALLED, {}).map((sample, i) => sample + gain * voice[i % voice.length]!);
    expect(digitsOf(detect(pcm))).toBe(DIALLED.join(''));
  });

  it.each([2, 5, 10])('tones with a break of %i ms as one', (breakMs) => {
    const tones = DIGITS.flatMap((digit, n) => [
      { startMs: 40 + n * 120, durationMs: 30, hz: off(digit, 0) },
      { startMs: 70 + breakMs + n * 120, durationMs: 40 - breakMs, hz: off(digit, 0), phase: n },
    ]);
    const heard = detect(render({ durationMs: 2000, tones }));
    expect(digitsOf(heard)).toBe(DIGITS.join(''));
    for (const tone of heard) expect(Math.abs(tone.durationMs - 70)).toBeLessThan(4);
  });

  it.each([
    [10, 10],
    [20, 10],
    [30, 20],
    [60, 24],
  ])('digits once, and in time, with an echo after %i ms, %i dB down', (delayMs, downDb) => {
    const pcm = dial(DIALLED, { toneMs: 50, pauseMs: 60 });
    const gain = 10 ** (-downDb / 20);
    const echoed = pcm.map((sample, i) => sample + gain * (pcm[i - 16 * delayMs] ?? 0));
    const heard = detect(echoed);
    expect(digitsOf(heard)).toBe(DIALLED.join(''));
    for (const tone of heard) expect(tone.durationMs).toBeLessThan(75);
  });

  it('a digit again though it is much quieter, when it is too late for an echo', () => {
    const tones = [-10, -30].map((levelDbfs, n) => ({
      startMs: 40 + n * 240,
      durationMs: 60,
      hz: off('8', 0),
      levelDbfs,
    }));
    expect(digitsOf(detect(render({ durationMs: 500, tones })))).toBe('88');
  });

  it('a tone that fades by 6 dB as one', () => {
    const tone = { startMs: 100, durationMs: 200, hz: off('8', 0), levelDbfs: -10 };
    const faded = render({ durationMs: 400, tones: [tone] }).map(
      (sample, i) => sample * 10 ** ((-6 / 20) * Math.max(0, (i / 16 - 100) / 200)),
    );
    const [heard, ...rest] = detect(faded);
    expect([heard?.digit, rest.length]).toEqual(['8', 0]);
    expect(Math.abs((heard?.durationMs ?? Number.NaN) - 200)).toBeLessThan(5);
  });

  it.each([
    [12, 20, 60],
    [12, 60, 100],
    [15, 100, 100],
    [20, 200, 200],
  ])('digits that are turned down by %i dB within %i ms, once', (downDb, withinMs, durationMs) => {
    for (const [n, digit] of DIGITS.entries()) {
      const startMs = 100 + (n % 5);
      const tone = { startMs, durationMs, hz: off(digit, 0), levelDbfs: -10, phase: n };
      const faded = render({ durationMs: 500, tones: [tone] }).map((sample, i) => {
        const share = Math.min(1, Math.max(0, (i / 16 - startMs) / withinMs));
        return sample * 10 ** ((-downDb / 20) * share);
      });
      expect(digitsOf(detect(faded))).toBe(digit);
    }
  });

  it('two digits without a pause between them', () => {
    const tones = [
      { startMs: 100, durationMs: 100, hz: off('1', 0) },
      { startMs: 200, durationMs: 100, hz: off('9', 0) },
    ];
    const [one, nine, ...rest] = detect(render({ durationMs: 400, tones }));
    expect([one?.digit, nine?.digit, rest.length]).toEqual(['1', '9', 0]);
    expect(Math.abs((one?.endMs ?? Number.NaN) - 200)).toBeLessThan(10);
    expect(Math.abs((nine?.startMs ?? Number.NaN) - 200)).toBeLessThan(10);
  });

  it('a digit of any length and place, once (property)', () => {
    const sampleRateHz = fc.constantFrom(8000 as const, 16_000 as const);
    const tone = fc.record({
      digit: fc.constantFrom(...DIGITS),
      low: fc.double({ min: -0.015, max: 0.015, noNaN: true }),
      high: fc.double({ min: -0.015, max: 0.015, noNaN: true }),
      startMs: fc.double({ min: 0, max: 60, noNaN: true }),
      durationMs: fc.double({ min: 40, max: 250, noNaN: true }),
      levelDbfs: fc.integer({ min: -40, max: -7 }),
      twistDb: fc.double({ min: -8, max: 4, noNaN: true }),
      phase: fc.double({ min: 0, max: 6.28, noNaN: true }),
    });
    fc.assert(
      fc.property(tone, sampleRateHz, ({ digit, low, high, ...made }, rateHz) => {
        const tones = [{ ...made, hz: off(digit, low, high) }];
        const noiseDbfs = made.levelDbfs - 20;
        const pcm = render({ durationMs: 400, tones, sampleRateHz: rateHz, noiseDbfs });
        const [heard, ...rest] = detect(pcm, rateHz);
        expect([heard?.digit, rest.length]).toEqual([digit, 0]);
        expect(Math.abs((heard?.startMs ?? Number.NaN) - made.startMs)).toBeLessThan(6);
        expect(Math.abs((heard?.durationMs ?? Number.NaN) - made.durationMs)).toBeLessThan(8);
      }),
      { numRuns: 150 },
    );
  });

  it('the same however the sound is cut into calls (property)', () => {
    const pcm = dial(['1', '5', '9', 'D'], { toneMs: 60, noiseDbfs: -40 });
    const whole = detect(pcm);
    expect(digitsOf(whole)).toBe('159D');
    const cuts = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 40 });
    fc.assert(
      fc.property(cuts, (list) => {
        const tones: unknown[] = [];
        const detector = new DtmfDetector({
          sampleRateHz: 16_000,
          onTone: (tone) => tones.push(tone),
        });
        let from = 0;
        for (const hops of [...list, 1e6]) {
          const to = Math.min(pcm.length, from + hops * 80);
          detector.process(pcm.subarray(from, to), from / 16);
          from = to;
        }
        detector.discontinuity();
        expect(tones).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

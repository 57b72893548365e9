import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DetectedTone } from '../src/index.js';
import { DIGITS, DtmfDetector, generateSequence, generateTone } from '../src/index.js';
import { detect, digitsOf, off, render } from './signal.js';

const FRAME = 320;

function detector(): { readonly tones: DetectedTone[]; readonly dtmf: DtmfDetector } {
  const tones: DetectedTone[] = [];
  const dtmf = new DtmfDetector({ sampleRateHz: 16_000, onTone: (tone) => tones.push(tone) });
  return { tones, dtmf };
}

function play(dtmf: DtmfDetector, pcm: Int16Array, fromMs: number): void {
  for (let at = 0; at < pcm.length; at += FRAME) {
    dtmf.process(pcm.subarray(at, at + FRAME), fromMs + at / 16);
  }
}

/** One digit from 100 ms on, in a second of silence. */
function one(durationMs: number): Int16Array {
  return render({ durationMs: 1000, tones: [{ startMs: 100, durationMs, hz: off('7', 0) }] });
}

function frames(from: number, count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count }, (_, n) => from + n));
}

describe('DtmfDetector across gaps', () => {
  it.each([1, 2, 5])('bridges %i lost frames within a tone', (lost) => {
    const [tone, ...rest] = detect(one(200), 16_000, frames(7, lost));
    expect(rest).toEqual([]);
    expect(tone).toMatchObject({ digit: '7', acrossGap: true });
    expect(Math.abs((tone?.startMs ?? Number.NaN) - 100)).toBeLessThan(5);
    expect(Math.abs((tone?.durationMs ?? Number.NaN) - 200)).toBeLessThan(8);
  });

  it('follows a tone through what a codec makes of the first sound after a gap', () => {
    for (const gain of [0.2, 0.5]) {
      const pcm = one(200);
      // The 25 ms after the lost frame 7: quieter, and turned round.
      const from = 8 * FRAME;
      for (let i = from; i < from + 400; i += 1) pcm[i] = -gain * pcm[i]!;
      const heard = detect(pcm, 16_000, frames(7, 1));
      expect(digitsOf(heard)).toBe('7');
      expect(heard[0]!.acrossGap).toBe(true);
      expect(Math.abs(heard[0]!.durationMs - 200)).toBeLessThan(8);
    }
  });

  it('hears 24 ms of a tone that began in a gap', () => {
    const tones = [{ startMs: 110, durationMs: 54, hz: off('7', 0) }];
    const pcm = render({ durationMs: 400, tones });
    expect(digitsOf(detect(pcm, 16_000, frames(5, 2)))).toBe('7');
  });

  it('does not bridge more than 100 ms', () => {
    const tones = detect(one(400), 16_000, frames(9, 6));
    expect(digitsOf(tones)).toBe('77');
    expect(tones.map((tone) => tone.acrossGap)).toEqual([false, false]);
    expect(Math.abs(tones[0]!.endMs - 180)).toBeLessThan(5);
    expect(Math.abs(tones[1]!.startMs - 300)).toBeLessThan(5);
  });

  it('counts lost frames one by one or all at once', () => {
    const pcm = one(300);
    const { tones, dtmf } = detector();
    play(dtmf, pcm.subarray(0, 8 * FRAME), 0);
    dtmf.gap(80);
    play(dtmf, pcm.subarray(12 * FRAME), 240);
    expect(tones).toEqual(detect(pcm, 16_000, frames(8, 4)));
    expect(tones.length).toBe(1);
  });

  it('ends a tone where a gap begins, if it is not there afterwards', () => {
    const [tone, ...rest] = detect(one(80), 16_000, frames(8, 3));
    expect(rest).toEqual([]);
    expect(tone).toMatchObject({ digit: '7', acrossGap: false });
    expect(Math.abs((tone?.endMs ?? Number.NaN) - 160)).toBeLessThan(5);
  });

  it('begins a tone where a gap ends, if it was not there before', () => {
    const [tone, ...rest] = detect(one(80), 16_000, frames(4, 3));
    expect(rest).toEqual([]);
    expect(tone).toMatchObject({ digit: '7', acrossGap: false });
    expect(Math.abs((tone?.startMs ?? Number.NaN) - 140)).toBeLessThan(5);
  });

  it('hears 28 ms of a tone beside a gap, though not of a tone alone', () => {
    expect(digitsOf(detect(one(28)))).toBe('');
    const pcm = render({
      durationMs: 400,
      tones: [{ startMs: 112, durationMs: 60, hz: off('7', 0) }],
    });
    expect(digitsOf(detect(pcm, 16_000, frames(7, 3)))).toBe('7');
  });

  it('keeps two digits apart when a frame of the pause is lost', () => {
    const tones = [100, 240].map((startMs) => ({ startMs, durationMs: 100, hz: off('4', 0) }));
    const pcm = render({ durationMs: 500, tones });
    expect(digitsOf(detect(pcm))).toBe('44');
    expect(digitsOf(detect(pcm, 16_000, frames(10, 1)))).toBe('44');
    expect(digitsOf(detect(pcm, 16_000, frames(11, 1)))).toBe('44');
  });

  it('never fires on what was lost', () => {
    const { tones, dtmf } = detector();
    dtmf.gap(100);
    play(dtmf, new Int16Array(10 * FRAME), 100);
    for (let n = 0; n < 10; n += 1) dtmf.gap(20);
    // A flicker of a tone at both edges of a gap is too little to go by.
    const flicker = generateTone({ digit: '5', durationMs: 10, sampleRateHz: 16_000 });
    const edge = new Int16Array(FRAME);
    edge.set(flicker, FRAME - flicker.length);
    play(dtmf, edge, 1000);
    dtmf.gap(60);
    const after = new Int16Array(10 * FRAME);
    after.set(flicker);
    play(dtmf, after, 1080);
    dtmf.discontinuity();
    expect(tones).toEqual([]);
  });

  it('ignores gaps of no length', () => {
    const pcm = one(100);
    const { tones, dtmf } = detector();
    play(dtmf, pcm.subarray(0, 7 * FRAME), 0);
    for (const durationMs of [0, -20, Number.NaN]) dtmf.gap(durationMs);
    play(dtmf, pcm.subarray(7 * FRAME), 140);
    expect(tones).toEqual(detect(pcm));
  });

  it('finds every digit once whatever single frames are lost (property)', () => {
    const digits = fc.array(fc.constantFrom(...DIGITS), { minLength: 1, maxLength: 5 });
    const distances = fc.array(fc.integer({ min: 5, max: 12 }), { maxLength: 8 });
    fc.assert(
      fc.property(digits, distances, fc.integer({ min: 0, max: 19 }), (list, gaps, leadMs) => {
        const dialled = generateSequence({
          digits: list.join(''),
          toneMs: 100,
          pauseMs: 100,
          sampleRateHz: 16_000,
        });
        const pcm = new Int16Array(5 * FRAME + dialled.length);
        pcm.set(dialled, 80 * 16 + leadMs * 16);
        const lost = new Set<number>();
        let frame = 0;
        for (const distance of gaps) {
          frame += distance;
          lost.add(frame);
        }
        const heard = detect(pcm, 16_000, lost);
        expect(digitsOf(heard)).toBe(list.join(''));
        // A frame may be lost of its beginning, and what little came before it goes unheard.
        heard.forEach((tone, n) => {
          expect(Math.abs(tone.startMs - (80 + leadMs + n * 200))).toBeLessThan(32);
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('DtmfDetector at discontinuities', () => {
  it('reports the open tone with the end that was heard', () => {
    const { tones, dtmf } = detector();
    play(dtmf, generateTone({ digit: '3', durationMs: 100, sampleRateHz: 16_000 }), 40);
    expect(tones).toEqual([]);
    dtmf.discontinuity();
    expect(tones.length).toBe(1);
    expect(tones[0]).toMatchObject({ digit: '3', acrossGap: false });
    expect(Math.abs(tones[0]!.startMs - 40)).toBeLessThan(5);
    expect(Math.abs(tones[0]!.endMs - 140)).toBeLessThan(5);
    expect(dtmf.toneActive).toBe(false);
    dtmf.discontinuity();
    expect(tones.length).toBe(1);
  });

  it('keeps what sounds before and after apart', () => {
    const { tones, dtmf } = detector();
    const tone = generateTone({ digit: '3', durationMs: 60, sampleRateHz: 16_000 });
    play(dtmf, tone, 0);
    dtmf.discontinuity();
    play(dtmf, tone, 60);
    dtmf.discontinuity();
    expect(digitsOf(tones)).toBe('33');
  });

  it('sees a jump of media time by itself, and forgives jitter', () => {
    const tone = generateTone({ digit: '3', durationMs: 60, sampleRateHz: 16_000 });
    for (const [jumpMs, digits] of [
      [0, '3'],
      [8, '3'],
      [-8, '3'],
      [11, '33'],
      [5000, '33'],
    ] as const) {
      const { tones, dtmf } = detector();
      play(dtmf, tone, 0);
      play(dtmf, tone, 60 + jumpMs);
      dtmf.discontinuity();
      expect(digitsOf(tones)).toBe(digits);
    }
  });

  it('forgets an open tone on reset', () => {
    const { tones, dtmf } = detector();
    play(dtmf, generateTone({ digit: '3', durationMs: 100, sampleRateHz: 16_000 }), 0);
    dtmf.reset();
    dtmf.discontinuity();
    expect([tones.length, dtmf.toneActive]).toEqual([0, false]);
    play(dtmf, one(60), 0);
    dtmf.discontinuity();
    expect(digitsOf(tones)).toBe('7');
  });

  it('says that a tone is active before three frames of it have passed, until it is over', () => {
    for (let leadMs = 0; leadMs < 20; leadMs += 3) {
      const { tones, dtmf } = detector();
      const pcm = new Int16Array(20 * FRAME);
      pcm.set(generateTone({ digit: '2', durationMs: 120, sampleRateHz: 16_000 }), leadMs * 16);
      const active: boolean[] = [];
      for (let n = 0; n < 20; n += 1) {
        dtmf.process(pcm.subarray(n * FRAME, (n + 1) * FRAME), n * 20);
        active.push(dtmf.toneActive);
      }
      expect(active.indexOf(true)).toBeLessThanOrEqual(2);
      expect(active.lastIndexOf(true)).toBeGreaterThanOrEqual(Math.floor((leadMs + 119) / 20));
      expect(active.lastIndexOf(true)).toBeLessThanOrEqual(9);
      expect(active.filter((now, n) => now !== active[n + 1]).length).toBe(3);
      expect(digitsOf(tones)).toBe('2');
    }
  });
});

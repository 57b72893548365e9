import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIGITS, DtmfDetector } from '../src/index.js';
import type { Tones } from './signal.js';
import { detect, digitsOf, fixture, off, randomSource, render } from './signal.js';

/** Each set of frequencies for half a second, with half a second between. */
function hear(sets: readonly (readonly number[])[]): string {
  const tones = sets.map((hz, n) => ({ startMs: 100 + n * 1000, durationMs: 500, hz }));
  return digitsOf(detect(render({ durationMs: 100 + sets.length * 1000, tones })));
}

/**
 * A vowel: harmonics of a gliding pitch, shaped by two formants, its loudness swelling.
 */
function vowel(pitchHz: number, firstHz: number, secondHz: number, glide: number): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: 16_000 * 0.3 }, (_, i) => {
    const hz = pitchHz * (1 + (glide * i) / 4800);
    phase += (2 * Math.PI * hz) / 16_000;
    let sample = 0;
    for (let n = 1; n * hz < 4000; n += 1) {
      const near = (formantHz: number) => 1 / (1 + ((n * hz - formantHz) / 80) ** 2);
      sample += (near(firstHz) + 0.6 * near(secondHz) + 0.25 / n) * Math.sin(n * phase + n);
    }
    return Math.round(6000 * Math.sin((Math.PI * i) / 4800) * sample);
  });
}

describe('DtmfDetector rejects', () => {
  it.each([
    [0.035, 0],
    [-0.035, 0],
    [0, 0.035],
    [0, -0.035],
    [0.03, 0],
    [0, -0.03],
    [0.05, 0.05],
  ])('tones off by %d and %d', (low, high) => {
    expect(hear(DIGITS.map((digit) => off(digit, low, high)))).toBe('');
  });

  it('single tones', () => {
    expect(hear([697, 770, 852, 941, 1209, 1336, 1477, 1633].map((hz) => [hz]))).toBe('');
  });

  it('two tones of one group', () => {
    expect(
      hear([
        [697, 852],
        [770, 941],
        [1209, 1477],
        [1336, 1633],
      ]),
    ).toBe('');
  });

  it('the tones of telephony', () => {
    expect(
      hear([
        [350, 440], // dial, North America
        [425], // dial and busy, Europe
        [440, 480], // ringing
        [480, 620], // busy
        [950],
        [1400],
        [1800], // special information
        [1100], // fax calling
        [2100], // fax answering
        [2600],
        [1380, 1500], // R2 forward
        [1620, 1980],
        [540, 1140], // R2 backward
        [900, 1020],
        [700, 900], // R1
        [700, 1100],
        [900, 1300],
        [900, 1500],
        [1100, 1700],
        [700, 1300],
      ]),
    ).toBe('');
  });

  it('700 + 1500 Hz of R1, which is nearly a 3, but not a 3 that is 1.5 % off', () => {
    for (const durationMs of [60, 68, 100, 500]) {
      const made = { startMs: 50, durationMs };
      const hear3 = (hz: readonly number[]): string =>
        digitsOf(detect(render({ durationMs: 800, tones: [{ ...made, hz }] })));
      expect(hear3([700, 1500])).toBe('');
      for (const low of [-0.015, 0, 0.015]) expect(hear3(off('3', low, 0.015))).toBe('3');
    }
  });

  it('chords', () => {
    const note = (semitones: number) => 440 * 2 ** (semitones / 12);
    const chords: number[][] = [];
    for (let root = 0; root <= 12; root += 1) {
      for (const shape of [
        [0, 4, 7],
        [0, 3, 7],
        [0, 4, 7, 10],
        [0, 12, 19],
      ]) {
        chords.push(shape.flatMap((step) => [note(root + step), note(root + step + 12)]));
      }
    }
    expect(hear(chords)).toBe('');
  });

  it('sweeps through every digit', () => {
    const pcm = Int16Array.from({ length: 16_000 * 4 }, (_, i) => {
      const t = i / 16_000;
      const low = Math.sin(2 * Math.PI * (650 * t + 40 * t * t));
      const high = Math.sin(2 * Math.PI * (1150 * t + 65 * t * t));
      return Math.round(6000 * (low + high));
    });
    expect(digitsOf(detect(pcm))).toBe('');
  });

  it('tones of 23 ms and of 28 ms', () => {
    for (const durationMs of [15, 23, 28]) {
      const tones = DIGITS.map((digit, n) => ({
        startMs: 40 + n * 101,
        durationMs,
        hz: off(digit, 0),
      }));
      expect(digitsOf(detect(render({ durationMs: 1700, tones })))).toBe('');
    }
  });

  it('tones at −55 dBFS and beyond a twist of 9 and −13 dB', () => {
    const at = (n: number, extra: Partial<Tones>): Tones => ({
      startMs: 100 + n * 200,
      durationMs: 100,
      hz: off('5', 0),
      ...extra,
    });
    const tones = [at(0, { levelDbfs: -55 }), at(1, { twistDb: 9 }), at(2, { twistDb: -13 })];
    expect(digitsOf(detect(render({ durationMs: 800, tones })))).toBe('');
  });

  it('a digit over a third tone as strong as either', () => {
    expect(hear(DIGITS.map((digit) => [...off(digit, 0), 400, 2500]))).toBe('');
  });

  it('the moments of synthetic speech that come closest to digits', () => {
    const speech = fixture('speech.wav');
    expect(speech.length).toBe(14 * 5760);
    expect(digitsOf(detect(speech))).toBe('');
    expect(digitsOf(detect(speech.map((sample) => sample / 20)))).toBe('');
  });

  it.each([
    [270, 2290],
    [390, 1990],
    [530, 1840],
    [660, 1720],
    [730, 1090],
    [570, 840],
    [440, 1020],
    [300, 870],
    [640, 1190],
    [490, 1350],
    [860, 1550],
    [850, 1220],
  ])('the vowel with formants at %i and %i Hz, of any voice', (firstHz, secondHz) => {
    for (let pitchHz = 90; pitchHz <= 300; pitchHz += 23) {
      for (const glide of [0.1, -0.2]) {
        expect(digitsOf(detect(vowel(pitchHz, firstHz, secondHz, glide)))).toBe('');
      }
    }
  });

  it('survives any sound at all (property)', () => {
    const frames = fc.array(fc.int16Array({ minLength: 320, maxLength: 320 }), { maxLength: 8 });
    fc.assert(
      fc.property(frames, (list) => {
        const pcm = Int16Array.from(list.flatMap((frame) => [...frame]));
        for (const tone of detect(pcm)) expect(tone.durationMs).toBeGreaterThan(30);
      }),
      { numRuns: 50 },
    );
  });

  it('noise, clicks and full-scale rubbish', () => {
    const random = randomSource(3);
    const rubbish = Int16Array.from({ length: 64_000 }, () =>
      Math.floor((random() - 0.5) * 65_535),
    );
    const clicks = Int16Array.from({ length: 64_000 }, (_, i) => (i % 397 === 0 ? 32_767 : 0));
    const square = Int16Array.from({ length: 64_000 }, (_, i) => (i % 23 < 12 ? 32_767 : -32_768));
    for (const pcm of [rubbish, clicks, square]) expect(detect(pcm)).toEqual([]);
  });

  it('PCM that is no multiple of 5 ms, and other rates', () => {
    const detector = new DtmfDetector({ sampleRateHz: 16_000, onTone: () => {} });
    expect(() => detector.process(new Int16Array(81), 0)).toThrow(/multiple of 80 samples, got 81/);
    const rate: number = 44_100;
    expect(() => new DtmfDetector({ sampleRateHz: rate as 8000, onTone: () => {} })).toThrow(
      /8000 or 16000 Hz, got 44100/,
    );
  });
});

import { DIGITS, generateSequence } from '@earshot/dtmf';
import { describe, expect, it } from 'vitest';
import type { CallTone } from '../src/index.js';
import type { Part } from './signal.js';
import { hearLossy, hear as hearWhole, mix, noise, pcmOf, random, sound } from './signal.js';

const SECOND = 16_000;

/** A voice or an instrument: harmonics that fall, a pitch that wavers, notes that fade. */
function notes(
  seed: number,
  options: { readonly vibratoHz: number; readonly decayMs: number },
): Float64Array {
  const next = random(seed);
  const samples = new Float64Array(20 * SECOND);
  let phase = 0;
  for (let at = 0; at < samples.length; ) {
    const length = Math.round((0.1 + next()) * SECOND);
    const hz = 110 * 2 ** Math.floor(next() * 3 + 1) * 2 ** (Math.floor(next() * 12) / 12);
    const tilt = 0.3 + 0.4 * next();
    for (let n = 0; n < length && at < samples.length; n += 1, at += 1) {
      phase +=
        (2 * Math.PI * (hz + options.vibratoHz * Math.sin((2 * Math.PI * 5.5 * n) / SECOND))) /
        SECOND;
      let sum = 0;
      for (let h = 1, a = 0.2; h * hz < 3500 && h < 12; h += 1, a *= tilt)
        sum += a * Math.sin(h * phase);
      samples[at] = sum * Math.exp(-n / 16 / options.decayMs);
    }
  }
  return samples;
}

/** Whole, and with one frame in twelve lost, each by itself. */
function hear(sound: Float64Array | Int16Array): CallTone[] {
  const next = random(17);
  const pcm = sound instanceof Int16Array ? sound : pcmOf(sound);
  return [...hearWhole(pcm), ...hearLossy(pcm, () => next() < 1 / 12)];
}

function sweep(fromHz: number, toHz: number, ms: number): Float64Array {
  let phase = 0;
  return Float64Array.from({ length: ms * 16 }, (_, n) => {
    phase += (2 * Math.PI * (fromHz + ((toHz - fromHz) * n) / (ms * 16))) / SECOND;
    return 0.2 * Math.sin(phase);
  });
}

describe('nothing is told of', () => {
  it.each([35, 50, 80, 300, 1200])('keys pressed for %i ms', (toneMs) => {
    for (const pauseMs of [40, 100, 600]) {
      for (const twistDb of [-10, -8, -4, 0, 4, 6]) {
        const digits = [...DIGITS, ...DIGITS].join('');
        const pcm = generateSequence({ digits, toneMs, pauseMs, sampleRateHz: 16_000, twistDb });
        expect(hear(pcm.subarray(0, pcm.length - (pcm.length % 320)))).toEqual([]);
      }
    }
  });

  it.each([1, 2, 3, 4])('singing %i', (seed) => {
    expect(hear(notes(seed, { vibratoHz: 8, decayMs: 3000 }))).toEqual([]);
  });

  it.each([5, 6, 7, 8])('plucked strings %i', (seed) => {
    expect(hear(notes(seed, { vibratoHz: 0, decayMs: 250 }))).toEqual([]);
  });

  it.each([9, 10, 11, 12])('an organ %i', (seed) => {
    expect(
      hear(
        mix(
          notes(seed, { vibratoHz: 0, decayMs: 1e9 }),
          notes(seed + 99, { vibratoHz: 0, decayMs: 1e9 }),
        ),
      ),
    ).toEqual([]);
  });

  it.each([-50, -20, -6])('noise of %i dBFS', (levelDbfs) => {
    expect(hear(noise(30 * SECOND, levelDbfs))).toEqual([]);
  });

  it.each([
    [300, 3000, 4000],
    [500, 2500, 1000],
    [1000, 1100, 500],
  ])('a sweep from %i to %i Hz', (fromHz, toHz, ms) => {
    expect(hear(mix(new Float64Array(SECOND), sweep(fromHz, toHz, ms)))).toEqual([]);
  });

  it.each([
    [
      'clicks',
      Array.from({ length: 100 }, (): Part[] => [{ ms: 20, hz: [1000] }, { ms: 80 }]).flat(),
    ],
    [
      'a melody of pure tones',
      [523, 587, 659, 698, 784].map((hz): Part => ({ ms: 250, hz: [hz] })),
    ],
    ['a tone without end', [{ ms: 20_000, hz: [1000] }]],
    ['mains hum', [{ ms: 10_000, hz: [100, 200, 300] }]],
    [
      'MF tones of R1',
      [700, 900, 1100, 1300].flatMap((hz): Part[] => [{ ms: 68, hz: [hz, hz + 200] }, { ms: 68 }]),
    ],
    ['a chord', [{ ms: 2000, hz: [523, 659, 784] }]],
    ['one 425 Hz tone of a second', [{ ms: 1000, hz: [425] }]],
    ['a single ring', [{ ms: 2000, hz: [440, 480] }]],
    ['one period of busy', [{ ms: 500, hz: [480, 620] }]],
    [
      'rising tones that are too long',
      [950, 1400, 1800].map((hz): Part => ({ ms: 900, hz: [hz] })),
    ],
    ['falling tones', [1800, 1400, 950].map((hz): Part => ({ ms: 330, hz: [hz] }))],
  ])('%s', (_, parts) => {
    expect(hear(sound({ ms: 500 }, ...parts, { ms: 500 }))).toEqual([]);
  });

  it('a beep that begins or ends within louder sound', () => {
    const beep = sound({ ms: 1000 }, { ms: 400, hz: [1000] }, { ms: 1000 });
    const talk = noise(beep.length, -17);
    const before = talk.map((sample, n) => (n < SECOND ? sample : 0));
    const after = talk.map((sample, n) => (n > 1.4 * SECOND ? sample : 0));
    expect(hear(pcmOf(mix(beep, before)))).toEqual([]);
    expect(hear(pcmOf(mix(beep, after)))).toEqual([]);
  });
});

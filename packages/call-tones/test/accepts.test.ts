import { describe, expect, it } from 'vitest';
import { CALL_TONES } from './call-tones.js';
import type { Part } from './signal.js';
import { hear, kindsOf, mix, noise, sound } from './signal.js';

const PAUSE: Part = { ms: 500 };

describe.each(CALL_TONES)('%s', (_, kind, parts, startMs, endMs) => {
  const alone = sound(PAUSE, ...parts, PAUSE);

  it('is told once, where it is', () => {
    const tones = hear(alone);
    expect(kindsOf(tones)).toEqual([kind]);
    expect(Math.abs(tones[0]!.startMs - 500 - startMs)).toBeLessThanOrEqual(10);
    expect(Math.abs(tones[0]!.durationMs - (endMs - startMs))).toBeLessThanOrEqual(20);
    expect(Math.abs(tones[0]!.levelDbfs + 20)).toBeLessThan(0.6);
    expect(tones[0]!.confidence).toBeGreaterThan(0.75);
    expect(tones[0]!.acrossGap).toBe(false);
  });

  it('is told once in noise, 20 dB below', () => {
    expect(kindsOf(hear(mix(alone, noise(alone.length, -40))))).toEqual([kind]);
  });

  it.each([-40, -4])('is told once at %i dBFS', (levelDbfs) => {
    const tones = hear(sound(PAUSE, ...parts.map((part) => ({ ...part, levelDbfs })), PAUSE));
    expect(kindsOf(tones)).toEqual([kind]);
  });

  it('is not told when it is not asked for', () => {
    expect(hear(alone, [])).toEqual([]);
  });
});

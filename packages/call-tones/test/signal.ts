import type { CallTone, CallToneKind } from '../src/index.js';
import { CALL_TONE_KINDS, CallToneDetector } from '../src/index.js';

export const RATE_HZ = 16_000;
export const FRAME = 320;

/** Tones that sound together for a while, or a pause. */
export interface Part {
  readonly ms: number;
  readonly hz?: readonly number[];
  /** Of all of them together, 0 being a square wave at full scale; −20. */
  readonly levelDbfs?: number;
  /** The phase is turned every so often. */
  readonly reverseEveryMs?: number;
}

/** Parts in a row, as samples of ±1. */
export function sound(...parts: readonly Part[]): Float64Array {
  const samples = new Float64Array(Math.round(parts.reduce((sum, { ms }) => sum + ms, 0) * 16));
  let from = 0;
  for (const { ms, hz = [], levelDbfs = -20, reverseEveryMs = Number.POSITIVE_INFINITY } of parts) {
    const length = Math.round(ms * 16);
    const amplitude = 10 ** (levelDbfs / 20) * Math.sqrt(2 / Math.max(1, hz.length));
    for (let n = 0; n < length; n += 1) {
      const sign = Math.floor(n / 16 / reverseEveryMs) % 2 === 0 ? 1 : -1;
      for (const f of hz) {
        samples[from + n]! += sign * amplitude * Math.sin((2 * Math.PI * f * n) / RATE_HZ + f);
      }
    }
    from += length;
  }
  return samples;
}

/** On and off in turn. */
export function cadence(hz: readonly number[], ...periodsMs: readonly number[]): Part[] {
  return periodsMs.map((ms, n) => (n % 2 === 0 ? { ms, hz } : { ms }));
}

/** Gaussian noise, the same for the same seed. */
export function noise(length: number, levelDbfs: number, seed = 1): Float64Array {
  const next = random(seed);
  const scale = 10 ** (levelDbfs / 20);
  return Float64Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(next() + 1e-12));
    return scale * radius * Math.cos(2 * Math.PI * next());
  });
}

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function mix(...sounds: readonly Float64Array[]): Float64Array {
  const length = Math.max(...sounds.map((one) => one.length));
  return Float64Array.from({ length }, (_, n) =>
    sounds.reduce((sum, one) => sum + (one[n] ?? 0), 0),
  );
}

/** Whole frames of 20 ms; the last is filled up. */
export function pcmOf(samples: Float64Array): Int16Array {
  const pcm = new Int16Array(Math.ceil(samples.length / FRAME) * FRAME);
  for (let n = 0; n < samples.length; n += 1) {
    pcm[n] = Math.max(-32_768, Math.min(32_767, Math.round(samples[n]! * 32_768)));
  }
  return pcm;
}

/** What is heard in the sound, frame by frame, and then its end. */
export function hear(
  samples: Float64Array | Int16Array,
  kinds: readonly CallToneKind[] = CALL_TONE_KINDS,
): CallTone[] {
  const tones: CallTone[] = [];
  const detector = new CallToneDetector({ kinds, onTone: (tone) => tones.push(tone) });
  const pcm = samples instanceof Int16Array ? samples : pcmOf(samples);
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    detector.process(pcm.subarray(at, at + FRAME), at / 16);
  }
  detector.discontinuity();
  return tones;
}

export function kindsOf(tones: readonly CallTone[]): CallToneKind[] {
  return tones.map(({ kind }) => kind);
}

/** The same with frames lost. */
export function hearLossy(pcm: Int16Array, isLost: (n: number) => boolean): CallTone[] {
  const tones: CallTone[] = [];
  const detector = new CallToneDetector({
    kinds: CALL_TONE_KINDS,
    onTone: (tone) => tones.push(tone),
  });
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    if (isLost(at / FRAME)) detector.gap(20);
    else detector.process(pcm.subarray(at, at + FRAME), at / 16);
  }
  detector.discontinuity();
  return tones;
}

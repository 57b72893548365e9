import { readFileSync } from 'node:fs';
import type { DetectedTone, Digit } from '../src/index.js';
import { DtmfDetector, toneFrequencies } from '../src/index.js';

/** A stretch of plain sines, added to whatever else sounds. */
export interface Tones {
  readonly startMs: number;
  readonly durationMs: number;
  readonly hz: readonly number[];
  /** Level of all of them together. */
  readonly levelDbfs?: number;
  /** The second above the first. */
  readonly twistDb?: number;
  readonly phase?: number;
}

export interface Scene {
  readonly durationMs: number;
  readonly sampleRateHz?: 8000 | 16_000;
  readonly tones: readonly Tones[];
  readonly noiseDbfs?: number;
}

/** A pseudo-random source that is the same in every run: values from 0 to 1. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A digit's tones, each off by its share. */
export function off(digit: Digit, low: number, high: number = low): readonly number[] {
  const [lowHz, highHz] = toneFrequencies(digit);
  return [lowHz * (1 + low), highHz * (1 + high)];
}

export function render(scene: Scene): Int16Array {
  const rateHz = scene.sampleRateHz ?? 16_000;
  const sound = new Float64Array((scene.durationMs * rateHz) / 1000);
  for (const tones of scene.tones) addTones(sound, tones, rateHz);
  if (scene.noiseDbfs !== undefined) addNoise(sound, scene.noiseDbfs);
  return Int16Array.from(sound, (x) => Math.max(-32_768, Math.min(32_767, Math.round(x))));
}

/** Runs a detector over it, a frame of 20 ms at a time; frames named as lost are gaps. */
export function detect(
  pcm: Int16Array,
  sampleRateHz: 8000 | 16_000 = 16_000,
  lostFrames: ReadonlySet<number> = new Set(),
): DetectedTone[] {
  const tones: DetectedTone[] = [];
  const detector = new DtmfDetector({ sampleRateHz, onTone: (tone) => tones.push(tone) });
  const frame = sampleRateHz / 50;
  for (let n = 0; (n + 1) * frame <= pcm.length; n += 1) {
    if (lostFrames.has(n)) detector.gap(20);
    else detector.process(pcm.subarray(n * frame, (n + 1) * frame), n * 20);
  }
  detector.discontinuity();
  return tones;
}

export function digitsOf(tones: readonly DetectedTone[]): string {
  return tones.map((tone) => tone.digit).join('');
}

/** The samples of a canonical WAV file of the fixtures. */
export function fixture(name: string): Int16Array {
  const bytes = readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
  const data = bytes.subarray(bytes.indexOf('data') + 8);
  return Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i));
}

function addTones(sound: Float64Array, tones: Tones, rateHz: number): void {
  const { hz, levelDbfs = -15, twistDb = 0, phase = 0 } = tones;
  const weights = hz.map((_, n) => (n === 1 ? 10 ** (twistDb / 20) : 1));
  const scale = (32_768 * 10 ** (levelDbfs / 20) * Math.SQRT2) / Math.hypot(...weights);
  const from = Math.round((tones.startMs * rateHz) / 1000);
  const length = Math.round((tones.durationMs * rateHz) / 1000);
  hz.forEach((frequency, n) => {
    for (let i = 0; i < length && from + i < sound.length; i += 1) {
      const angle = (2 * Math.PI * frequency * i) / rateHz + phase * (n + 1);
      sound[from + i]! += scale * weights[n]! * Math.sin(angle);
    }
  });
}

function addNoise(sound: Float64Array, levelDbfs: number): void {
  const random = randomSource(7);
  // The sum of twelve has variance 1: near enough to a Gaussian.
  for (let i = 0; i < sound.length; i += 1) {
    let sum = -6;
    for (let n = 0; n < 12; n += 1) sum += random();
    sound[i]! += 32_768 * 10 ** (levelDbfs / 20) * sum;
  }
}

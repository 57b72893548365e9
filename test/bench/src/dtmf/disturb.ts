import type { SeededRandom } from '../seeded-random.js';
import { CELL_RATE_HZ } from './cell.js';

export interface Sine {
  readonly hz: number;
  readonly amplitude: number;
  /** At its beginning, in radians. */
  readonly phase: number;
}

/** Adds sines, switched on and off at once; times are exact to a sample. */
export function addSines(
  sound: Float64Array,
  startMs: number,
  durationMs: number,
  sines: readonly Sine[],
): void {
  const from = Math.round((startMs * CELL_RATE_HZ) / 1000);
  const to = Math.min(sound.length, Math.round(((startMs + durationMs) * CELL_RATE_HZ) / 1000));
  for (const { hz, amplitude, phase } of sines) {
    if (amplitude === 0) continue;
    const step = (2 * Math.PI * hz) / CELL_RATE_HZ;
    // Phases count from the beginning of the sound: a tone goes on after a break as if never cut.
    for (let i = from; i < to; i += 1) sound[i]! += amplitude * Math.sin(step * i + phase);
  }
}

/** Adds what was there again, later and quieter. */
export function addEcho(sound: Float64Array, delayMs: number, downDb: number): void {
  const delay = Math.round((delayMs * CELL_RATE_HZ) / 1000);
  const gain = 10 ** (-downDb / 20);
  for (let i = sound.length - 1; i >= delay; i -= 1) sound[i]! += gain * sound[i - delay]!;
}

/** Adds Gaussian noise of such a root mean square, all of it within the band. */
export function addNoise(
  sound: Float64Array,
  rms: number,
  band: 'telephone' | 'wide',
  random: SeededRandom,
): void {
  const white = Float64Array.from(sound, () => gaussian(random));
  const noise = band === 'wide' ? white : filtered(white, TELEPHONE_BAND);
  const energy = noise.reduce((sum, x) => sum + x * x, 0) / Math.max(1, noise.length);
  const scale = rms / Math.sqrt(energy || 1);
  for (let i = 0; i < sound.length; i += 1) sound[i]! += scale * noise[i]!;
}

/** What a line of the public network does to sound: 8-bit μ-law (ITU-T G.711). */
export function throughMuLaw(pcm: Int16Array): Int16Array {
  return pcm.map((sample) => {
    const magnitude = Math.min(8159, Math.abs(sample) / 4) + 33;
    const exponent = Math.min(7, Math.max(0, Math.floor(Math.log2(magnitude)) - 5));
    const step = 2 ** (exponent + 1);
    const value = (Math.floor(magnitude / step) + 0.5) * step - 33;
    return Math.max(-32_768, Math.min(32_767, Math.sign(sample) * Math.round(value * 4)));
  });
}

function gaussian(random: SeededRandom): number {
  let sum = 0;
  for (let n = 0; n < 6; n += 1) sum += random.signed();
  return sum / Math.SQRT2;
}

const TAPS = 129;
const TELEPHONE_BAND = bandPass(300, 3400);

function bandPass(fromHz: number, toHz: number): Float64Array {
  const middle = (TAPS - 1) / 2;
  return Float64Array.from({ length: TAPS }, (_, n) => {
    const at = n - middle;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * at) / (middle + 1));
    return window * (lowPassTap(at, toHz) - lowPassTap(at, fromHz));
  });
}

function lowPassTap(at: number, hz: number): number {
  const cutoff = (2 * hz) / CELL_RATE_HZ;
  return at === 0 ? cutoff : Math.sin(Math.PI * cutoff * at) / (Math.PI * at);
}

function filtered(sound: Float64Array, taps: Float64Array): Float64Array {
  return sound.map((_, i) => {
    let sum = 0;
    const first = Math.max(0, i - taps.length + 1);
    for (let k = first; k <= i; k += 1) sum += taps[i - k]! * sound[k]!;
    return sum;
  });
}

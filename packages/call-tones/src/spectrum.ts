import type { SoundWindow } from './sound-window.js';
import { FRAME_SAMPLES, WINDOW_FRAMES } from './sound-window.js';

export const RATE_HZ = 8000;
const SAMPLES = WINDOW_FRAMES * FRAME_SAMPLES;
/** Of the real transform; the window is filled up with zeros. */
const POINTS = 1024;
const HALF = POINTS / 2;
const BITS = 9;
const HZ_PER_BIN = RATE_HZ / POINTS;

/** Where tones are looked for: 300 to 2,700 Hz. */
const FIRST_BIN = 36;
const LAST_BIN = 348;

/** A tone's power lies within so many bins of its peak, under a Hann window. */
const LOBE_BINS = 2;

const WINDOW: Float64Array = Float64Array.from(
  { length: SAMPLES },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / SAMPLES),
);
const COS: Float64Array = Float64Array.from({ length: HALF }, (_, n) =>
  Math.cos((2 * Math.PI * n) / POINTS),
);
const SIN: Float64Array = Float64Array.from({ length: HALF }, (_, n) =>
  Math.sin((2 * Math.PI * n) / POINTS),
);
const REVERSED: Uint16Array = Uint16Array.from({ length: HALF }, (_, n) => reversed(n));

/** The two strongest tones of a window: their frequencies, Hz, and what part of all power each has. */
export interface TwoTones {
  readonly firstHz: number;
  readonly firstShare: number;
  readonly secondHz: number;
  readonly secondShare: number;
}

/**
 * The two strongest tones of a window of sound, by a Fourier transform of 1,024 points. Keeps nothing
 * from one window to the next; reused.
 */
export class Spectrum implements TwoTones {
  firstHz = 0;
  firstShare = 0;
  secondHz = 0;
  secondShare = 0;
  readonly #re: Float64Array = new Float64Array(HALF);
  readonly #im: Float64Array = new Float64Array(HALF);
  readonly #power: Float64Array = new Float64Array(HALF);

  read(window: Pick<SoundWindow, 'samples' | 'oldest'>): void {
    const total = this.#load(window);
    this.#transform();
    this.#unpack();
    // Parseval: all bins on both sides add up to so much.
    const whole = (total * POINTS) / 2;
    const first = this.#strongest();
    this.firstHz = this.#peakHz(first);
    this.firstShare = this.#takeLobe(first) / whole;
    const second = this.#strongest();
    this.secondHz = this.#peakHz(second);
    this.secondShare = this.#takeLobe(second) / whole;
  }

  /** The windowed sound, even samples as real parts and odd ones as imaginary: its square sum. */
  #load({ samples, oldest }: Pick<SoundWindow, 'samples' | 'oldest'>): number {
    const re = this.#re;
    const im = this.#im;
    let total = 0;
    let from = oldest;
    for (let n = 0; n < HALF; n += 1) {
      const at = REVERSED[n]!;
      if (2 * n >= SAMPLES) {
        re[at] = 0;
        im[at] = 0;
        continue;
      }
      const even = samples[from]! * WINDOW[2 * n]!;
      const odd = samples[from + 1]! * WINDOW[2 * n + 1]!;
      re[at] = even;
      im[at] = odd;
      total += even * even + odd * odd;
      from = from + 2 === SAMPLES ? 0 : from + 2;
    }
    return total;
  }

  #transform(): void {
    const re = this.#re;
    const im = this.#im;
    for (let size = 2; size <= HALF; size *= 2) {
      const half = size / 2;
      const step = POINTS / size;
      for (let k = 0; k < half; k += 1) {
        const cos = COS[k * step]!;
        const sin = SIN[k * step]!;
        for (let a = k; a < HALF; a += size) {
          const b = a + half;
          const bRe = re[b]! * cos + im[b]! * sin;
          const bIm = im[b]! * cos - re[b]! * sin;
          re[b] = re[a]! - bRe;
          im[b] = im[a]! - bIm;
          re[a] = re[a]! + bRe;
          im[a] = im[a]! + bIm;
        }
      }
    }
  }

  /** Powers of the real sound's bins, where tones are looked for and a lobe beyond. */
  #unpack(): void {
    const re = this.#re;
    const im = this.#im;
    for (let k = FIRST_BIN - LOBE_BINS; k <= LAST_BIN + LOBE_BINS; k += 1) {
      const evenRe = (re[k]! + re[HALF - k]!) / 2;
      const evenIm = (im[k]! - im[HALF - k]!) / 2;
      const oddRe = (im[k]! + im[HALF - k]!) / 2;
      const oddIm = (re[HALF - k]! - re[k]!) / 2;
      const binRe = evenRe + oddRe * COS[k]! + oddIm * SIN[k]!;
      const binIm = evenIm + oddIm * COS[k]! - oddRe * SIN[k]!;
      this.#power[k] = binRe * binRe + binIm * binIm;
    }
  }

  #strongest(): number {
    let best = FIRST_BIN;
    for (let k = FIRST_BIN + 1; k <= LAST_BIN; k += 1) {
      if (this.#power[k]! > this.#power[best]!) best = k;
    }
    return best;
  }

  /** Between the bins, by the parabola through the logarithms. */
  #peakHz(bin: number): number {
    const before = Math.log(this.#power[bin - 1]! + Number.MIN_VALUE);
    const at = Math.log(this.#power[bin]! + Number.MIN_VALUE);
    const after = Math.log(this.#power[bin + 1]! + Number.MIN_VALUE);
    const bend = before - 2 * at + after;
    const offset = bend < 0 ? (before - after) / (2 * bend) : 0;
    return (bin + Math.max(-0.5, Math.min(0.5, offset))) * HZ_PER_BIN;
  }

  /** The power around a peak, which is then gone. */
  #takeLobe(bin: number): number {
    let sum = 0;
    for (let k = bin - LOBE_BINS; k <= bin + LOBE_BINS; k += 1) {
      sum += this.#power[k]!;
      this.#power[k] = 0;
    }
    return sum;
  }
}

function reversed(index: number): number {
  let result = 0;
  for (let bit = 0; bit < BITS; bit += 1) if (index & (1 << bit)) result |= 1 << (BITS - 1 - bit);
  return result;
}

import { HIGH_TONES_HZ, LOW_TONES_HZ } from './digit.js';

/** Rate at which tones are looked for: more than twice the highest, and no more than needed. */
export const ANALYSIS_RATE_HZ = 8000;

/** Step from one spectrum to the next. */
export const HOP_MS = 5;
export const HOP_SAMPLES: number = (ANALYSIS_RATE_HZ * HOP_MS) / 1000;

/** Stretch of sound that a spectrum sees, under a Hann window. */
export const WINDOW_MS = 20;
export const WINDOW_SAMPLES: number = (ANALYSIS_RATE_HZ * WINDOW_MS) / 1000;

/** Tones of a group: rows, or columns, of the keypad. In a spectrum the rows come first. */
export const GROUP = 4;

/** Frequencies of a spectrum's tones. */
export const TONES_HZ: readonly number[] = [...LOW_TONES_HZ, ...HIGH_TONES_HZ];

const HALF = WINDOW_SAMPLES / 2;

/** Sum of a Hann window's values, and of their squares. */
const WINDOW_SUM = WINDOW_SAMPLES / 2;
const WINDOW_ENERGY = (WINDOW_SAMPLES * 3) / 8;

/** A sine of amplitude `a` at a tone's frequency shows there with the magnitude `a` times this. */
const GAIN = WINDOW_SUM / 2;

// Tables of the folded window: index k stands for the samples k + ½ to either side of its middle.
const WINDOW = Float64Array.from(
  { length: HALF },
  (_, k) => 0.5 + 0.5 * Math.cos((2 * Math.PI * (k + 0.5)) / WINDOW_SAMPLES),
);
const COSINES: readonly Float64Array[] = TONES_HZ.map((hz) => table(hz, Math.cos));
const SINES: readonly Float64Array[] = TONES_HZ.map((hz) => table(hz, Math.sin));

/**
 * How strong each of the eight tones is in one window of sound, and how strong all of it is.
 * A slot to be measured into again and again.
 */
export class ToneSpectrum {
  /** Mean power of the sound under the window: ½ for a sine at full scale. */
  totalPower = 0;
  /** Mean power of each tone: ½ for a sine at full scale and at the tone's very frequency. */
  readonly power: Float64Array = new Float64Array(2 * GROUP);
  /** Complex amplitude of each tone, its phase taken at the middle of the window. */
  readonly re: Float64Array = new Float64Array(2 * GROUP);
  readonly im: Float64Array = new Float64Array(2 * GROUP);
  readonly #even: Float64Array = new Float64Array(HALF);
  readonly #odd: Float64Array = new Float64Array(HALF);

  /** Measures all tones of the window that begins at `from`; `samples` are borrowed. */
  measure(samples: Float64Array, from: number): void {
    this.fold(samples, from);
    for (let tone = 0; tone < 2 * GROUP; tone += 1) this.measureTone(tone);
  }

  /** Takes in a window and its total power, without measuring any tone yet. */
  fold(samples: Float64Array, from: number): void {
    const middle = from + HALF;
    let energy = 0;
    for (let k = 0; k < HALF; k += 1) {
      const weight = WINDOW[k]!;
      const after = weight * samples[middle + k]!;
      const before = weight * samples[middle - 1 - k]!;
      energy += after * after + before * before;
      this.#even[k] = after + before;
      this.#odd[k] = after - before;
    }
    this.totalPower = energy / WINDOW_ENERGY;
  }

  /** Measures one tone of the window that was folded last. */
  measureTone(tone: number): void {
    const cosines = COSINES[tone]!;
    const sines = SINES[tone]!;
    let re = 0;
    let im = 0;
    for (let k = 0; k < HALF; k += 1) {
      re += this.#even[k]! * cosines[k]!;
      im -= this.#odd[k]! * sines[k]!;
    }
    this.re[tone] = re / GAIN;
    this.im[tone] = im / GAIN;
    this.power[tone] = (re * re + im * im) / (2 * GAIN * GAIN);
  }

  /** Index of the strongest tone of the group that begins at `first`. */
  strongest(first: number): number {
    let best = first;
    for (let tone = first + 1; tone < first + GROUP; tone += 1) {
      if (this.power[tone]! > this.power[best]!) best = tone;
    }
    return best;
  }

  clear(): void {
    this.totalPower = 0;
    this.power.fill(0);
    this.re.fill(0);
    this.im.fill(0);
  }
}

/**
 * How much of a sine's power its tone's measure still sees when the sine is `offsetHz` off: the
 * Hann window's main lobe.
 */
export function lobe(offsetHz: number): number {
  const x = (offsetHz * WINDOW_MS) / 1000;
  if (Math.abs(x) < 1e-6) return 1;
  const magnitude = Math.sin(Math.PI * x) / (Math.PI * x) / (1 - x * x);
  return magnitude * magnitude;
}

function table(hz: number, wave: (angle: number) => number): Float64Array {
  return Float64Array.from({ length: HALF }, (_, k) =>
    wave((2 * Math.PI * hz * (k + 0.5)) / ANALYSIS_RATE_HZ),
  );
}

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
const LOW0_COS = table(LOW_TONES_HZ[0]!, Math.cos);
const LOW0_SIN = table(LOW_TONES_HZ[0]!, Math.sin);
const LOW1_COS = table(LOW_TONES_HZ[1]!, Math.cos);
const LOW1_SIN = table(LOW_TONES_HZ[1]!, Math.sin);
const LOW2_COS = table(LOW_TONES_HZ[2]!, Math.cos);
const LOW2_SIN = table(LOW_TONES_HZ[2]!, Math.sin);
const LOW3_COS = table(LOW_TONES_HZ[3]!, Math.cos);
const LOW3_SIN = table(LOW_TONES_HZ[3]!, Math.sin);
const HIGH0_COS = table(HIGH_TONES_HZ[0]!, Math.cos);
const HIGH0_SIN = table(HIGH_TONES_HZ[0]!, Math.sin);
const HIGH1_COS = table(HIGH_TONES_HZ[1]!, Math.cos);
const HIGH1_SIN = table(HIGH_TONES_HZ[1]!, Math.sin);
const HIGH2_COS = table(HIGH_TONES_HZ[2]!, Math.cos);
const HIGH2_SIN = table(HIGH_TONES_HZ[2]!, Math.sin);
const HIGH3_COS = table(HIGH_TONES_HZ[3]!, Math.cos);
const HIGH3_SIN = table(HIGH_TONES_HZ[3]!, Math.sin);

/** Where `ToneSpectrum.power` has that of all sound. */
const TOTAL = 2 * GROUP;

/** A folded window: sums and differences of the samples to either side of its middle. */
const EVEN = new Float64Array(HALF);
const ODD = new Float64Array(HALF);

/**
 * How strong each of the eight tones is in one window of sound, and how strong all of it is.
 * A slot to be pointed at one window after another. What the tones of a group are is worked out
 * when it is first asked for, since little sound needs both groups.
 */
export class ToneSpectrum {
  /**
   * Mean power of each tone: ½ for a sine at full scale and at the tone's very frequency. Behind
   * them that of all sound: in an array, since V8 would box it anew for each window.
   */
  readonly power: Float64Array = new Float64Array(2 * GROUP + 1);
  /** Complex amplitude of each tone, its phase taken at the middle of the window. */
  readonly re: Float64Array = new Float64Array(2 * GROUP);
  readonly im: Float64Array = new Float64Array(2 * GROUP);
  #lowMeasured = false;
  #highMeasured = false;

  /** Mean power of the sound under the window: ½ for a sine at full scale. */
  get totalPower(): number {
    return this.power[TOTAL]!;
  }

  /** Measures all tones of the window that begins at `from`; `samples` are borrowed. */
  measure(samples: Float64Array, from: number): void {
    this.forget();
    this.measureLow(samples, from);
    this.measureHigh(samples, from);
  }

  /** What is measured next is another window. */
  forget(): void {
    this.#lowMeasured = false;
    this.#highMeasured = false;
  }

  /**
   * Measures the low tones and the total power, unless that was done since `forget`.
   *
   * @param from where in `samples`, which are borrowed, the window begins
   */
  measureLow(samples: Float64Array, from: number): void {
    if (this.#lowMeasured) return;
    this.#lowMeasured = true;
    sumLow(samples, from, this);
  }

  /** Measures the high tones and the total power, unless that was done since `forget`. */
  measureHigh(samples: Float64Array, from: number): void {
    if (this.#highMeasured) return;
    this.#highMeasured = true;
    sumHigh(samples, from, this);
  }

  /** Index of the strongest tone of the group that begins at `first`. */
  strongest(first: number): number {
    let best = first;
    for (let tone = first + 1; tone < first + GROUP; tone += 1) {
      if (this.power[tone]! > this.power[best]!) best = tone;
    }
    return best;
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

// Nearly all the time that detection takes is spent in the two functions below, which are as they
// are for V8: four tones in one pass; constant tables, all of one length, are twice as cheap as any
// that are handed over, so that there is a function for each group; and only a function that is
// too long to be inlined elsewhere sees them as constant, so that none of it is shared.

/** Measures the low tones of a window, and all of its sound, into `spectrum`. */
function sumLow(samples: Float64Array, from: number, spectrum: ToneSpectrum): void {
  let energy = 0;
  let re0 = 0;
  let im0 = 0;
  let re1 = 0;
  let im1 = 0;
  let re2 = 0;
  let im2 = 0;
  let re3 = 0;
  let im3 = 0;
  let right = from + HALF;
  let left = right - 1;
  for (let k = 0; k < HALF; k += 1) {
    const weight = WINDOW[k]!;
    const after = weight * samples[right]!;
    const before = weight * samples[left]!;
    energy += after * after + before * before;
    EVEN[k] = after + before;
    ODD[k] = after - before;
    right += 1;
    left -= 1;
  }
  for (let k = 0; k < HALF; k += 1) {
    const even = EVEN[k]!;
    const odd = ODD[k]!;
    re0 += even * LOW0_COS[k]!;
    im0 -= odd * LOW0_SIN[k]!;
    re1 += even * LOW1_COS[k]!;
    im1 -= odd * LOW1_SIN[k]!;
    re2 += even * LOW2_COS[k]!;
    im2 -= odd * LOW2_SIN[k]!;
    re3 += even * LOW3_COS[k]!;
    im3 -= odd * LOW3_SIN[k]!;
  }
  const { re, im, power } = spectrum;
  re[0] = re0 / GAIN;
  im[0] = im0 / GAIN;
  power[0] = (re0 * re0 + im0 * im0) / (2 * GAIN * GAIN);
  re[1] = re1 / GAIN;
  im[1] = im1 / GAIN;
  power[1] = (re1 * re1 + im1 * im1) / (2 * GAIN * GAIN);
  re[2] = re2 / GAIN;
  im[2] = im2 / GAIN;
  power[2] = (re2 * re2 + im2 * im2) / (2 * GAIN * GAIN);
  re[3] = re3 / GAIN;
  im[3] = im3 / GAIN;
  power[3] = (re3 * re3 + im3 * im3) / (2 * GAIN * GAIN);
  power[TOTAL] = energy / WINDOW_ENERGY;
}

/** Measures the high tones likewise. */
function sumHigh(samples: Float64Array, from: number, spectrum: ToneSpectrum): void {
  let energy = 0;
  let re0 = 0;
  let im0 = 0;
  let re1 = 0;
  let im1 = 0;
  let re2 = 0;
  let im2 = 0;
  let re3 = 0;
  let im3 = 0;
  let right = from + HALF;
  let left = right - 1;
  for (let k = 0; k < HALF; k += 1) {
    const weight = WINDOW[k]!;
    const after = weight * samples[right]!;
    const before = weight * samples[left]!;
    energy += after * after + before * before;
    EVEN[k] = after + before;
    ODD[k] = after - before;
    right += 1;
    left -= 1;
  }
  for (let k = 0; k < HALF; k += 1) {
    const even = EVEN[k]!;
    const odd = ODD[k]!;
    re0 += even * HIGH0_COS[k]!;
    im0 -= odd * HIGH0_SIN[k]!;
    re1 += even * HIGH1_COS[k]!;
    im1 -= odd * HIGH1_SIN[k]!;
    re2 += even * HIGH2_COS[k]!;
    im2 -= odd * HIGH2_SIN[k]!;
    re3 += even * HIGH3_COS[k]!;
    im3 -= odd * HIGH3_SIN[k]!;
  }
  const { re, im, power } = spectrum;
  re[4] = re0 / GAIN;
  im[4] = im0 / GAIN;
  power[4] = (re0 * re0 + im0 * im0) / (2 * GAIN * GAIN);
  re[5] = re1 / GAIN;
  im[5] = im1 / GAIN;
  power[5] = (re1 * re1 + im1 * im1) / (2 * GAIN * GAIN);
  re[6] = re2 / GAIN;
  im[6] = im2 / GAIN;
  power[6] = (re2 * re2 + im2 * im2) / (2 * GAIN * GAIN);
  re[7] = re3 / GAIN;
  im[7] = im3 / GAIN;
  power[7] = (re3 * re3 + im3 * im3) / (2 * GAIN * GAIN);
  power[TOTAL] = energy / WINDOW_ENERGY;
}

function table(hz: number, wave: (angle: number) => number): Float64Array {
  return Float64Array.from({ length: HALF }, (_, k) =>
    wave((2 * Math.PI * hz * (k + 0.5)) / ANALYSIS_RATE_HZ),
  );
}

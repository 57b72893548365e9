/** Where samples come from: any place may be asked for, and what lies outside is 0. */
export type ReadSamples = (start: number, out: Float32Array) => void;

/** Zero crossings of the sinc on either side; with the window, 80 dB down in the stop band. */
const ZERO_CROSSINGS = 16;
const KAISER_BETA = 8;
/** Of the lower of both rates: what passes, so that what aliases lies in the filter's slope. */
const PASS_BAND = 0.9;

/**
 * Changes the rate of a sound by a windowed sinc, one table row for each place that an output
 * sample can have between two input samples. Keeps no history: blocks can be asked for in any order.
 */
export class Resampler {
  /** Output per input, as a reduced fraction. */
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #table: Float32Array;
  #window: Float32Array = new Float32Array(0);

  constructor(fromHz: number, toHz: number) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.#up = toHz / divisor;
    this.#down = fromHz / divisor;
    const stretch = Math.max(1, fromHz / toHz);
    this.#taps = 2 * Math.ceil(ZERO_CROSSINGS * stretch);
    this.#table = makeTable(this.#up, this.#taps, stretch);
  }

  /** Samples that `input` samples become. */
  lengthOf(input: number): number {
    return Math.ceil((input * this.#up) / this.#down);
  }

  /** Fills `out` with the output from sample `start` on. */
  read(source: ReadSamples, start: number, out: Float32Array): void {
    const half = this.#taps / 2;
    const first = Math.floor((start * this.#down) / this.#up) - half + 1;
    const last = Math.floor(((start + out.length - 1) * this.#down) / this.#up) + half;
    const length = last - first + 1;
    if (this.#window.length < length) this.#window = new Float32Array(length);
    const window = this.#window.subarray(0, length);
    source(first, window);
    for (let n = 0; n < out.length; n += 1) {
      const position = (start + n) * this.#down;
      const row = (position % this.#up) * this.#taps;
      const from = Math.floor(position / this.#up) - half + 1 - first;
      let sum = 0;
      for (let tap = 0; tap < this.#taps; tap += 1) {
        sum += this.#table[row + tap]! * window[from + tap]!;
      }
      out[n] = sum;
    }
  }
}

function makeTable(phases: number, taps: number, stretch: number): Float32Array {
  const table = new Float32Array(phases * taps);
  const half = taps / 2;
  for (let phase = 0; phase < phases; phase += 1) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = tap - half + 1 - phase / phases;
      row[tap] = sinc((distance * PASS_BAND) / stretch) * kaiser(distance / half);
      sum += row[tap]!;
    }
    // Every row passes a constant unchanged: no ripple from row to row.
    for (let tap = 0; tap < taps; tap += 1) row[tap]! /= sum;
  }
  return table;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The Kaiser window at `x` in -1 to 1. */
function kaiser(x: number): number {
  if (Math.abs(x) >= 1) return 0;
  return besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * 1e-12; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

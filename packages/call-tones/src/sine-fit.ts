import { RATE_HZ } from './spectrum.js';

/** Of two sines: a cosine and a sine each. */
const MOST = 4;

/**
 * What one sine, or two, can explain of sound at 8 kHz that may have holes, whatever their phases and
 * amplitudes: by least squares. Reused: `begin`, `add` each piece, `solve`, and `subtract` if wanted.
 */
export class SineFit {
  readonly #basis: Float64Array = new Float64Array(MOST);
  /** By what the basis turns from a sample to the next. */
  readonly #turns: Float64Array = new Float64Array(MOST);
  /** Products of the basis with itself, and with the sound. */
  readonly #matrix: Float64Array = new Float64Array(MOST * MOST);
  readonly #vector: Float64Array = new Float64Array(MOST);
  readonly #work: Float64Array = new Float64Array(MOST * MOST);
  readonly #factors: Float64Array = new Float64Array(MOST);
  #radians = 0;
  #otherRadians = 0;
  #count = 0;

  /** @param otherHz NaN for one sine alone */
  begin(hz: number, otherHz: number): void {
    this.#radians = (2 * Math.PI * hz) / RATE_HZ;
    this.#otherRadians = (2 * Math.PI * otherHz) / RATE_HZ;
    this.#count = Number.isNaN(otherHz) ? 2 : MOST;
    const turns = this.#turns;
    turns[0] = Math.cos(this.#radians);
    turns[1] = Math.sin(this.#radians);
    turns[2] = Math.cos(this.#otherRadians);
    turns[3] = Math.sin(this.#otherRadians);
    this.#matrix.fill(0);
    this.#vector.fill(0);
  }

  /** Takes `length` samples from `from` on, which sound from sample `at` of the whole on. */
  add(samples: Float64Array, from: number, length: number, at: number): void {
    const basis = this.#basis;
    const matrix = this.#matrix;
    const vector = this.#vector;
    const count = this.#count;
    this.#startAt(at);
    for (let n = 0; n < length; n += 1) {
      const sample = samples[from + n]!;
      for (let row = 0; row < count; row += 1) {
        const value = basis[row]!;
        vector[row]! += value * sample;
        for (let column = row; column < count; column += 1) {
          matrix[row * MOST + column]! += value * basis[column]!;
        }
      }
      this.#turn();
    }
  }

  /** The square sum of what is explained. */
  solve(): number {
    const work = this.#work;
    const factors = this.#factors;
    const count = this.#count;
    for (let row = 0; row < count; row += 1) {
      factors[row] = this.#vector[row]!;
      for (let column = 0; column < count; column += 1) {
        work[row * MOST + column] =
          this.#matrix[Math.min(row, column) * MOST + Math.max(row, column)]!;
      }
    }
    this.#eliminate();
    let explained = 0;
    for (let row = 0; row < count; row += 1) explained += factors[row]! * this.#vector[row]!;
    return explained;
  }

  /** Square of the first sine's amplitude, or of the second's. */
  amplitude2(second: boolean): number {
    const at = second ? 2 : 0;
    return this.#factors[at]! ** 2 + this.#factors[at + 1]! ** 2;
  }

  /** Takes what was explained out of a piece. */
  subtract(samples: Float64Array, from: number, length: number, at: number): void {
    this.#startAt(at);
    for (let n = 0; n < length; n += 1) {
      for (let row = 0; row < this.#count; row += 1) {
        samples[from + n]! -= this.#factors[row]! * this.#basis[row]!;
      }
      this.#turn();
    }
  }

  #startAt(at: number): void {
    const basis = this.#basis;
    basis[0] = Math.cos(this.#radians * at);
    basis[1] = Math.sin(this.#radians * at);
    if (this.#count === 2) return;
    basis[2] = Math.cos(this.#otherRadians * at);
    basis[3] = Math.sin(this.#otherRadians * at);
  }

  /** To the next sample: turns each sine by its angle. */
  #turn(): void {
    const basis = this.#basis;
    const turn = this.#turns;
    for (let i = 0; i < this.#count; i += 2) {
      const cos = basis[i]!;
      const sin = basis[i + 1]!;
      basis[i] = cos * turn[i]! - sin * turn[i + 1]!;
      basis[i + 1] = sin * turn[i]! + cos * turn[i + 1]!;
    }
  }

  /** Gauß; the matrix is positive, unless the sines are the same. */
  #eliminate(): void {
    const work = this.#work;
    const factors = this.#factors;
    const count = this.#count;
    for (let pivot = 0; pivot < count; pivot += 1) {
      const scale = 1 / work[pivot * MOST + pivot]!;
      for (let row = 0; row < count; row += 1) {
        if (row === pivot) continue;
        const factor = work[row * MOST + pivot]! * scale;
        for (let column = pivot; column < count; column += 1) {
          work[row * MOST + column]! -= factor * work[pivot * MOST + column]!;
        }
        factors[row]! -= factor * factors[pivot]!;
      }
    }
    for (let row = 0; row < count; row += 1) factors[row]! /= work[row * MOST + row]!;
  }
}

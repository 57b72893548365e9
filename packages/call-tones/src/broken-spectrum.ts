import { SineFit } from './sine-fit.js';
import type { SoundWindow } from './sound-window.js';
import { FRAME_SAMPLES, WINDOW_FRAMES } from './sound-window.js';
import type { TwoTones } from './spectrum.js';
import { RATE_HZ, Spectrum } from './spectrum.js';
import { mayBeOfPair } from './tone-sound.js';

const SAMPLES = WINDOW_FRAMES * FRAME_SAMPLES;
const HALF_FRAME = FRAME_SAMPLES / 2;

/** Least share of a single tone: a codec that has not settled adds to it. */
export const LEAST_BROKEN_SHARE = 0.84;

/** What is so near to a tone is the codec's. */
const DISTORTION_HZ = 80;

/** With less no tone comes to its share by a better frequency, or without its worst frame. */
const LEAST_NEAR_SHARE = 0.6;

/** Of more frames the worst is left out: right after a gap, or at an edge, it says little. */
const ENOUGH_FRAMES = 4;

/** Where the strongest tone has less than this share there is no pair of tones either. */
const LEAST_FIRST_SHARE = 0.35;

/**
 * The two strongest tones of a window with holes, in which a codec that has lost its thread may have
 * turned phases and made sound quieter: each frame is brought to the same loudness. Keeps nothing from
 * one window to the next; reused.
 */
export class BrokenSpectrum implements TwoTones {
  firstHz = 0;
  firstShare = 0;
  secondHz = 0;
  secondShare = 0;
  /** The frames, oldest first, each of mean square 1; zeros where nothing is known. */
  readonly samples: Float64Array = new Float64Array(SAMPLES);
  readonly oldest = 0;
  readonly #isKnown: Uint8Array = new Uint8Array(WINDOW_FRAMES);
  /** The tone in each frame, as a complex number. */
  readonly #re: Float64Array = new Float64Array(WINDOW_FRAMES);
  readonly #im: Float64Array = new Float64Array(WINDOW_FRAMES);
  /** By how much its phase turns from the first half of a frame to the second, beyond its frequency. */
  #turn = 0;
  readonly #spectrum: Spectrum = new Spectrum();
  readonly #fit: SineFit = new SineFit();

  read(window: SoundWindow): void {
    this.#take(window);
    this.#spectrum.read(this);
    const nearHz = this.#spectrum.firstHz;
    this.#readSingle(nearHz);
    if (this.firstShare < LEAST_BROKEN_SHARE && mayBeOfPair(nearHz)) this.#readPair(window, nearHz);
  }

  /** As one tone, whose phase may be another in each frame. */
  #readSingle(nearHz: number): void {
    this.secondShare = 0;
    this.firstShare = this.#shareOf(nearHz);
    if (this.firstShare < LEAST_NEAR_SHARE) return;
    this.firstHz = nearHz + (this.#turn * RATE_HZ) / (2 * Math.PI * HALF_FRAME);
    this.firstShare = this.#shareOf(this.firstHz);
    if (this.firstShare < LEAST_BROKEN_SHARE) return;
    this.#subtractEach();
    this.#spectrum.read(this);
    this.secondHz = this.#spectrum.firstHz;
    if (Math.abs(this.secondHz - this.firstHz) < DISTORTION_HZ) return;
    this.secondShare = this.#shareOf(this.secondHz);
  }

  /** As two tones, whose phases go on: only so are they known from one between them. */
  #readPair(window: SoundWindow, nearHz: number): void {
    this.firstHz = nearHz;
    this.firstShare = this.#solve(Number.NaN);
    if (this.firstShare < LEAST_FIRST_SHARE) return;
    this.#subtract();
    this.#spectrum.read(this);
    this.secondHz = this.#spectrum.firstHz;
    this.#take(window);
    const share = this.#solve(this.secondHz);
    const first = this.#fit.amplitude2(false);
    const second = this.#fit.amplitude2(true);
    this.secondShare = (share * second) / (first + second);
    this.firstShare = share - this.secondShare;
  }

  #take(window: SoundWindow): void {
    let from = window.oldest;
    for (let frame = 0; frame < WINDOW_FRAMES; frame += 1) {
      const power = window.knownPower(WINDOW_FRAMES - 1 - frame);
      this.#isKnown[frame] = power > 0 ? 1 : 0;
      const gain = power > 0 ? 1 / Math.sqrt(power) : 0;
      const to = frame * FRAME_SAMPLES;
      for (let n = 0; n < FRAME_SAMPLES; n += 1) {
        this.samples[to + n] = gain * window.samples[from + n]!;
      }
      from += FRAME_SAMPLES;
      if (from === SAMPLES) from = 0;
    }
  }

  /** What part of the known frames a tone is, each taken by itself; and how its phase turns. */
  #shareOf(hz: number): number {
    let known = 0;
    let sum = 0;
    let least = 1;
    let re = 0;
    let im = 0;
    for (let frame = 0; frame < WINDOW_FRAMES; frame += 1) {
      if (this.#isKnown[frame] === 0) continue;
      const from = frame * FRAME_SAMPLES;
      this.#correlate(frame, from, from + HALF_FRAME, hz);
      const firstRe = this.#re[frame]!;
      const firstIm = this.#im[frame]!;
      this.#correlate(frame, from + HALF_FRAME, from + FRAME_SAMPLES, hz);
      const secondRe = this.#re[frame]!;
      const secondIm = this.#im[frame]!;
      re += firstRe * secondRe + firstIm * secondIm;
      im += firstRe * secondIm - firstIm * secondRe;
      this.#re[frame] = firstRe + secondRe;
      this.#im[frame] = firstIm + secondIm;
      const share = 2 * (this.#re[frame]! ** 2 + this.#im[frame]! ** 2);
      sum += share;
      known += 1;
      // The newest counts: the tone may have ended.
      if (share < least && frame < WINDOW_FRAMES - 1) least = share;
    }
    this.#turn = Math.atan2(im, re);
    return known > ENOUGH_FRAMES ? (sum - least) / (known - 1) : sum / known;
  }

  /** A stretch of a frame beside a tone, as a part of the frame. */
  #correlate(frame: number, from: number, end: number, hz: number): void {
    const radians = (2 * Math.PI * hz) / RATE_HZ;
    const cosTurn = Math.cos(radians);
    const sinTurn = Math.sin(radians);
    let cos = Math.cos(radians * from);
    let sin = Math.sin(radians * from);
    let re = 0;
    let im = 0;
    for (let n = from; n < end; n += 1) {
      const sample = this.samples[n]!;
      re += sample * cos;
      im -= sample * sin;
      const next = cos * cosTurn - sin * sinTurn;
      sin = sin * cosTurn + cos * sinTurn;
      cos = next;
    }
    this.#re[frame] = re / FRAME_SAMPLES;
    this.#im[frame] = im / FRAME_SAMPLES;
  }

  /** Leaves of each frame what the first tone is not. */
  #subtractEach(): void {
    const radians = (2 * Math.PI * this.firstHz) / RATE_HZ;
    for (let frame = 0; frame < WINDOW_FRAMES; frame += 1) {
      if (this.#isKnown[frame] === 0) continue;
      const re = 2 * this.#re[frame]!;
      const im = 2 * this.#im[frame]!;
      for (let n = frame * FRAME_SAMPLES; n < (frame + 1) * FRAME_SAMPLES; n += 1) {
        this.samples[n]! -= re * Math.cos(radians * n) - im * Math.sin(radians * n);
      }
    }
  }

  /** The share that the first tone and another, if any, have of the known, their phases going on. */
  #solve(otherHz: number): number {
    const fit = this.#fit;
    fit.begin(this.firstHz, otherHz);
    let known = 0;
    for (let frame = 0; frame < WINDOW_FRAMES; frame += 1) {
      if (this.#isKnown[frame] === 0) continue;
      const from = frame * FRAME_SAMPLES;
      fit.add(this.samples, from, FRAME_SAMPLES, from);
      known += FRAME_SAMPLES;
    }
    return fit.solve() / known;
  }

  /** Leaves what the first tone does not explain. */
  #subtract(): void {
    for (let frame = 0; frame < WINDOW_FRAMES; frame += 1) {
      if (this.#isKnown[frame] === 0) continue;
      const from = frame * FRAME_SAMPLES;
      this.#fit.subtract(this.samples, from, FRAME_SAMPLES, from);
    }
  }
}

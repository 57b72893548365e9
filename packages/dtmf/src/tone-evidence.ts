import type { PairReading, PhaseStep } from './pair-reading.js';
import { offsetHz } from './pair-reading.js';

/** Least mean share of the sound's power. */
const MIN_SHARE = 0.62;

/**
 * The less of the sound the pair is, the purer it must be: between these shares the limits below
 * move from strict to lenient. What tones lose to noise and to speech over them costs them no
 * purity; what speech has by accident is seldom pure.
 */
const STRICT_SHARE = 0.65;
const LENIENT_SHARE = 0.9;

/**
 * Largest mean deviation of a perfectly even tone; 1.5 % and 2 Hz must be heard, 3 % must not
 * (Q.24, ES 201 235). A tone that is uneven too must deviate less.
 */
const STRICT_DEVIATION = 0.013;
const LENIENT_DEVIATION = 0.025;

/** Largest unevenness of a tone without deviation: 0 for a constant frequency, 1 for none at all. */
const STRICT_UNEVENNESS = 0.006;
const LENIENT_UNEVENNESS = 0.025;

/** Least number of readings. */
const STRICT_READINGS = 6;
const LENIENT_READINGS = 4;

/** A tone alone and all but perfect needs less of it: an echo may cut into it. */
const CLEAR_READINGS = 3;
const CLEAR_SHARE = 0.95;
const CLEAR_IMPURITY = 0.1;

/** What a codec spoiled after a loss: so many readings, of such a share, and less pure. */
const SPOILED_READINGS = 3;
const SPOILED_SHARE = 0.7;
const SPOILED_IMPURITY = 2;

/** What a codec that is short of bits made coarse. */
const COARSE_READINGS = 6;
const COARSE_SHARE = 0.85;
const COARSE_DEVIATION = 0.022;
const COARSE_UNEVENNESS = 0.07;

/** Span of the twist: −8 to +4 dB must be heard (Q.24). */
const MIN_TWIST_DB = -10.5;
const MAX_TWIST_DB = 6.5;

/**
 * The one pair of R1's multi-frequency signals (ITU-T Q.320) that is nearly a digit: a 3 whose high
 * tone is 1.56 % off, a little more than must be heard (1499.2 Hz).
 */
const R1_LOW_HZ = 700;
const R1_HIGH_HZ = 1500;
const R1_TOLERANCE_HZ = 0.8;

/** What the inside of a tone says about its being a digit, taken together. */
export class ToneEvidence {
  #readings = 0;
  #share = 0;
  #lowPower = 0;
  #highPower = 0;
  readonly #low: PhaseSum = new PhaseSum();
  readonly #high: PhaseSum = new PhaseSum();

  reset(): void {
    this.#readings = 0;
    this.#share = 0;
    this.#lowPower = 0;
    this.#highPower = 0;
    this.#low.reset();
    this.#high.reset();
  }

  add(reading: PairReading): void {
    this.#count(reading, 1);
  }

  /** Adds a reading only if all of it still speaks for a digit of these frequencies then. */
  addIfFit(reading: PairReading, lowHz: number, highHz: number): void {
    this.#count(reading, 1);
    if (!this.supports(lowHz, highHz)) this.#count(reading, -1);
  }

  #count(reading: PairReading, sign: 1 | -1): void {
    this.#readings += sign;
    this.#share += sign * reading.share;
    this.#lowPower += sign * reading.lowPower;
    this.#highPower += sign * reading.highPower;
    this.#low.add(reading.lowStep, sign);
    this.#high.add(reading.highStep, sign);
  }

  /** Writes its state from `out[at]` on; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#readings;
    out[at + 1] = this.#share;
    out[at + 2] = this.#lowPower;
    out[at + 3] = this.#highPower;
    return this.#high.save(out, this.#low.save(out, at + 4));
  }

  /** Reads back what `save` wrote. */
  restore(from: Float64Array, at: number): number {
    this.#readings = from[at]!;
    this.#share = from[at + 1]!;
    this.#lowPower = from[at + 2]!;
    this.#highPower = from[at + 3]!;
    return this.#high.restore(from, this.#low.restore(from, at + 4));
  }

  /** Whether what was read back can be of a tone: numbers all, and none that is a sum below 0. */
  get isPossible(): boolean {
    const sums = [this.#readings, this.#share, this.#lowPower, this.#highPower];
    return sums.every((sum) => sum >= 0) && this.#low.isPossible && this.#high.isPossible;
  }

  get readings(): number {
    return this.#readings;
  }

  /** Mean power of both tones together. */
  get power(): number {
    return (this.#lowPower + this.#highPower) / this.#readings;
  }

  /** Level of both tones together. */
  get levelDbfs(): number {
    return decibels(this.power);
  }

  get twistDb(): number {
    return decibels(this.#highPower / this.#lowPower);
  }

  /** True when all of it speaks for a digit of these frequencies. */
  supports(lowHz: number, highHz: number): boolean {
    return this.#readings > 0 && this.#isPair(lowHz, highHz, MIN_SHARE, 1);
  }

  /** The same where a codec may have spoiled the tone: more of the sound, and less pure. */
  supportsSpoiled(lowHz: number, highHz: number): boolean {
    if (this.#readings < SPOILED_READINGS) return false;
    return this.#isPair(lowHz, highHz, SPOILED_SHARE, SPOILED_IMPURITY);
  }

  /** The same where a codec made the tones waver: their mean is right. */
  supportsCoarse(lowHz: number, highHz: number): boolean {
    if (this.#readings < COARSE_READINGS) return false;
    return (
      this.#isPair(lowHz, highHz, COARSE_SHARE, Number.POSITIVE_INFINITY) &&
      this.#low.impurity(COARSE_DEVIATION * lowHz, COARSE_UNEVENNESS) <= 1 &&
      this.#high.impurity(COARSE_DEVIATION * highHz, COARSE_UNEVENNESS) <= 1
    );
  }

  #isPair(lowHz: number, highHz: number, leastShare: number, mostImpurity: number): boolean {
    if (!(this.#meanShare() >= leastShare)) return false;
    const { twistDb } = this;
    if (!(twistDb >= MIN_TWIST_DB && twistDb <= MAX_TWIST_DB)) return false;
    if (!(this.#impurity(lowHz, highHz) <= mostImpurity)) return false;
    return !this.isR1(lowHz, highHz);
  }

  /** Whether it is R1's pair that is nearly a 3. */
  isR1(lowHz: number, highHz: number): boolean {
    return (
      Math.abs(lowHz + this.#low.offsetHz - R1_LOW_HZ) <= R1_TOLERANCE_HZ &&
      Math.abs(highHz + this.#high.offsetHz - R1_HIGH_HZ) <= R1_TOLERANCE_HZ
    );
  }

  /**
   * How sure a digit of these frequencies is, 0 to 1, where all speaks for one: the share of the
   * sound's power that is the pair's, times how far the less pure tone is from the limit (1 for a
   * perfect one, ½ at the limit), times `n / (n + 1)` for `n` readings.
   */
  confidence(lowHz: number, highHz: number): number {
    const purity = 1 - Math.sqrt(this.#impurity(lowHz, highHz)) / 2;
    const share = Math.min(1, this.#meanShare());
    return Math.max(0, (share * purity * this.#readings) / (this.#readings + 1));
  }

  /** @param whole false when part of the tone may have been lost: then a little less will do */
  isEnough(whole: boolean, clear: boolean): boolean {
    const lenient = clear ? CLEAR_READINGS : LENIENT_READINGS;
    const least = between(STRICT_READINGS, lenient, this.#leniency());
    return this.#readings >= (whole ? least : least - 1);
  }

  /** Whether nothing else sounds, and both tones are as even and as right as no voice is. */
  isClear(lowHz: number, highHz: number): boolean {
    return this.#meanShare() >= CLEAR_SHARE && this.#impurity(lowHz, highHz) <= CLEAR_IMPURITY;
  }

  /** Of the less pure tone: 0 for a perfect one, 1 at the limit. */
  #impurity(lowHz: number, highHz: number): number {
    const leniency = this.#leniency();
    const deviation = between(STRICT_DEVIATION, LENIENT_DEVIATION, leniency);
    const unevenness = between(STRICT_UNEVENNESS, LENIENT_UNEVENNESS, leniency);
    return Math.max(
      this.#low.impurity(deviation * lowHz, unevenness),
      this.#high.impurity(deviation * highHz, unevenness),
    );
  }

  #leniency(): number {
    return (this.#meanShare() - STRICT_SHARE) / (LENIENT_SHARE - STRICT_SHARE);
  }

  #meanShare(): number {
    return this.#share / this.#readings;
  }
}

/** Sum of a tone's phase advances: its angle is the mean frequency, its length the evenness. */
class PhaseSum {
  readonly #sum: PhaseStep = { re: 0, im: 0 };
  #lengths = 0;

  reset(): void {
    this.#sum.re = 0;
    this.#sum.im = 0;
    this.#lengths = 0;
  }

  add(step: PhaseStep, sign: 1 | -1): void {
    this.#sum.re += sign * step.re;
    this.#sum.im += sign * step.im;
    this.#lengths += sign * Math.sqrt(step.re * step.re + step.im * step.im);
  }

  save(out: Float64Array, at: number): number {
    out[at] = this.#sum.re;
    out[at + 1] = this.#sum.im;
    out[at + 2] = this.#lengths;
    return at + 3;
  }

  restore(from: Float64Array, at: number): number {
    this.#sum.re = from[at]!;
    this.#sum.im = from[at + 1]!;
    this.#lengths = from[at + 2]!;
    return at + 3;
  }

  get isPossible(): boolean {
    return Number.isFinite(this.#sum.re) && Number.isFinite(this.#sum.im) && this.#lengths >= 0;
  }

  /** Mean frequency, relative to the tone's own. */
  get offsetHz(): number {
    return offsetHz(this.#sum);
  }

  /** 0 for a constant frequency that is right, 1 where offset and unevenness are too much. */
  impurity(maxOffsetHz: number, maxUnevenness: number): number {
    const { re, im } = this.#sum;
    const offset = offsetHz(this.#sum) / maxOffsetHz;
    const unevenness = (1 - Math.sqrt(re * re + im * im) / this.#lengths) / maxUnevenness;
    return offset * offset + unevenness * unevenness;
  }
}

function between(from: number, to: number, share: number): number {
  return from + (to - from) * Math.min(1, Math.max(0, share));
}

function decibels(ratio: number): number {
  return 10 * Math.log10(ratio);
}

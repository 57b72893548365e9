import { LEAST_POWER } from './pair-gate.js';
import type { SoundTrail } from './sound-trail.js';
import type { ToneSpectrum } from './tone-spectrum.js';
import { GROUP, HOP_MS, lobe, TONES_HZ } from './tone-spectrum.js';

/** Least share of the sound's power that the pair must have. */
const LEAST_SHARE = 0.55;

/** Widest span of the high tone's power over the low one's: +8 and −12 dB. */
const MOST_TWIST = 10 ** 0.8;
const LEAST_TWIST = 10 ** -1.2;

/** How far off a tone may be, for now: what counts is the mean in the end. */
const MOST_DEVIATION = 0.035;

const HOP_S = HOP_MS / 1000;

/** How much of its power each tone's measure still sees of a tone that is as far off as may be. */
const LEAST_LOBE: readonly number[] = TONES_HZ.map((hz) => lobe(MOST_DEVIATION * hz));

/** The comparisons with what is below are made before the exact ones and must not be stricter. */
const ROUNDING = 1 - 1e-9;

/** Shares that the tones of a pair cannot be below, given the pair's share and its twist. */
const LEAST_LOW_SHARE = (ROUNDING * LEAST_SHARE) / (1 + MOST_TWIST);
const LEAST_HIGH_SHARE = (ROUNDING * LEAST_SHARE * LEAST_TWIST) / (1 + LEAST_TWIST);

// How the phase of each tone's very frequency turns from one spectrum to the next.
const TURN_COS: readonly number[] = TONES_HZ.map((hz) => Math.cos(2 * Math.PI * hz * HOP_S));
const TURN_SIN: readonly number[] = TONES_HZ.map((hz) => Math.sin(2 * Math.PI * hz * HOP_S));

/** The phase advance of one tone between two spectra, beyond what its frequency explains. */
export interface PhaseStep {
  re: number;
  im: number;
}

/**
 * What two successive spectra say about a pair of tones. A slot, read into again and again.
 */
export class PairReading {
  /** Row of the pair, 0 to 3. */
  row = 0;
  /** Column of the pair, 0 to 3. */
  column = 0;
  /** Share of the sound's power that the pair has, 0 to about 1. */
  share = 0;
  /** Mean power of each tone, at its own frequency. */
  lowPower = 0;
  highPower = 0;
  readonly lowStep: PhaseStep = { re: 0, im: 0 };
  readonly highStep: PhaseStep = { re: 0, im: 0 };

  /**
   * Reads the strongest pair of the present spectrum; true when it may be a digit, as far as one
   * moment can tell. Nothing is read when it is not.
   */
  read(trail: SoundTrail): boolean {
    const now = trail.low(0);
    const known = trail.known(0);
    if (now.totalPower < LEAST_POWER || !known.isEnough) return false;
    // Of what is missing nothing is known: the share is that of what is there.
    const totalPower = now.totalPower / known.shareGain;
    // Most sound is turned away by what the powers can be at most, wherever the tones lie.
    const low = now.strongest(0);
    const mostLow = now.power[low]! / LEAST_LOBE[low]!;
    if (mostLow < LEAST_LOW_SHARE * totalPower) return false;
    const high = trail.high(0).strongest(GROUP);
    const mostHigh = now.power[high]! / LEAST_LOBE[high]!;
    if (mostHigh < LEAST_HIGH_SHARE * totalPower) return false;
    if (mostLow + mostHigh < ROUNDING * LEAST_SHARE * totalPower) return false;

    const before = trail.known(1);
    if (!before.isEnough) return false;
    const distanceMs = HOP_MS + known.middleMs - before.middleMs;
    const lowHz = stepOf(low, now, trail.low(1), this.lowStep, distanceMs);
    if (Math.abs(lowHz) > MOST_DEVIATION * TONES_HZ[low]!) return false;
    const highHz = stepOf(high, now, trail.high(1), this.highStep, distanceMs);
    if (Math.abs(highHz) > MOST_DEVIATION * TONES_HZ[high]!) return false;
    this.row = low;
    this.column = high - GROUP;
    // A window that is cut is less sharp, and sees more of what is off.
    const gain = known.magnitudeGain * known.magnitudeGain;
    this.lowPower = (gain * now.power[low]!) / lobe(lowHz * known.part);
    this.highPower = (gain * now.power[high]!) / lobe(highHz * known.part);
    this.share = (this.lowPower + this.highPower) / (totalPower * gain);
    const twist = this.highPower / this.lowPower;
    return this.share >= LEAST_SHARE && twist >= LEAST_TWIST && twist <= MOST_TWIST;
  }
}

/** Frequency, relative to the tone's own, of a sound whose phase advances by `step` a hop. */
export function offsetHz(step: PhaseStep): number {
  return Math.atan2(step.im, step.re) / (2 * Math.PI * HOP_S);
}

/** @param distanceMs from the middle of the sound before to that of the present one */
function stepOf(
  tone: number,
  now: ToneSpectrum,
  before: ToneSpectrum,
  step: PhaseStep,
  distanceMs: number,
): number {
  const re = now.re[tone]! * before.re[tone]! + now.im[tone]! * before.im[tone]!;
  const im = now.im[tone]! * before.re[tone]! - now.re[tone]! * before.im[tone]!;
  const cos = TURN_COS[tone]!;
  const sin = TURN_SIN[tone]!;
  step.re = re * cos + im * sin;
  step.im = im * cos - re * sin;
  if (distanceMs !== HOP_MS) stretch(step, HOP_MS / distanceMs);
  return offsetHz(step);
}

/** What the advance would have been over a whole hop. */
function stretch(step: PhaseStep, by: number): void {
  const length = Math.sqrt(step.re * step.re + step.im * step.im);
  const angle = Math.max(-Math.PI, Math.min(Math.PI, by * Math.atan2(step.im, step.re)));
  step.re = length * Math.cos(angle);
  step.im = length * Math.sin(angle);
}

import { CodedError } from '@earshot/async';
import type { Digit } from './digit.js';
import { DIGITS, toneFrequencies } from './digit.js';

/** How a generated tone sounds. */
export interface ToneShape {
  /** At least 4 000, so that every tone fits. */
  readonly sampleRateHz: number;
  /** Root-mean-square level of both tones together, 0 being a square wave at full scale; −15. */
  readonly levelDbfs?: number;
  /** How much stronger the high tone is than the low one; 0. */
  readonly twistDb?: number;
  /** Phase of both tones at the first sample, in radians; 0. */
  readonly startPhase?: number;
}

export interface ToneOptions extends ToneShape {
  readonly digit: Digit;
  readonly durationMs: number;
}

export interface ToneSequenceOptions extends ToneShape {
  /** Digits in a row, such as `'1234#'`. */
  readonly digits: string;
  /** Duration of each digit. */
  readonly toneMs: number;
  /** Silence after each digit. */
  readonly pauseMs: number;
}

const FULL_SCALE = 32_768;
const DEFAULT_LEVEL_DBFS = -15;
const LOWEST_RATE_HZ = 4000;

/**
 * One digit as PCM16 of one channel: two plain sines, switched on and off at once. Samples beyond
 * full scale are clipped.
 *
 * @throws CodedError `invalid_tone` when the rate is below 4 kHz or the duration is negative
 */
export function generateTone(options: ToneOptions): Int16Array {
  const pcm = new Int16Array(samplesIn(options.durationMs, options.sampleRateHz));
  writeTone(pcm, options);
  return pcm;
}

/**
 * Digits in a row, each followed by its pause.
 *
 * @throws CodedError `invalid_digit` for a character that is no digit, `invalid_tone` as
 * `generateTone`
 */
export function generateSequence(options: ToneSequenceOptions): Int16Array {
  const { digits, toneMs, pauseMs, sampleRateHz } = options;
  const tone = samplesIn(toneMs, sampleRateHz);
  const step = tone + samplesIn(pauseMs, sampleRateHz);
  const keys = [...digits].map(parseDigit);
  const pcm = new Int16Array(step * keys.length);
  keys.forEach((digit, n) => {
    writeTone(pcm.subarray(n * step, n * step + tone), { ...options, digit });
  });
  return pcm;
}

function writeTone(pcm: Int16Array, shape: ToneShape & { readonly digit: Digit }): void {
  const { digit, sampleRateHz, levelDbfs = DEFAULT_LEVEL_DBFS, twistDb = 0 } = shape;
  const phase = shape.startPhase ?? 0;
  const [lowHz, highHz] = toneFrequencies(digit);
  const ratio = 10 ** (twistDb / 20);
  // The mean square of two sines is half the sum of their squared amplitudes.
  const low = (FULL_SCALE * 10 ** (levelDbfs / 20) * Math.SQRT2) / Math.hypot(1, ratio);
  const high = low * ratio;
  for (let i = 0; i < pcm.length; i += 1) {
    const turn = (2 * Math.PI * i) / sampleRateHz;
    const sample = low * Math.sin(lowHz * turn + phase) + high * Math.sin(highHz * turn + phase);
    pcm[i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sample)));
  }
}

function parseDigit(character: string): Digit {
  const digit = DIGITS.find((known) => known === character);
  if (digit !== undefined) return digit;
  throw new CodedError(
    'invalid_digit',
    `Cannot generate tones: digits must be 0–9, *, #, A–D, got ${JSON.stringify(character)}`,
  );
}

function samplesIn(durationMs: number, sampleRateHz: number): number {
  const samples = Math.round((durationMs * sampleRateHz) / 1000);
  if (sampleRateHz >= LOWEST_RATE_HZ && samples >= 0 && Number.isFinite(samples)) return samples;
  throw new CodedError(
    'invalid_tone',
    `Cannot generate tones: durations must be ≥ 0 ms at ≥ ${LOWEST_RATE_HZ} Hz, got ${durationMs} ms at ${sampleRateHz} Hz`,
  );
}

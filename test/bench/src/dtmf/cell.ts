/** A stretch of sound with what should be heard in it; made anew each time, always the same. */
export interface Cell {
  readonly group: CellGroup;
  readonly name: string;
  /** What sounds, whether it is to be heard or not. */
  readonly digits: string;
  /** Where each of the digits ends, ms from the beginning. */
  readonly endsMs: readonly number[];
  /** How long each of them sounds. */
  readonly toneMs: number;
  /** PCM16 at 16 kHz, one channel, whole frames of 20 ms. */
  readonly render: () => Int16Array;
}

/**
 * - `accept`: every digit is within the limits and must be heard once.
 * - `reject`: digits beyond the limits, none of which may be heard.
 * - `silent`: tones and sounds that are no digits at all.
 */
export type CellGroup = 'accept' | 'reject' | 'silent';

export const CELL_RATE_HZ = 16_000;

const SAMPLES_PER_FRAME = 320;

/** The samples that so many ms take, rounded up to whole frames. */
export function wholeFrames(durationMs: number): number {
  return Math.ceil((durationMs * CELL_RATE_HZ) / 1000 / SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME;
}

export function toPcm(sound: Float64Array): Int16Array {
  return Int16Array.from(sound, (x) => Math.max(-32_768, Math.min(32_767, Math.round(x))));
}

/** Amplitude of a sine at such a level on the line: one at full scale has 3.14 dBm0 (G.711). */
export function amplitudeOf(levelDbm0: number): number {
  return 32_768 * 10 ** ((levelDbm0 - 3.14) / 20);
}

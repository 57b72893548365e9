import type { Spectrum } from './spectrum.js';

/** What steady sound may consist of; the numbers are kept in checkpoints. */
export const SOUND = {
  none: 0,
  /** One tone. */
  single: 1,
  /** 440 + 480 Hz: ringback in North America. */
  ringbackPair: 2,
  /** 480 + 620 Hz: busy and reorder in North America. */
  busyPair: 3,
  /** 350 + 440 Hz: dial tone in North America and Britain. */
  dialPair: 4,
  /** 400 + 450 Hz: ringback in Britain. */
  britishPair: 5,
} as const;

/** One of the values of `SOUND`. */
export type Sound = (typeof SOUND)[keyof typeof SOUND];

/** Least share of all power that one tone has, and two have together. */
const LEAST_SINGLE_SHARE = 0.88;
const LEAST_PAIR_SHARE = 0.8;

/** What more than this share belongs to a second tone is no single one. */
const MOST_SECOND_SHARE = 0.04;

/** The weaker tone of a pair has no less than so much of the power of the stronger: −9 dB. */
const LEAST_RATIO = 0.125;

const PAIR_TOLERANCE_HZ = 12;

/** What the present spectrum is of. */
export function soundOf({ firstHz, firstShare, secondHz, secondShare }: Spectrum): Sound {
  if (firstShare >= LEAST_SINGLE_SHARE && secondShare <= MOST_SECOND_SHARE) return SOUND.single;
  if (firstShare + secondShare < LEAST_PAIR_SHARE) return SOUND.none;
  if (secondShare < LEAST_RATIO * firstShare) return SOUND.none;
  const lowHz = Math.min(firstHz, secondHz);
  const highHz = Math.max(firstHz, secondHz);
  if (isNear(lowHz, 440) && isNear(highHz, 480)) return SOUND.ringbackPair;
  if (isNear(lowHz, 480) && isNear(highHz, 620)) return SOUND.busyPair;
  if (isNear(lowHz, 350) && isNear(highHz, 440)) return SOUND.dialPair;
  if (isNear(lowHz, 400) && isNear(highHz, 450)) return SOUND.britishPair;
  return SOUND.none;
}

/** Any number that was kept, as one of the values; `none` for others. */
export function soundFrom(value: number): Sound {
  return Object.values(SOUND).find((sound) => sound === value) ?? SOUND.none;
}

function isNear(hz: number, wantedHz: number): boolean {
  return Math.abs(hz - wantedHz) <= PAIR_TOLERANCE_HZ;
}

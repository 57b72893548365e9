import type { TwoTones } from './spectrum.js';

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

interface Pair {
  readonly sound: Sound;
  readonly lowHz: number;
  readonly highHz: number;
}

const PAIRS: readonly Pair[] = [
  { sound: SOUND.ringbackPair, lowHz: 440, highHz: 480 },
  { sound: SOUND.busyPair, lowHz: 480, highHz: 620 },
  { sound: SOUND.dialPair, lowHz: 350, highHz: 440 },
  { sound: SOUND.britishPair, lowHz: 400, highHz: 450 },
];

/**
 * What a spectrum is of.
 *
 * @param leastSingleShare of all power, for one tone
 */
export function soundOf(tones: TwoTones, leastSingleShare: number = LEAST_SINGLE_SHARE): Sound {
  const { firstHz, firstShare, secondHz, secondShare } = tones;
  if (firstShare >= leastSingleShare && secondShare <= MOST_SECOND_SHARE) return SOUND.single;
  if (firstShare + secondShare < LEAST_PAIR_SHARE) return SOUND.none;
  if (secondShare < LEAST_RATIO * firstShare) return SOUND.none;
  const lowHz = Math.min(firstHz, secondHz);
  const highHz = Math.max(firstHz, secondHz);
  for (const pair of PAIRS) {
    if (isNear(lowHz, pair.lowHz) && isNear(highHz, pair.highHz)) return pair.sound;
  }
  return SOUND.none;
}

/** Whether a tone is one of those that come in pairs. */
export function mayBeOfPair(hz: number): boolean {
  for (const { lowHz, highHz } of PAIRS) {
    if (isNear(hz, lowHz) || isNear(hz, highHz)) return true;
  }
  return false;
}

/** The pair that a sound is; undefined for a single tone, and for none. */
export function pairOf(sound: Sound): Pair | undefined {
  for (const pair of PAIRS) if (pair.sound === sound) return pair;
  return undefined;
}

/** Any number that was kept, as one of the values; `none` for others. */
export function soundFrom(value: number): Sound {
  return Object.values(SOUND).find((sound) => sound === value) ?? SOUND.none;
}

function isNear(hz: number, wantedHz: number): boolean {
  return Math.abs(hz - wantedHz) <= PAIR_TOLERANCE_HZ;
}

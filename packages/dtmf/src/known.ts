import { WINDOW_MS } from './tone-spectrum.js';

/** A window consists of so many hops. */
const QUARTERS = 4;

/** Less than about half of a window says nothing of a tone's frequency. */
const LEAST_KNOWN = 0.45;

/** What of a window is known, and what it would have shown had all of it been. */
export interface Known {
  /** False when too little is. */
  readonly isEnough: boolean;
  /** What a tone's share of all power is to be multiplied by: a tone that is cut is less sharp. */
  readonly shareGain: number;
  /** The same of its magnitude. */
  readonly magnitudeGain: number;
  /** The same of the power of all sound. */
  readonly powerGain: number;
  /** The part of the window that is known, 0 to 1. */
  readonly part: number;
  /** Middle of what is known, weighed by the window, from that of the window on. */
  readonly middleMs: number;
}

const STEPS_PER_QUARTER = 40;

const KNOWN: readonly Known[] = Array.from({ length: 1 << QUARTERS }, (_, missing) =>
  measure(missing),
);

/** Of windows without gaps. */
export const ALL_KNOWN: Known = KNOWN[0]!;

/** @param missing bits of the hops that are missing; the window's last hop is the lowest */
export function knownOf(missing: number): Known {
  return KNOWN[missing & (KNOWN.length - 1)]!;
}

/** Sums of the Hann window over what is known, as parts of those over all of it. */
function measure(missing: number): Known {
  const steps = QUARTERS * STEPS_PER_QUARTER;
  let quarters = 0;
  let sum = 0;
  let squares = 0;
  let moment = 0;
  for (let quarter = 0; quarter < QUARTERS; quarter += 1) {
    if ((missing >> (QUARTERS - 1 - quarter)) & 1) continue;
    quarters += 1;
    for (let n = 0; n < STEPS_PER_QUARTER; n += 1) {
      const at = (quarter * STEPS_PER_QUARTER + n + 0.5) / steps;
      const weight = (1 - Math.cos(2 * Math.PI * at)) / steps;
      sum += weight;
      squares += (weight * weight * steps) / 1.5;
      moment += weight * (at - 0.5);
    }
  }
  const isEnough = sum >= LEAST_KNOWN;
  return {
    isEnough,
    shareGain: isEnough ? squares / (sum * sum) : 1,
    magnitudeGain: isEnough ? 1 / sum : 1,
    powerGain: isEnough ? 1 / squares : Number.NaN,
    part: quarters / QUARTERS,
    middleMs: isEnough ? (moment / sum) * WINDOW_MS : 0,
  };
}

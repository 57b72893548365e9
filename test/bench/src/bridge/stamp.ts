// Moments as a frame's capture ticks: halves of a u64, here microseconds of the monotonic clock, which
// all processes of a machine share.
import process from 'node:process';

export interface Stamp {
  high: number;
  low: number;
}

const MICROS_PER_SECOND = 1_000_000;

/** Puts the time into `stamp`, so that nothing is allocated for it but what the clock needs. */
export function stampNow(stamp: Stamp): Stamp {
  const [seconds, nanos] = process.hrtime();
  stamp.high = seconds;
  stamp.low = Math.floor(nanos / 1000);
  return stamp;
}

/** Time from a frame's stamp to `now`. */
export function ageMs(now: Stamp, high: number, low: number): number {
  return ((now.high - high) * MICROS_PER_SECOND + now.low - low) / 1000;
}

// The one place of the pure packages that touches the real clock; see the layer rules.
import type { Clock } from './clock.js';

declare const performance: { now(): number };
declare function setTimeout(run: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;

/** More, 24 days, is no delay for a timer: it would run at once. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallclockMs: () => Date.now(),
  at(deadlineMs, run) {
    let handle: unknown;
    const wait = (): void => {
      const leftMs = deadlineMs - performance.now();
      const isTooLong = leftMs > MOST_TIMER_MS;
      handle = isTooLong ? setTimeout(wait, MOST_TIMER_MS) : setTimeout(run, Math.max(0, leftMs));
    };
    wait();
    return () => clearTimeout(handle);
  },
};

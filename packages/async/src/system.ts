// The one place of the pure packages that touches the real clock; see the layer rules.
import type { Clock } from './clock.js';

declare const performance: { now(): number };
declare function setTimeout(run: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallclockMs: () => Date.now(),
  at(deadlineMs, run) {
    const handle = setTimeout(run, Math.max(0, deadlineMs - performance.now()));
    return () => clearTimeout(handle);
  },
};

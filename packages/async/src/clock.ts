/** Undoes a scheduled call; calling it again, or after the call ran, does nothing. */
export type Cancel = () => void;

/**
 * Time as an argument. Two kinds are kept apart: `nowMs` is monotonic and only good for
 * differences and deadlines; `wallclockMs` is Unix time and only good for showing and storing.
 */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. */
  nowMs(): number;
  /** Unix time in milliseconds. */
  wallclockMs(): number;
  /** Runs `run` once, at or soon after the monotonic `deadlineMs`. */
  at(deadlineMs: number, run: () => void): Cancel;
}

/** Resolves when `durationMs` have passed on `clock`. */
export function delay(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.at(clock.nowMs() + durationMs, resolve));
}

/**
 * Calls `run` every `intervalMs` without drift: each deadline is the one before plus the
 * interval. After a stall, missed beats are skipped, not bunched.
 */
export function every(clock: Clock, intervalMs: number, run: () => void): Cancel {
  if (!(intervalMs > 0)) {
    throw new RangeError(
      `Cannot schedule a repeating call: intervalMs must be positive, got ${intervalMs}`,
    );
  }
  let deadlineMs = clock.nowMs() + intervalMs;
  let cancelled = false;
  let cancel = clock.at(deadlineMs, beat);
  function beat(): void {
    if (cancelled) return;
    const behind = Math.max(0, Math.floor((clock.nowMs() - deadlineMs) / intervalMs));
    deadlineMs += (behind + 1) * intervalMs;
    cancel = clock.at(deadlineMs, beat);
    run();
  }
  return () => {
    cancelled = true;
    cancel();
  };
}

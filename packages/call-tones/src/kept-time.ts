/** No media clock of a call runs for longer: 24 days. */
const LONGEST_MS = 2 ** 31;

/** A media clock may step back by so little that what was heard goes on. */
const STEP_MS = 1000;

/** Whether a time that was kept can be one of what was heard until `nowMs`; NaN is none. */
export function isPast(timeMs: number, nowMs: number): boolean {
  return timeMs <= nowMs + STEP_MS && timeMs >= nowMs - LONGEST_MS;
}

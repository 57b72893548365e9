/** No sound goes on for longer, and no media clock of a call: 24 days. */
const LONGEST_MS = 2 ** 31;

/** A media clock may step back by so little that what was heard goes on. */
const STEP_MS = 1000;

/**
 * Whether a media time that a detector had kept, such as in a checkpoint, can be one of what was heard
 * until `nowMs`; NaN is none.
 */
export function isPast(timeMs: number, nowMs: number): boolean {
  return timeMs <= nowMs + STEP_MS && timeMs >= nowMs - LONGEST_MS;
}

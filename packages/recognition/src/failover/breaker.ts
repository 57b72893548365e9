/**
 * What is known of one recognizer: `closed` while it works, `open` while it is left alone after
 * failures, `trial` while one attempt finds out whether it works again.
 */
export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number; readonly timesOpened: number }
  | { readonly kind: 'trial'; readonly untilMs: number; readonly timesOpened: number };

export interface BreakerOptions {
  /** Failures in a row from which it is left alone. */
  readonly failures: number;
  /** For how long at first, ms; twice as long each time that a trial fails. */
  readonly baseMs: number;
  /** For how long at most, ms. */
  readonly maxMs: number;
  /** A trial that tells nothing for so long lets another begin, ms. */
  readonly trialMs: number;
}

export const DEFAULT_BREAKER: BreakerOptions = {
  failures: 2,
  baseMs: 5000,
  maxMs: 300_000,
  trialMs: 60_000,
};

export const NEW_BREAKER: BreakerState = { kind: 'closed', failures: 0 };

/** Whether an attempt may begin; tells nothing of it to others, see `afterAttempt`. */
export function allows(state: BreakerState, nowMs: number): boolean {
  return state.kind === 'closed' || nowMs >= state.untilMs;
}

/** An attempt that was allowed begins. */
export function afterAttempt(
  state: BreakerState,
  nowMs: number,
  { trialMs }: BreakerOptions,
): BreakerState {
  if (state.kind === 'closed') return state;
  return { kind: 'trial', untilMs: nowMs + trialMs, timesOpened: state.timesOpened };
}

export function afterSuccess(): BreakerState {
  return NEW_BREAKER;
}

/** @param isHopeless it refuses us: it is left alone at once, and for long. */
export function afterFailure(
  state: BreakerState,
  nowMs: number,
  isHopeless: boolean,
  options: BreakerOptions,
): BreakerState {
  if (isHopeless) return { kind: 'open', untilMs: nowMs + options.maxMs, timesOpened: 1 };
  if (state.kind === 'closed') {
    const failures = state.failures + 1;
    return failures < options.failures ? { kind: 'closed', failures } : opened(nowMs, 1, options);
  }
  // Failures of attempts that began before it was opened say nothing new.
  return state.kind === 'open' ? state : opened(nowMs, state.timesOpened + 1, options);
}

function opened(nowMs: number, timesOpened: number, options: BreakerOptions): BreakerState {
  const waitMs = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(timesOpened - 1, 30));
  return { kind: 'open', untilMs: nowMs + waitMs, timesOpened };
}

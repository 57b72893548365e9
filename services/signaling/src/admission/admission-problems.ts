import type { AdmissionLimits, AdmissionStanding } from '@earshot/registry';
import type { StoredProblem } from '../calls/service-state.js';

/** Bounds of the guess when a place becomes free: it only says when it is worth asking again. */
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const UNKNOWN_RETRY_MS = 10_000;

/** All places are taken; places have become free at some pace, which is when to ask again. */
export function tooManyCallsProblem(
  { calls, freeEveryMs }: AdmissionStanding,
  limits: AdmissionLimits,
): StoredProblem {
  const guessMs = freeEveryMs === 0 ? UNKNOWN_RETRY_MS : freeEveryMs;
  return {
    status: 429,
    code: 'too_many_calls',
    title: 'Too many calls at once',
    detail: `Cannot join the meeting: the app may have ${limits.calls} calls at once, got ${calls} already`,
    fix: 'Wait for a call to end, or have the limit raised at Microsoft and in EARSHOT_MAX_CALLS.',
    retryAfterMs: Math.min(Math.max(guessMs, MIN_RETRY_MS), MAX_RETRY_MS),
  };
}

/** The month is used up, by our count or by Graph's. */
export function monthlyLimitProblem(
  { callsThisMonth, monthClosed, month, monthEndsAtMs, nowMs }: AdmissionStanding,
  limits: AdmissionLimits,
): StoredProblem {
  const actual = monthClosed ? "Graph's word that there were as many" : `${callsThisMonth} already`;
  return {
    status: 429,
    code: 'monthly_limit_reached',
    title: 'No more calls this month',
    detail: `Cannot join the meeting: the app may make ${limits.callsPerMonth} calls in ${month}, got ${actual}`,
    fix: 'Wait for the next month, or have the limit raised at Microsoft and in EARSHOT_MAX_CALLS_PER_MONTH.',
    retryAfterMs: monthEndsAtMs - nowMs,
  };
}

/** Graph asked to wait; no pod asks it for a call before. */
export function pausedProblem(standing: AdmissionStanding, limits: AdmissionLimits): StoredProblem {
  const { pause, nowMs } = standing;
  const retryAfterMs = Math.max(MIN_RETRY_MS, (pause?.untilMs ?? nowMs) - nowMs);
  if (pause?.cause === 'too_many_calls') {
    const detail = `Cannot join the meeting: Graph must have room for another call, got its word that the app has too many, with ${standing.calls} known here`;
    return { ...tooManyCallsProblem(standing, limits), detail, retryAfterMs };
  }
  return {
    status: 503,
    code: 'graph_throttled',
    title: 'Graph is throttling',
    detail: 'Cannot join the meeting: Graph must take calls, got its request to wait',
    fix: 'Start fewer calls at a time.',
    retryAfterMs,
  };
}

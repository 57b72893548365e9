/**
 * How long after each failed attempt the next one follows, ms. Published in docs/webhooks.md:
 * receivers plan by it.
 */
export const RETRY_SCHEDULE_MS: readonly number[] = [
  5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000,
];

/** Up to this share is added to each wait, so that those who failed together don't return so. */
const JITTER = 0.2;
/** A receiver that asks for more gets this. */
export const MAX_RETRY_AFTER_MS: number = 6 * 3_600_000;

export interface RestOptions {
  /** So many failures in a row, of whatever events, and the webhook rests. */
  readonly afterFailures: number;
  /** The first rest, ms; each further failure doubles it. */
  readonly baseMs: number;
  /** The longest rest, ms. */
  readonly maxMs: number;
}

export const REST: RestOptions = { afterFailures: 3, baseMs: 1_000, maxMs: 60_000 };

/**
 * When to try again after a failed attempt: by the schedule, and not before `retryAfterMs`.
 * Undefined when the schedule is used up.
 *
 * @param failures how many attempts of this delivery have failed, this one included.
 * @param random a number in [0, 1).
 */
export function retryDelayMs(options: {
  readonly schedule: readonly number[];
  readonly failures: number;
  readonly retryAfterMs?: number | undefined;
  readonly random: number;
}): number | undefined {
  const { schedule, failures, retryAfterMs = 0, random } = options;
  const waitMs = schedule[failures - 1];
  if (waitMs === undefined) return undefined;
  const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  return Math.max(1, Math.round(Math.max(waitMs, asked) * (1 + JITTER * random)));
}

/**
 * How long a webhook is left alone after a failure: an endpoint that is down shall not use up
 * the attempts of everything that waits. 0 for not at all.
 *
 * @param failuresInARow of the webhook, this one included.
 */
export function restMs(
  failuresInARow: number,
  retryAfterMs: number | undefined,
  rest: RestOptions,
): number {
  const asked = Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
  const beyond = failuresInARow - rest.afterFailures;
  const own = beyond < 0 ? 0 : Math.min(rest.maxMs, rest.baseMs * 2 ** Math.min(beyond, 20));
  return Math.ceil(Math.max(asked, own));
}

/** `Retry-After` in ms from now: seconds, or a date. Undefined when it is neither. */
export function retryAfterMs(header: string | undefined, wallclockMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - wallclockMs);
}

export interface BackoffOptions {
  /** Delay bound of the first retry, ms. */
  readonly baseMs: number;
  /** Largest delay bound, ms. */
  readonly maxMs: number;
}

/**
 * Exponential back-off with full jitter: uniform in [0, min(max, base·2^attempt)].
 *
 * @param attempt 0 for the first retry.
 * @param random a number in [0, 1), such as one from `Math.random()`.
 */
export function backoffDelayMs(attempt: number, random: number, options: BackoffOptions): number {
  return random * Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
}

import { CodedError } from '@earshot/async';

/** So many in each window, which begins with the first. */
export interface RateLimit {
  readonly requests: number;
  readonly windowS: number;
}

const MAX_REQUESTS = 10_000_000;
const MAX_WINDOW_S = 86_400;

/**
 * Reads `2000/10s` or `100/5m`; `off` is none.
 *
 * @throws CodedError `invalid_rate_limit`.
 */
export function parseRateLimit(text: string): RateLimit | undefined {
  if (text === 'off') return undefined;
  const [, requests, window, unit] = /^(\d{1,8})\/(\d{1,5})(s|m)$/.exec(text) ?? [];
  const limit = { requests: Number(requests), windowS: Number(window) * (unit === 'm' ? 60 : 1) };
  if (isBetween(limit.requests, MAX_REQUESTS) && isBetween(limit.windowS, MAX_WINDOW_S)) {
    return limit;
  }
  throw new CodedError(
    'invalid_rate_limit',
    `Cannot read a rate limit: it must be requests/seconds such as 2000/10s, or off, got ${text}`,
  );
}

function isBetween(value: number, most: number): boolean {
  return value >= 1 && value <= most;
}

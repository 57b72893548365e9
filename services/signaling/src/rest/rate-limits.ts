import type { RateLimit, RateLimiter, RateVerdict } from '@earshot/rate-limit';
import type { Counter } from '@earshot/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** What the limits stand on. */
export interface RateLimitsOptions {
  readonly limiter: RateLimiter;
  /** Of a key without a limit of its own; absent for none. */
  readonly perKey: RateLimit | undefined;
  /** Of an address, for requests without a valid key; absent for none. */
  readonly failures: RateLimit | undefined;
  /** Requests that were refused, by whose limit. */
  readonly refusals: Counter<'by'>;
}

/**
 * Counts requests to `app`'s routes by their key. Comes after the hook that sets
 * `request.principal`.
 */
export function limitRequests(
  app: FastifyInstance,
  { limiter, perKey, refusals }: RateLimitsOptions,
): void {
  app.addHook('onRequest', async ({ principal }, reply) => {
    const { keyId, rateLimit = perKey } = principal;
    if (rateLimit === undefined || rateLimit === 'off') return;
    const verdict = await limiter.take('key', keyId, rateLimit);
    showLimit(reply, 'key', rateLimit, verdict);
    if (verdict.isAllowed) return;
    refusals.add(1, { by: 'key' });
    throw tooMany(verdict, `a key may make ${sayLimit(rateLimit)}`);
  });
}

/**
 * Counts requests without a valid key by their address, of IPv6 by the /64.
 *
 * @returns a hook for such requests, which refuses them with 429 once there are too many. Requests
 * with a valid key don't pass through it: an address may be that of a proxy or of many, and whoever
 * fails behind it must not shut the others out.
 */
export function limitFailures(
  options: RateLimitsOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { limiter, failures, refusals } = options;
  return async (request, reply) => {
    if (failures === undefined) return;
    const verdict = await limiter.take('address', networkOf(request.ip), failures);
    if (verdict.isAllowed) return;
    showLimit(reply, 'address', failures, verdict);
    refusals.add(1, { by: 'address' });
    throw tooMany(verdict, `an address may make ${sayLimit(failures)} without a valid key`);
  };
}

/** Fields of draft-ietf-httpapi-ratelimit-headers-10. */
function showLimit(
  reply: FastifyReply,
  name: string,
  { requests, windowS }: RateLimit,
  { remaining, resetMs }: RateVerdict,
): void {
  reply.header('ratelimit-policy', `"${name}";q=${requests};w=${windowS}`);
  reply.header('ratelimit', `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
}

function tooMany({ resetMs }: RateVerdict, rule: string): Problem {
  return new Problem({
    status: 429,
    code: 'rate_limited',
    title: 'Too many requests',
    detail: `Cannot serve the request: ${rule}, got more`,
    fix: 'Wait as long as Retry-After says, or raise the limit.',
    retryAfterMs: Math.max(1, resetMs),
  });
}

function sayLimit({ requests, windowS }: RateLimit): string {
  return `${requests} requests in ${windowS} s`;
}

/** One host of IPv6 has a /64 of addresses to choose from. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const missing = 8 - groups.length - (tail?.split(':').filter(Boolean).length ?? 0);
  const zeros = tail === undefined ? [] : Array.from({ length: missing }, () => '0');
  return [...groups, ...zeros].slice(0, 4).join(':');
}

import { timingSafeEqual } from 'node:crypto';
import type { RateLimit } from '@earshot/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bearerOf, digestOf } from './bearer.js';
import { Problem } from './problem.js';
import type { Principal, Scope } from './scopes.js';
import { SCOPES } from './scopes.js';

/** A key of the REST API. What it is compared by is kept, not the key. */
export interface ApiKey {
  readonly id: string;
  /** SHA-256 of the key. */
  readonly digest: Uint8Array;
  readonly scopes: readonly Scope[];
  /** In place of the one for all keys. */
  readonly rateLimit?: RateLimit | 'off' | undefined;
}

/** Id of the key in `EARSHOT_API_KEY`. */
export const DEFAULT_KEY_ID = 'default';
/** Whoever asks where no key is wanted: on a loopback address without keys. */
export const NO_KEY_ID = 'none';

const ANYBODY: Principal = { keyId: NO_KEY_ID, scopes: new Set(SCOPES) };

/**
 * Tells requests to `app`'s routes by their key, before the body is read, and refuses those
 * without one. Without any `keys` everybody may do everything.
 *
 * @param limitFailure is asked before a request without a valid key is refused; may refuse it.
 */
export function requireApiKey(
  app: FastifyInstance,
  keys: readonly ApiKey[],
  limitFailure: (request: FastifyRequest, reply: FastifyReply) => Promise<void>,
): void {
  const known = keys.map(({ id, digest, scopes, rateLimit }) => ({
    digest,
    principal: { keyId: id, scopes: new Set(scopes), rateLimit },
  }));
  app.decorateRequest('principal');
  app.addHook('onRequest', async (request, reply) => {
    if (known.length === 0) {
      request.principal = ANYBODY;
      return;
    }
    const principal = principalOf(bearerOf(request.headers.authorization));
    if (principal === undefined) {
      await limitFailure(request, reply);
      throw unauthorized();
    }
    request.principal = principal;
  });

  /** Looks at every key, so that the time it takes tells nothing of them. */
  function principalOf(given: string | undefined): Principal | undefined {
    if (given === undefined) return undefined;
    const digest = digestOf(given);
    let found: Principal | undefined;
    for (const key of known) if (timingSafeEqual(digest, key.digest)) found = key.principal;
    return found;
  }
}

function unauthorized(): Problem {
  return new Problem({
    status: 401,
    code: 'unauthorized',
    title: 'Unauthorized',
    detail:
      'Cannot serve the request: it must carry an API key as a bearer token, got none or another',
    fix: 'Send Authorization: Bearer <EARSHOT_API_KEY, or one of EARSHOT_API_KEYS>.',
  });
}

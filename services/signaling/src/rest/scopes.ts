import type { RateLimit } from '@earshot/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** What a key may be allowed to do; a route names the one that it wants. */
export const SCOPES = [
  'calls:read',
  'calls:write',
  'calls:control',
  'media:play',
  'recording:declare',
  'events:read',
  'transcripts:read',
  'transcripts:delete',
  'webhooks:manage',
  'hosts:read',
  'audit:read',
  'admission:read',
] as const;

export type Scope = (typeof SCOPES)[number];

/** Who asks, and what they may do. */
export interface Principal {
  /** Id of the API key; never the key. */
  readonly keyId: string;
  readonly scopes: ReadonlySet<Scope>;
  /** In place of the one for all keys. */
  readonly rateLimit?: RateLimit | 'off' | undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key must allow for this route; without it, no route under the door of API keys. */
    scope?: Scope;
  }
  interface FastifyRequest {
    /** Set on every route under the door of API keys, before the route's own hooks. */
    principal: Principal;
  }
}

/**
 * Lets nobody through to a route of `app` whose key lacks the route's scope. Comes after the hook
 * that sets `request.principal`, and before any route. A route without a scope throws when it is
 * registered: none may be forgotten.
 */
export function requireScopes(app: FastifyInstance): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    const scope = config?.scope;
    for (const name of [method].flat()) {
      if (scope === undefined) throw new Error(`${name} ${url} must have a scope in its config`);
    }
  });
  app.addHook('onRequest', async (request, reply) => {
    const { scope } = request.routeOptions.config;
    if (scope !== undefined && request.principal.scopes.has(scope)) return;
    reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`);
    throw missingScope(request, scope);
  });
}

function missingScope({ principal }: FastifyRequest, scope: Scope | undefined): Problem {
  const others = [...principal.scopes].join(' ') || 'none';
  return new Problem({
    status: 403,
    code: 'missing_scope',
    title: 'Scope missing',
    detail: `Cannot serve the request: its key must have the scope ${scope}, got ${others}`,
    fix: `Add ${scope} to the key's scopes in EARSHOT_API_KEYS, or use another key.`,
  });
}

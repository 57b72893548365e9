import type { FastifyInstance } from 'fastify';
import { bearerOf, sameSecret } from './bearer.js';
import { Problem } from './problem.js';

/** Refuses every request to `app`'s routes that doesn't carry the key; checked before the body. */
export function requireApiKey(app: FastifyInstance, apiKey: string | undefined): void {
  if (apiKey === undefined) return;
  app.addHook('onRequest', async (request) => {
    if (sameSecret(bearerOf(request.headers.authorization), apiKey)) return;
    throw new Problem({
      status: 401,
      code: 'unauthorized',
      title: 'Unauthorized',
      detail:
        'Cannot serve the request: it must carry the API key as a bearer token, got none or another',
      fix: 'Send Authorization: Bearer <EARSHOT_API_KEY>.',
    });
  });
}

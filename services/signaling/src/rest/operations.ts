import type { Health, Metrics } from '@earshot/telemetry';
import { addHealthRoutes } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.js';
import { withScopes } from './openapi-scopes.js';
import type { RouteScopes } from './scopes.js';

/** What the routes stand on. */
export interface OperationsRoutesOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly scopes: RouteScopes;
}

/** The API's description, health and metrics: open to all. */
export function addOperationsRoutes(app: FastifyInstance, options: OperationsRoutesOptions): void {
  const { health, metrics, scopes } = options;

  app.get('/openapi.json', () => withScopes(openApiDocument(), scopes));

  addHealthRoutes(app, health);

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.text();
  });
}

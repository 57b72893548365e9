import type { Health, Metrics } from '@earshot/telemetry';
import { addHealthRoutes } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { addDocsRoutes } from './docs-page.js';
import type { RegisteredRoute } from './openapi/registered-routes.js';
import { openApiDocument } from './openapi.js';

/** What the routes stand on. */
export interface ServiceRoutesOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  /** Of the whole service, filled until it listens. */
  readonly routes: readonly RegisteredRoute[];
}

/** The API's description, health and metrics: open to all. */
export function addServiceRoutes(app: FastifyInstance, options: ServiceRoutesOptions): void {
  const { health, metrics, routes } = options;
  let document: string | undefined;

  app.get('/openapi.json', (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(routes));
    return reply.type('application/json; charset=utf-8').send(document);
  });

  addDocsRoutes(app);

  addHealthRoutes(app, health);

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.text();
  });
}

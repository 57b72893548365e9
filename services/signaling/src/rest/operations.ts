import type { Health, Metrics } from '@earshot/telemetry';
import { addHealthRoutes } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.js';

/** What the routes stand on. */
export interface OperationsRoutesOptions {
  readonly health: Health;
  readonly metrics: Metrics;
}

/** The API's description, health and metrics: open to all. */
export function addOperationsRoutes(app: FastifyInstance, options: OperationsRoutesOptions): void {
  const { health, metrics } = options;

  app.get('/openapi.json', () => openApiDocument());

  addHealthRoutes(app, health);

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.text();
  });
}

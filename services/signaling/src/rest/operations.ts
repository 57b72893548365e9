import type { EventPublisher } from '@earshot/events';
import type { Metrics } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.js';
import { Problem } from './problem.js';

/** What the routes stand on. */
export interface OperationsRoutesOptions {
  readonly publisher: EventPublisher;
  readonly metrics: Metrics;
}

/** The API's description, health and metrics: open to all. */
export function addOperationsRoutes(app: FastifyInstance, options: OperationsRoutesOptions): void {
  const { publisher, metrics } = options;

  app.get('/openapi.json', () => openApiDocument());

  app.get('/livez', () => ({ status: 'ok' }));

  app.get('/readyz', () => {
    if (publisher.stats.redisUp) return { status: 'ok' };
    throw new Problem({
      status: 503,
      code: 'redis_unreachable',
      title: 'Not ready',
      detail: 'Cannot serve calls: Redis must answer, got no connection',
    });
  });

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.text();
  });
}

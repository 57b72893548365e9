import type { Metrics } from './metrics.js';
import type { OutboxState } from './service-checks.js';

/** What an event publisher tells of itself. */
export interface PublisherFigures {
  readonly stats: {
    readonly published: number;
    readonly refused: number;
    readonly fenced: number;
    readonly redisUp: boolean;
  };
  readonly outbox: OutboxState;
}

/** Adds the metrics of a service that tells of events. */
export function addEventMetrics(metrics: Metrics, publisher: PublisherFigures): void {
  metrics.counter({
    name: 'events_published_total',
    help: 'Events that Redis has.',
    read: () => publisher.stats.published,
  });
  metrics.counter({
    name: 'events_refused_total',
    help: 'Events that the full outbox turned away; their calls try again.',
    read: () => publisher.stats.refused,
  });
  metrics.counter({
    name: 'events_fenced_total',
    help: 'Events kept out because their call had gone to another worker.',
    read: () => publisher.stats.fenced,
  });
  metrics.gauge({
    name: 'events_waiting',
    help: 'Events accepted and not yet in Redis.',
    read: () => publisher.outbox.waiting,
  });
  metrics.gauge({
    name: 'outbox_age_seconds',
    help: 'How long the oldest batch of events has been tried.',
    read: () => publisher.outbox.oldestMs / 1000,
  });
  metrics.gauge({
    name: 'redis_up',
    help: '1 while there is a connection to Redis.',
    read: () => (publisher.stats.redisUp ? 1 : 0),
  });
}

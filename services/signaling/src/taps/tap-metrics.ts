import type { Counter, Histogram, Metrics } from '@earshot/telemetry';

/** What webhooks and live streams count. */
export interface TapMetrics {
  readonly attempts: Counter<'outcome'>;
  readonly attemptSeconds: Histogram;
  readonly dropped: Counter;
  readonly disabled: Counter<'reason'>;
  readonly streamsEnded: Counter<'reason'>;
}

/** Registers them. @param streams how many live streams there are. */
export function tapMetrics(metrics: Metrics, streams: () => number): TapMetrics {
  metrics.gauge({
    name: 'event_streams',
    help: 'Live event streams that this process serves.',
    read: streams,
  });
  return {
    attempts: metrics.counter({
      name: 'webhook_attempts_total',
      help: 'Attempts to deliver to a webhook: delivered, retried later, or failed for good.',
      labelNames: ['outcome'],
    }),
    attemptSeconds: metrics.histogram({
      name: 'webhook_attempt_duration_seconds',
      help: 'How long attempts to deliver to a webhook took.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    dropped: metrics.counter({
      name: 'webhook_deliveries_dropped_total',
      help: 'Deliveries given up unsent: too many waited, or the webhook was turned off.',
    }),
    disabled: metrics.counter({
      name: 'webhooks_disabled_total',
      help: 'Webhooks that were turned off: requested, gone or failing.',
      labelNames: ['reason'],
    }),
    streamsEnded: metrics.counter({
      name: 'event_streams_ended_total',
      help: 'Live event streams that ended: the client left, was too slow, or the service stops.',
      labelNames: ['reason'],
    }),
  };
}

import type { Counter, Histogram, Metrics } from '@earshot/telemetry';

/** What this service counts. */
export interface SignalingMetrics {
  readonly callsStarted: Counter;
  readonly callsEnded: Counter<'cause' | 'retry'>;
  readonly callbacks: Counter<'outcome'>;
  readonly keepAlives: Counter<'outcome'>;
  readonly unplaced: Counter;
  readonly hostLinkRtt: Histogram;
}

/** Registers this service's own series. */
export function signalingMetrics(metrics: Metrics): SignalingMetrics {
  return {
    callsStarted: metrics.counter({
      name: 'calls_started_total',
      help: 'Calls for which a media host was asked.',
    }),
    callsEnded: metrics.counter({
      name: 'calls_ended_total',
      help: 'Calls that ended, by cause and by what may be done about it.',
      labelNames: ['cause', 'retry'],
    }),
    callbacks: metrics.counter({
      name: 'callbacks_total',
      help: 'Notifications from Graph: accepted, refused, unreadable or failed.',
      labelNames: ['outcome'],
    }),
    keepAlives: metrics.counter({
      name: 'keep_alives_total',
      help: 'KeepAlive requests that Graph answered: ok, or gone when the call was over.',
      labelNames: ['outcome'],
    }),
    unplaced: metrics.counter({
      name: 'calls_unplaced_total',
      help: 'Attempts to attach audio that found no media worker.',
    }),
    hostLinkRtt: metrics.histogram({
      name: 'host_link_rtt_seconds',
      help: 'How long pings of media hosts took there and back.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    }),
  };
}

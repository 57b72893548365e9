import type { Counter, Metrics } from '@earshot/telemetry';

/** What this service counts. */
export interface SignalingMetrics {
  readonly callsStarted: Counter;
  readonly callsEnded: Counter<'cause' | 'retry'>;
  readonly callbacks: Counter<'outcome'>;
  readonly keepAlives: Counter<'outcome'>;
  readonly unplaced: Counter;
  readonly reattachments: Counter<'cause'>;
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
    reattachments: metrics.counter({
      name: 'reattachments_total',
      help: 'Calls whose audio went to another attachment, by cause: drain, interrupted or failed.',
      labelNames: ['cause'],
    }),
  };
}

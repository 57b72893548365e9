import type { Counter, Histogram, Metrics } from '@earshot/telemetry';

/** What this service counts. */
export interface SignalingMetrics {
  readonly callsStarted: Counter;
  readonly callsEnded: Counter<'cause' | 'retry'>;
  readonly callbacks: Counter<'outcome'>;
  readonly keepAlives: Counter<'outcome'>;
  readonly strayLegs: Counter<'found'>;
  readonly unplaced: Counter;
  readonly hostLinkRtt: Histogram;
  readonly reattachments: Counter<'cause'>;
  readonly rateLimited: Counter<'by'>;
  readonly rejoins: Counter<'cause' | 'outcome'>;
  readonly admissionRefusals: Counter<'code'>;
  readonly placesReclaimed: Counter;
  readonly transcriptUtterances: Counter<'outcome'>;
  readonly transcriptsDropped: Counter;
  readonly incomingCalls: Counter<'outcome'>;
  readonly recordedParties: Counter<'outcome'>;
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
      help: 'Notifications from Graph: accepted, duplicate, refused, unreadable or aside.',
      labelNames: ['outcome'],
    }),
    keepAlives: metrics.counter({
      name: 'keep_alives_total',
      help: 'KeepAlive requests that Graph answered: ok, or gone when the call was over.',
      labelNames: ['outcome'],
    }),
    strayLegs: metrics.counter({
      name: 'stray_legs_deleted_total',
      help: 'Legs deleted from Graph that no call had any more: afterEnd, earlierAttempt or forgotten.',
      labelNames: ['found'],
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
    rateLimited: metrics.counter({
      name: 'requests_rate_limited_total',
      help: 'Requests of the REST API that were refused with 429: of a key, or of an address without one.',
      labelNames: ['by'],
    }),
    rejoins: metrics.counter({
      name: 'rejoins_total',
      help: 'Calls whose attempt failed so that another media host might do better, by what came of it.',
      labelNames: ['cause', 'outcome'],
    }),
    admissionRefusals: metrics.counter({
      name: 'admission_refusals_total',
      help: "Calls that were not made because of the app's limits.",
      labelNames: ['code'],
    }),
    placesReclaimed: metrics.counter({
      name: 'admission_places_reclaimed_total',
      help: 'Places of calls that were over and had not given them back: processes died.',
    }),
    transcriptUtterances: metrics.counter({
      name: 'transcript_utterances_total',
      help: 'Utterances for transcripts that are kept: kept, notRecorded (the gate was closed) or failed.',
      labelNames: ['outcome'],
    }),
    transcriptsDropped: metrics.counter({
      name: 'transcript_events_dropped_total',
      help: 'Events of kept transcripts that gave way to newer ones of their call.',
    }),
    incomingCalls: metrics.counter({
      name: 'incoming_calls_total',
      help: 'Calls that came in: answered, busy, forbidden, hungUp, late, failed or redirected.',
      labelNames: ['outcome'],
    }),
    recordedParties: metrics.counter({
      name: 'recorded_parties_total',
      help: 'Participants under a recording policy: accepted, invited, rejected; and left.',
      labelNames: ['outcome'],
    }),
    hostLinkRtt: metrics.histogram({
      name: 'host_link_rtt_seconds',
      help: 'How long pings of media hosts took there and back.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    }),
  };
}

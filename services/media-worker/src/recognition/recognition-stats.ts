import type { Metrics } from '@earshot/telemetry';
import type { UtteranceCount } from './recognition-counts.js';
import type { EngineLoad } from './recognition-messages.js';
import type { PoolLoad, RecognizerPool } from './recognizer-pool.js';

/** What `/v1/stats` tells of recognition. */
export interface RecognitionStats extends Omit<PoolLoad, 'running' | 'waitingMs' | 'engines'> {
  /** Threads that run now. */
  readonly threads: number;
  readonly threadRestarts: number;
  /** Utterances given to another thread because theirs was lost. */
  readonly utterancesRetried: number;
  readonly streams: number;
  readonly utterances: readonly UtteranceCount[];
  /** Of them, those without a result. */
  readonly skipped: number;
  readonly phrases: number;
  readonly partials: number;
  readonly engines: readonly (EngineLoad & { readonly realTimeFactor: number | null })[];
}

export function recognitionStats(pool: RecognizerPool): RecognitionStats {
  const { running, waitingMs: _, engines, ...load } = pool.load();
  const { utterances, skipped, phrases, partials } = pool.counts;
  return {
    threads: running,
    threadRestarts: pool.restarts,
    utterancesRetried: pool.retried,
    streams: pool.streams,
    ...load,
    utterances,
    skipped,
    phrases,
    partials,
    engines: engines.map((engine) => ({ ...engine, realTimeFactor: factorOf(engine) })),
  };
}

function factorOf({ audioMs, busyMs }: EngineLoad): number | null {
  return audioMs === 0 ? null : Math.round((busyMs / audioMs) * 1000) / 1000;
}

export function addRecognitionMetrics(metrics: Metrics, pool: RecognizerPool): void {
  metrics.counter<'task' | 'engine' | 'outcome'>({
    name: 'utterances_total',
    help: 'Utterances given to recognizers by what became of them.',
    labelNames: ['task', 'engine', 'outcome'],
    readAll: () =>
      pool.counts.utterances.map(({ task, engine, outcome, count }) => ({
        labels: { task, engine, outcome },
        value: count,
      })),
  });
  metrics.counter({
    name: 'phrases_total',
    help: 'Phrases that recognizers found, also those that were not sure enough to be told.',
    read: () => pool.counts.phrases,
  });
  metrics.gauge({
    name: 'recognizer_streams',
    help: 'Streams that recognizers listen to now.',
    read: () => pool.streams,
  });
  metrics.gauge({
    name: 'recognizer_sessions',
    help: 'Sessions of recognizers that are open now.',
    read: () => pool.load().sessions,
  });
  metrics.gauge({
    name: 'recognizer_backlog_seconds',
    help: 'Time that it takes to recognize what waits, of the thread that has the most.',
    read: () => pool.load().backlogMs / 1000,
  });
  metrics.counter({
    name: 'recognizer_partials_off_total',
    help: 'Times that partial transcripts were turned off because too much waited.',
    read: () => pool.load().timesPartialsOff,
  });
  metrics.counter({
    name: 'recognizer_thread_restarts_total',
    help: 'Recognizer threads replaced.',
    read: () => pool.restarts,
  });
  metrics.counter({
    name: 'utterances_retried_total',
    help: 'Utterances given to another recognizer thread because theirs was lost.',
    read: () => pool.retried,
  });
  metrics.counter<'from' | 'to' | 'reason'>({
    name: 'recognizer_switches_total',
    help: 'Times that one recognizer of dictation gave way to another, or to none, in a stream.',
    labelNames: ['from', 'to', 'reason'],
    readAll: () => pool.load().switches.map(({ count, ...labels }) => ({ labels, value: count })),
  });
  addEngineMetrics(metrics, pool);
}

/** The real-time factor is the rate of the second by the rate of the first. */
function addEngineMetrics(metrics: Metrics, pool: RecognizerPool): void {
  const byEngine = (of: (engine: EngineLoad) => number) => () =>
    pool.load().engines.map((load) => ({
      labels: { task: load.task, engine: load.engine },
      value: of(load),
    }));
  const labelNames = ['task', 'engine'] as const;
  metrics.counter<'task' | 'engine'>({
    name: 'recognizer_audio_seconds_total',
    help: 'Sound that was recognized.',
    labelNames,
    readAll: byEngine(({ audioMs }) => audioMs / 1000),
  });
  metrics.counter<'task' | 'engine'>({
    name: 'recognizer_busy_seconds_total',
    help: 'Time that recognizers took for it; by the sound, it is their real-time factor.',
    labelNames,
    readAll: byEngine(({ busyMs }) => busyMs / 1000),
  });
  metrics.counter<'task' | 'engine'>({
    name: 'recognizer_faults_total',
    help: 'Sessions of recognizers that failed or could not be opened.',
    labelNames,
    readAll: byEngine(({ faults }) => faults),
  });
}

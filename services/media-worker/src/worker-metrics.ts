import type { EventPublisher } from '@earshot/events';
import type { StreamTotals } from '@earshot/media-session';
import type { HistogramReading, Metrics } from '@earshot/telemetry';
import { addEventMetrics, createMetrics } from '@earshot/telemetry';
import type { CallTable } from './call-table.js';
import type { DecodePool } from './decode-pool.js';
import type { DecodeThread } from './decode-thread-handle.js';
import type { Heartbeat } from './heartbeat.js';
import type { Latencies } from './latency-histogram.js';
import { addRecognitionMetrics } from './recognition/recognition-stats.js';
import type { RecognizerPool } from './recognition/recognizer-pool.js';

export interface WorkerMetricsOptions {
  readonly calls: CallTable;
  readonly pool: DecodePool;
  readonly recognizers: RecognizerPool;
  readonly publisher: EventPublisher;
  readonly heartbeat: Heartbeat;
}

/** What became of frames, by the label `outcome`. */
const OUTCOMES = {
  decoded: 'framesDecoded',
  silent: 'framesSilent',
  corrupt: 'framesCorrupt',
  missing: 'framesMissing',
  dropped: 'framesDropped',
  duplicate: 'framesDuplicate',
  unheard: 'framesUnheard',
  concealed: 'framesConcealed',
  recovered: 'framesRecovered',
} as const satisfies Record<string, keyof StreamTotals>;

const PLAY_OUTCOMES = ['played', 'cleared', 'failed'] as const;

/** Upper bounds of the latency buckets, as powers of two of a µs: 0.1 ms to 4 s. */
const LATENCY_POWERS = Array.from({ length: 16 }, (_, n) => n + 7);

/** The worker's metrics; the numbers are read from shared memory at each scrape. */
export class WorkerMetrics {
  /** For what else is told of this worker. */
  readonly set: Metrics = createMetrics({ service: 'media-worker' });

  constructor({ calls, pool, recognizers, publisher, heartbeat }: WorkerMetricsOptions) {
    addFrames(this.set, calls, pool);
    addCalls(this.set, calls);
    addThreads(this.set, pool);
    addRecognitionMetrics(this.set, recognizers);
    addEventMetrics(this.set, publisher);
    addLoad(this.set, heartbeat);
  }

  get contentType(): string {
    return this.set.contentType;
  }

  /** Everything in the Prometheus text format. */
  text(): Promise<string> {
    return this.set.text();
  }
}

function addFrames(metrics: Metrics, calls: CallTable, pool: DecodePool): void {
  metrics.counter<'outcome'>({
    name: 'frames_total',
    help: 'Frames of 20 ms by what became of them; those concealed, and of them those recovered, count again.',
    labelNames: ['outcome'],
    readAll: () => {
      const totals = calls.totals();
      return Object.entries(OUTCOMES).map(([outcome, key]) => ({
        labels: { outcome },
        value: totals[key],
      }));
    },
  });
  metrics.counter({
    name: 'gaps_total',
    help: 'Gaps found in streams.',
    read: () => calls.totals().gaps,
  });
  metrics.counter({
    name: 'frames_beyond_credit_total',
    help: 'Frames that came though their host had no credit for them: it does not keep to it.',
    read: () => calls.framesBeyondCredit,
  });
  metrics.readHistogram({
    name: 'frame_to_finding_seconds',
    help: 'Time from the arrival of frames until what was found in them was out.',
    read: () => readingOf(pool.latencies()),
  });
  metrics.gauge({
    name: 'oldest_frame_age_seconds',
    help: 'Age of the oldest frame that waits for a decode thread.',
    read: () => pool.oldestFrameMs() / 1000,
  });
}

function addCalls(metrics: Metrics, calls: CallTable): void {
  metrics.gauge({ name: 'calls', help: 'Calls heard now.', read: () => calls.size });
  metrics.gauge({
    name: 'calls_deaf',
    help: 'Calls of which nothing is heard though somebody in them is not muted.',
    read: () => calls.deaf,
  });
  metrics.counter({
    name: 'tones_folded_total',
    help: 'Reports of tones that told of a tone already told, by another source.',
    read: () => calls.tonesFolded,
  });
  metrics.counter<'outcome'>({
    name: 'plays_total',
    help: 'Audio for meetings by what became of it.',
    labelNames: ['outcome'],
    readAll: () =>
      PLAY_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: calls.playCounts[outcome] })),
  });
}

function addThreads(metrics: Metrics, pool: DecodePool): void {
  const byThread = (micros: (thread: DecodeThread) => number) => {
    const seconds = new GrowingSeconds(pool, micros);
    return () =>
      seconds.read().map((value, index) => ({ labels: { thread: String(index) }, value }));
  };
  metrics.counter<'thread'>({
    name: 'decode_busy_seconds_total',
    help: 'Time that decode threads spent working.',
    labelNames: ['thread'],
    readAll: byThread((thread) => thread.busyMicros),
  });
  metrics.counter<'thread'>({
    name: 'decode_codec_seconds_total',
    help: 'Of the busy time of decode threads, that spent in the codec.',
    labelNames: ['thread'],
    readAll: byThread((thread) => thread.codecMicros),
  });
  metrics.counter({
    name: 'decode_thread_restarts_total',
    help: 'Decode threads replaced.',
    read: () => pool.restarts,
  });
  const { name: engine, version } = pool.engine;
  metrics
    .gauge({
      name: 'decode_engine_info',
      help: '1, with the codec in use as labels.',
      labelNames: ['engine', 'version'],
    })
    .set(1, { engine, version });
  metrics.gauge({ name: 'streams', help: 'Streams heard now.', read: () => pool.streams });
  metrics.counter({
    name: 'streams_failed_total',
    help: 'Streams closed because of a fault of ours.',
    read: () => pool.failedStreams,
  });
}

function addLoad(metrics: Metrics, heartbeat: Heartbeat): void {
  metrics.gauge({
    name: 'load_ratio',
    help: 'Capacity in use, 0 to 1, as placement sees it: the largest share.',
    read: () => heartbeat.load,
  });
  metrics.gauge<'of'>({
    name: 'load_share_ratio',
    help: 'What is in use: time of the I/O thread, busiest decode thread, recognizer threads; streams; memory.',
    labelNames: ['of'],
    readAll: () =>
      Object.entries(heartbeat.shares).map(([of, value]) => ({ labels: { of }, value })),
  });
}

/** As Prometheus reads it; one `observe` a frame would cost more than the frame. */
function readingOf(latencies: Latencies): HistogramReading {
  const buckets = LATENCY_POWERS.map((power) => ({
    bound: 2 ** power / 1e6,
    count: latencies.below(power),
  }));
  return {
    buckets: [...buckets, { bound: Number.POSITIVE_INFINITY, count: latencies.count }],
    sum: latencies.sumMicros / 1e6,
  };
}

/** Seconds of each thread, over counters of µs that wrap at 2^32; read more often than each hour. */
class GrowingSeconds {
  readonly #pool: DecodePool;
  readonly #micros: (thread: DecodeThread) => number;
  readonly #before: number[];
  readonly #seconds: number[];

  constructor(pool: DecodePool, micros: (thread: DecodeThread) => number) {
    this.#pool = pool;
    this.#micros = micros;
    this.#before = pool.threads.map(micros);
    this.#seconds = this.#before.map((at) => at / 1e6);
  }

  read(): readonly number[] {
    for (const [index, thread] of this.#pool.threads.entries()) {
      const now = this.#micros(thread);
      this.#seconds[index] = this.#seconds[index]! + ((now - this.#before[index]!) >>> 0) / 1e6;
      this.#before[index] = now;
    }
    return this.#seconds;
  }
}

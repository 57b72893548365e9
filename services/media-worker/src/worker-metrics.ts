import type { EventPublisher } from '@earshot/events';
import type { StreamTotals } from '@earshot/media-session';
import type { Counter } from '@earshot/telemetry';
import { createMetrics } from '@earshot/telemetry';
import type { CallTable } from './call-table.js';
import type { DecodePool } from './decode-pool.js';
import type { Heartbeat } from './heartbeat.js';
import type { Latencies } from './latency-histogram.js';

export interface WorkerMetricsOptions {
  readonly calls: CallTable;
  readonly pool: DecodePool;
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
  readonly contentType: string;
  readonly #calls: CallTable;
  readonly #pool: DecodePool;
  readonly #text: () => Promise<string>;
  readonly #frames: Counter<'outcome'>;
  readonly #gaps: Counter;
  readonly #plays: Counter<'outcome'>;
  #scrapedPlays = { played: 0, cleared: 0, failed: 0 };
  readonly #beyondCredit: Counter;
  readonly #busySeconds: Counter<'thread'>;
  readonly #codecSeconds: Counter<'thread'>;
  readonly #latencyBuckets: Counter<'le'>;
  readonly #latencySum: Counter;
  readonly #latencyCount: Counter;
  readonly #busyMicros: number[];
  readonly #codecMicros: number[];
  #scraped: StreamTotals;
  #scrapedBeyondCredit = 0;
  #latencies: Latencies;

  constructor({ calls, pool, publisher, heartbeat }: WorkerMetricsOptions) {
    const metrics = createMetrics({ service: 'media-worker' });
    this.contentType = metrics.contentType;
    this.#text = () => metrics.text();
    this.#calls = calls;
    this.#pool = pool;
    this.#scraped = calls.totals();
    this.#busyMicros = pool.threads.map((thread) => thread.busyMicros);
    this.#codecMicros = pool.threads.map((thread) => thread.codecMicros);
    this.#latencies = pool.latencies();
    this.#frames = metrics.counter({
      name: 'frames_total',
      help: 'Frames of 20 ms by what became of them; those concealed, and of them those recovered, count again.',
      labelNames: ['outcome'],
    });
    this.#gaps = metrics.counter({ name: 'gaps_total', help: 'Gaps found in streams.' });
    this.#plays = metrics.counter({
      name: 'plays_total',
      help: 'Audio for meetings by what became of it.',
      labelNames: ['outcome'],
    });
    this.#beyondCredit = metrics.counter({
      name: 'frames_beyond_credit_total',
      help: 'Frames that came though their host had no credit for them: it does not keep to it.',
    });
    this.#busySeconds = metrics.counter({
      name: 'decode_busy_seconds_total',
      help: 'Time that decode threads spent working.',
      labelNames: ['thread'],
    });
    this.#codecSeconds = metrics.counter({
      name: 'decode_codec_seconds_total',
      help: 'Of the busy time of decode threads, that spent in the codec.',
      labelNames: ['thread'],
    });
    // A histogram as Prometheus reads it, summed up elsewhere than here: one `observe` a frame would
    // cost more than the frame.
    this.#latencyBuckets = metrics.counter({
      name: 'frame_to_finding_seconds_bucket',
      help: 'Frames by the time from their arrival to what was found in them being out.',
      labelNames: ['le'],
    });
    this.#latencySum = metrics.counter({
      name: 'frame_to_finding_seconds_sum',
      help: 'Time from arrival to finding, over all frames.',
    });
    this.#latencyCount = metrics.counter({
      name: 'frame_to_finding_seconds_count',
      help: 'Frames whose time from arrival to finding was taken.',
    });
    const { name: engine, version } = pool.engine;
    metrics
      .gauge({
        name: 'decode_engine_info',
        help: '1, with the codec in use as labels.',
        labelNames: ['engine', 'version'],
      })
      .set(1, { engine, version });
    metrics.gauge({
      name: 'streams_failed',
      help: 'Streams closed since the start because of a fault of ours.',
      read: () => pool.failedStreams,
    });
    metrics.gauge({ name: 'calls', help: 'Calls heard now.', read: () => calls.size });
    metrics.gauge({
      name: 'calls_deaf',
      help: 'Calls of which nothing is heard though somebody in them is not muted.',
      read: () => calls.deaf,
    });
    metrics.gauge({ name: 'streams', help: 'Streams heard now.', read: () => pool.streams });
    metrics.gauge({ name: 'load', help: 'Capacity in use, 0 to 1.', read: () => heartbeat.load });
    metrics.gauge({
      name: 'decode_thread_restarts',
      help: 'Decode threads replaced since the start.',
      read: () => pool.restarts,
    });
    metrics.gauge({
      name: 'events_waiting',
      help: 'Events accepted and not yet in Redis.',
      read: () => publisher.stats.waiting,
    });
    metrics.gauge({
      name: 'events_fenced',
      help: 'Events kept out since the start because their call had gone to another worker.',
      read: () => publisher.stats.fenced,
    });
    metrics.gauge({
      name: 'redis_up',
      help: '1 while Redis answers.',
      read: () => (publisher.stats.redisUp ? 1 : 0),
    });
  }

  /** Everything in the Prometheus text format. */
  text(): Promise<string> {
    const now = this.#calls.totals();
    const before = this.#scraped;
    this.#scraped = now;
    for (const [outcome, key] of Object.entries(OUTCOMES)) {
      this.#frames.add(Math.max(0, now[key] - before[key]), { outcome });
    }
    this.#gaps.add(Math.max(0, now.gaps - before.gaps));
    this.#countPlays();
    const beyondCredit = this.#calls.framesBeyondCredit;
    this.#beyondCredit.add(Math.max(0, beyondCredit - this.#scrapedBeyondCredit));
    this.#scrapedBeyondCredit = beyondCredit;
    for (const [index, thread] of this.#pool.threads.entries()) {
      const label = { thread: String(index) };
      this.#busySeconds.add(grown(this.#busyMicros, index, thread.busyMicros) / 1e6, label);
      this.#codecSeconds.add(grown(this.#codecMicros, index, thread.codecMicros) / 1e6, label);
    }
    this.#countLatencies();
    return this.#text();
  }

  #countPlays(): void {
    const { played, cleared, failed } = this.#calls.playCounts;
    const now = { played, cleared, failed };
    for (const outcome of PLAY_OUTCOMES) {
      this.#plays.add(now[outcome] - this.#scrapedPlays[outcome], { outcome });
    }
    this.#scrapedPlays = now;
  }

  #countLatencies(): void {
    const now = this.#pool.latencies();
    const fresh = now.since(this.#latencies);
    this.#latencies = now;
    for (const power of LATENCY_POWERS) {
      this.#latencyBuckets.add(fresh.below(power), { le: String(2 ** power / 1e6) });
    }
    this.#latencyBuckets.add(fresh.count, { le: '+Inf' });
    this.#latencySum.add(Math.max(0, fresh.sumMicros) / 1e6);
    this.#latencyCount.add(fresh.count);
  }
}

/** How much a number that wraps at 2^32 grew since the last time, which is noted. */
function grown(before: number[], index: number, now: number): number {
  const growth = (now - (before[index] ?? 0)) >>> 0;
  before[index] = now;
  return growth;
}

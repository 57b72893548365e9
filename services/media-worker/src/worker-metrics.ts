import type { EventPublisher } from '@earshot/events';
import type { StreamTotals } from '@earshot/media-session';
import type { Counter } from '@earshot/telemetry';
import { createMetrics } from '@earshot/telemetry';
import type { CallTable } from './call-table.js';
import type { DecodePool } from './decode-pool.js';
import type { Heartbeat } from './heartbeat.js';

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
  concealed: 'framesConcealed',
} as const satisfies Record<string, keyof StreamTotals>;

/** The worker's metrics; the numbers are read from shared memory at each scrape. */
export class WorkerMetrics {
  readonly contentType: string;
  readonly #calls: CallTable;
  readonly #pool: DecodePool;
  readonly #text: () => Promise<string>;
  readonly #frames: Counter<'outcome'>;
  readonly #gaps: Counter;
  readonly #busySeconds: Counter<'thread'>;
  readonly #busyMicros: number[];
  #scraped: StreamTotals;

  constructor({ calls, pool, publisher, heartbeat }: WorkerMetricsOptions) {
    const metrics = createMetrics({ service: 'media-worker' });
    this.contentType = metrics.contentType;
    this.#text = () => metrics.text();
    this.#calls = calls;
    this.#pool = pool;
    this.#scraped = calls.totals();
    this.#busyMicros = pool.threads.map((thread) => thread.busyMicros);
    this.#frames = metrics.counter({
      name: 'frames_total',
      help: 'Frames of 20 ms by what became of them; concealed ones are counted twice.',
      labelNames: ['outcome'],
    });
    this.#gaps = metrics.counter({ name: 'gaps_total', help: 'Gaps found in streams.' });
    this.#busySeconds = metrics.counter({
      name: 'decode_busy_seconds_total',
      help: 'Time that decode threads spent working.',
      labelNames: ['thread'],
    });
    metrics.gauge({ name: 'calls', help: 'Calls heard now.', read: () => calls.size });
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
    for (const [index, thread] of this.#pool.threads.entries()) {
      const micros = thread.busyMicros;
      const grown = (micros - (this.#busyMicros[index] ?? 0)) >>> 0;
      this.#busyMicros[index] = micros;
      this.#busySeconds.add(grown / 1e6, { thread: String(index) });
    }
    return this.#text();
  }
}

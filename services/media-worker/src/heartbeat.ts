import { performance } from 'node:perf_hooks';
import process from 'node:process';
import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { DecodePool } from './decode-pool.js';
import type { WorkerLog } from './log.js';
import type { RecognizerUse } from './recognition/recognizer-use.js';
import { MAX_RECOGNIZER_SHARE } from './recognition/recognizer-use.js';

const INTERVAL_MS = 3000;
const TTL_MS = 10_000;

export interface HeartbeatOptions {
  readonly workerId: string;
  readonly registry: Registry;
  readonly pool: DecodePool;
  readonly recognizers: RecognizerUse;
  readonly maxStreams: number;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Resident memory at which the worker is full, bytes. */
  readonly memoryLimitBytes: number;
  isDraining(): boolean;
  /** It can't keep up with the calls that it has. */
  isOverwhelmed(): boolean;
}

/** What is in use of each thing that a worker has only so much of, 0 to 1. */
export interface LoadShares {
  /** Time of the I/O thread. */
  readonly io: number;
  /** Time of the busiest decode thread. */
  readonly decode: number;
  readonly streams: number;
  readonly memory: number;
  /** Time of all recognizer threads, or work that waits there: never so much that no call is placed here. */
  readonly recognizers: number;
}

/** Tells the registry that this worker lives and how busy it is, so that calls are placed well. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #url = '';
  #stop: Cancel = () => {};
  #utilization = performance.eventLoopUtilization();
  #busyMicros: number[] = [];
  #atMs = 0;
  #shares: LoadShares = { io: 0, decode: 0, streams: 0, memory: 0, recognizers: 0 };

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /**
   * Resolves once calls can be placed here.
   *
   * @param url WebSocket URL that hosts are told to dial.
   */
  async start(url: string): Promise<void> {
    const { pool, clock, log } = this.#options;
    this.#url = url;
    this.#busyMicros = pool.threads.map((thread) => thread.busyMicros);
    this.#atMs = clock.nowMs();
    await this.beat();
    this.#stop = every(clock, INTERVAL_MS, () => {
      this.#shares = this.#measure();
      this.beat().catch((error: unknown) => log.warn('heartbeat failed', { error: String(error) }));
    });
  }

  /** Share of its capacity that is in use, 0 to 1; at 1 no call is placed here. */
  get load(): number {
    if (this.#options.isOverwhelmed()) return 1;
    return Math.min(1, Math.max(...Object.values(this.#shares)));
  }

  get shares(): LoadShares {
    return this.#shares;
  }

  /** Beats now, out of turn: when something changed that placement must know. */
  async beat(): Promise<void> {
    const { registry, workerId, pool, isDraining } = this.#options;
    const { streams } = pool;
    await registry.heartbeatWorker(
      { workerId, url: this.#url, load: this.load, streams, draining: isDraining() },
      TTL_MS,
    );
  }

  /** Stops beating and takes the worker off the list. */
  async close(): Promise<void> {
    this.#stop();
    await this.#options.registry.removeWorker(this.#options.workerId);
  }

  #measure(): LoadShares {
    const { pool, recognizers, maxStreams, memoryLimitBytes, clock } = this.#options;
    recognizers.measure(clock.nowMs());
    return {
      io: this.#measureIo(),
      decode: this.#measureDecode(),
      streams: pool.streams / maxStreams,
      memory: process.memoryUsage.rss() / memoryLimitBytes,
      recognizers: Math.min(recognizers.share, MAX_RECOGNIZER_SHARE),
    };
  }

  #measureIo(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    return utilization;
  }

  #measureDecode(): number {
    const { pool, clock } = this.#options;
    const nowMs = clock.nowMs();
    const elapsedMicros = Math.max(1, (nowMs - this.#atMs) * 1000);
    this.#atMs = nowMs;
    const busyMicros = pool.threads.map((thread) => thread.busyMicros);
    const before = this.#busyMicros;
    this.#busyMicros = busyMicros;
    const grown = busyMicros.map((micros, index) => (micros - (before[index] ?? 0)) >>> 0);
    return Math.max(...grown) / elapsedMicros;
  }
}

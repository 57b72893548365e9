import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { DecodePool } from './decode-pool.js';
import type { WorkerLog } from './log.js';

const INTERVAL_MS = 3000;
const TTL_MS = 10_000;

export interface HeartbeatOptions {
  readonly workerId: string;
  readonly registry: Registry;
  readonly pool: DecodePool;
  readonly maxStreams: number;
  readonly clock: Clock;
  readonly log: WorkerLog;
  isDraining(): boolean;
}

/** Tells the registry that this worker lives and how busy it is, so that calls are placed well. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #url = '';
  #stop: Cancel = () => {};
  #utilization = performance.eventLoopUtilization();
  #busyMicros: number[] = [];
  #atMs = 0;
  #load = 0;

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
      this.#load = this.#measure();
      this.beat().catch((error: unknown) => log.warn('heartbeat failed', { error: String(error) }));
    });
  }

  /** Share of its capacity that is in use, 0 to 1. */
  get load(): number {
    return this.#load;
  }

  /** Beats now, out of turn: when something changed that placement must know. */
  async beat(): Promise<void> {
    const { registry, workerId, pool, isDraining } = this.#options;
    const { streams } = pool;
    await registry.heartbeatWorker(
      { workerId, url: this.#url, load: this.#load, streams, draining: isDraining() },
      TTL_MS,
    );
  }

  /** Stops beating and takes the worker off the list. */
  async close(): Promise<void> {
    this.#stop();
    await this.#options.registry.removeWorker(this.#options.workerId);
  }

  /** The busiest of: I/O thread, each decode thread, the limit of streams. */
  #measure(): number {
    const { pool, maxStreams, clock } = this.#options;
    const utilization = performance.eventLoopUtilization();
    const io = performance.eventLoopUtilization(utilization, this.#utilization).utilization;
    this.#utilization = utilization;

    const nowMs = clock.nowMs();
    const elapsedMicros = Math.max(1, (nowMs - this.#atMs) * 1000);
    this.#atMs = nowMs;
    const busyMicros = pool.threads.map((thread) => thread.busyMicros);
    const decode = busyMicros.map(
      (micros, index) => ((micros - (this.#busyMicros[index] ?? 0)) >>> 0) / elapsedMicros,
    );
    this.#busyMicros = busyMicros;
    return Math.min(1, Math.max(io, pool.streams / maxStreams, ...decode));
  }
}

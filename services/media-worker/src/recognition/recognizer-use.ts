import type { PoolLoad } from './recognizer-pool.js';

/** What is left of what was measured before; an utterance counts as a whole when it is over. */
const SMOOTHING = 0.75;

/**
 * The most that recognizers count for: a worker that has too much to recognize takes calls once all
 * others are as full, as what it can't recognize is skipped, and told so.
 */
export const MAX_RECOGNIZER_SHARE = 0.95;

export interface RecognizerUseOptions {
  readonly threads: number;
  /** Work that may wait in each, as the time that it takes. */
  readonly backlogMs: number;
  readonly nowMs: number;
  load(): Pick<PoolLoad, 'engines' | 'waitingMs'>;
}

/** How much of the time of all recognizer threads is in use. */
export class RecognizerUse {
  readonly #options: RecognizerUseOptions;
  #busyMs = 0;
  #atMs: number;
  #busy = 0;
  #share = 0;

  constructor(options: RecognizerUseOptions) {
    this.#options = options;
    this.#atMs = options.nowMs;
  }

  /** As measured last, 0 to 1: of time, or of the work that may wait, whichever is more. */
  get share(): number {
    return this.#share;
  }

  /** Measures since the last time, which is some seconds ago. */
  measure(nowMs: number): void {
    const { threads, backlogMs, load } = this.#options;
    const { engines, waitingMs } = load();
    const busyMs = engines.reduce((sum, engine) => sum + engine.busyMs, 0);
    const elapsedMs = Math.max(1, nowMs - this.#atMs) * threads;
    const busy = Math.max(0, busyMs - this.#busyMs) / elapsedMs;
    this.#busy = SMOOTHING * this.#busy + (1 - SMOOTHING) * busy;
    this.#busyMs = busyMs;
    this.#atMs = nowMs;
    this.#share = Math.min(1, Math.max(this.#busy, waitingMs / (backlogMs * threads)));
  }
}

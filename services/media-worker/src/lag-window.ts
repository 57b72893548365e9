import type { Latencies } from './latency-histogram.js';

/** Readings kept: one a second makes a window of ten. */
const READINGS = 11;

/** How long frames took lately, from readings that only grow. */
export class LagWindow {
  readonly #read: () => Latencies;
  readonly #readings: Latencies[] = [];

  /** @param read since the start; the sum of all threads */
  constructor(read: () => Latencies) {
    this.#read = read;
  }

  /** Of the frames since ten calls ago, the time that 99 in 100 took at most; call it once a second. */
  p99Seconds(): number {
    const now = this.#read();
    this.#readings.push(now);
    if (this.#readings.length > READINGS) this.#readings.shift();
    const [oldest = now] = this.#readings;
    return now.since(oldest).quantileMs(0.99) / 1000;
  }
}

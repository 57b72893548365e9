import type { IntervalHistogram } from 'node:perf_hooks';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';

const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;

/** How late this thread's event loop runs what is due, over the last 10 to 20 s. */
export class EventLoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #before = { p99: 0, max: 0 };

  /** Measures from now on, until cancelled. */
  start(clock: Clock): Cancel {
    this.#histogram.enable();
    const cancel = every(clock, WINDOW_MS, () => {
      this.#before = this.#now();
      this.#histogram.reset();
    });
    return () => {
      cancel();
      this.#histogram.disable();
    };
  }

  get p99Seconds(): number {
    return Math.max(this.#before.p99, this.#now().p99);
  }

  get maxSeconds(): number {
    return Math.max(this.#before.max, this.#now().max);
  }

  #now(): { p99: number; max: number } {
    if (this.#histogram.count === 0) return { p99: 0, max: 0 };
    return {
      p99: secondsOf(this.#histogram.percentile(99)),
      max: secondsOf(this.#histogram.max),
    };
  }
}

/** Each sample is the time between two ticks of the monitor, in ns. */
function secondsOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
}

import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type { RecentEvents } from '@earshot/events';
import { LiveWindow } from './live-window.js';

const PAGE = 500;
/** A stopped reader may still wait for so long. */
const WAIT_MS = 1_000;
const RETRY_MS = 500;
/** Who was away for so long looks whether the events went by. */
const LATE_MS = 3_000;

export interface LiveReaderOptions {
  readonly recent: RecentEvents;
  readonly capacity: number;
  readonly clock: Clock;
  readonly onEvents: () => void;
  readonly onError: (error: unknown) => void;
}

/** Keeps a window filled, from what was there before to what comes, until it is stopped. */
export class LiveReader {
  readonly window: LiveWindow;
  readonly #options: LiveReaderOptions;
  #isStopped = false;

  private constructor(options: LiveReaderOptions) {
    this.#options = options;
    this.window = new LiveWindow(options.capacity);
  }

  /** Resolves when the window has what was there. */
  static async start(options: LiveReaderOptions): Promise<LiveReader> {
    const reader = new LiveReader(options);
    const { events, cursor } = await options.recent.newest(options.capacity);
    for (const event of events) reader.window.push(event);
    void reader.#follow(cursor);
    return reader;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #follow(from: string): Promise<void> {
    const { recent, clock, onEvents, onError } = this.#options;
    let cursor = from;
    while (!this.#isStopped) {
      try {
        const sinceMs = clock.nowMs();
        const page = await recent.after(cursor, PAGE, WAIT_MS);
        const isLate = clock.nowMs() - sinceMs > LATE_MS || page.events.length === PAGE;
        if (isLate && (await recent.hasMissed(cursor))) this.window.skip();
        cursor = page.cursor;
        for (const event of page.events) this.window.push(event);
        if (page.events.length > 0 && !this.#isStopped) onEvents();
      } catch (error) {
        if (this.#isStopped) return;
        onError(error);
        await delay(clock, RETRY_MS);
      }
    }
  }
}

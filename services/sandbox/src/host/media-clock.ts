import type { Clock } from '@earshot/async';
import { PTIME_MS } from '@earshot/audio';
import { joinTicks, splitTicks } from '@earshot/bridge-protocol';
import { MediaTicks, ntpTicks } from './media-ticks.js';

/**
 * The media clock of one call (T-1 to T-3): ticks since 1900 at the pace of real time, or, in virtual
 * time, of the meeting. Media time is counted from its start.
 */
export class MediaClock {
  readonly #clock: Clock;
  readonly #isVirtual: boolean;
  #ticks: MediaTicks | undefined;
  #epochTicks = 0n;
  #epochNowMs = 0;
  /** Media time at which the meeting began. */
  #originMs = 0;
  #latestMs = 0;

  constructor(clock: Clock, isVirtual: boolean) {
    this.#clock = clock;
    this.#isVirtual = isVirtual;
  }

  /** Ticks at which media time is 0. */
  get epochTicks(): bigint {
    return this.#epochTicks;
  }

  /** Turns media time into ticks; shared, valid until the next `set`. */
  get ticks(): MediaTicks {
    this.start();
    return this.#ticks!;
  }

  /** Picks the epoch. Idempotent. */
  start(): void {
    if (this.#ticks !== undefined) return;
    this.#epochTicks = ntpTicks(this.#clock.wallclockMs());
    this.#epochNowMs = this.#clock.nowMs();
    const { high, low } = splitTicks(this.#epochTicks);
    this.#ticks = new MediaTicks(high, low);
  }

  /** The meeting begins now: its frames lie on the grid of frames since the epoch. */
  begin(): void {
    this.start();
    if (this.#isVirtual) return;
    const elapsedMs = this.#clock.nowMs() - this.#epochNowMs;
    this.#originMs = Math.floor(elapsedMs / PTIME_MS) * PTIME_MS;
  }

  /** The meeting has come to `meetingMs`; the same as media time, ms. */
  reach(meetingMs: number): number {
    const mediaMs = this.#originMs + meetingMs;
    if (mediaMs > this.#latestMs) this.#latestMs = mediaMs;
    return mediaMs;
  }

  /** The clock now. */
  nowTicks(): bigint {
    return this.#isVirtual ? this.ticksAt(this.#latestMs) : ntpTicks(this.#clock.wallclockMs());
  }

  /** The clock at a media time. */
  ticksAt(mediaMs: number): bigint {
    const { ticks } = this;
    ticks.set(mediaMs);
    return joinTicks(ticks.high, ticks.low);
  }
}

import type { ServerResponse } from 'node:http';
import type { Clock } from '@earshot/async';
import type { LiveEvent, LiveWindow } from './live-window.js';

/** Who takes nothing for so long is not there any more. */
const STALLED_MS = 60_000;
/** What was said last may still get through; then the connection is cut. */
const LINGER_MS = 2_000;

/** Why a stream ended: its client left, took too little, or the service stops. */
export type StreamEnd = 'left' | 'slow' | 'closing';

export interface EventStreamOptions {
  readonly window: LiveWindow;
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** Only this call's events. */
  readonly callId: string | undefined;
  /** Only events of these types. */
  readonly types: ReadonlySet<string> | undefined;
  /** The last event that the client has seen. */
  readonly lastEventId: string | undefined;
  readonly onEnd: (end: StreamEnd) => void;
}

/** One client of the live events. It is written to only while it takes what was written. */
export class EventStream {
  readonly #options: EventStreamOptions;
  #next: number;
  /** Since when the connection takes nothing, monotonic ms. */
  #blockedSinceMs: number | undefined;
  #isOver = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    const { window, response, lastEventId } = options;
    response.on('drain', () => {
      this.#blockedSinceMs = undefined;
      this.pump();
    });
    response.on('close', () => this.#over('left'));
    response.on('error', () => {});
    this.#next = window.end;
    this.#write('retry: 2000\n\n');
    const seen = lastEventId === undefined ? undefined : window.numberOf(lastEventId);
    if (seen !== undefined) this.#next = seen + 1;
    if (lastEventId !== undefined && seen === undefined) {
      this.#next = window.start;
      this.#write('event: stream.reset\ndata: {"reason":"lastEventIdUnknown"}\n\n');
    }
    this.pump();
  }

  /** Writes what there is to write. */
  pump(): void {
    const { window } = this.#options;
    while (!this.#isOver) {
      if (this.#next < window.start) {
        this.end('slow');
        return;
      }
      if (this.#blockedSinceMs !== undefined || this.#next >= window.end) return;
      const live = window.at(this.#next);
      this.#next += 1;
      if (live !== undefined && this.#isWanted(live)) this.#write(live.frame);
    }
  }

  #isWanted(live: LiveEvent): boolean {
    const { callId, types } = this.#options;
    return (callId === undefined || live.callId === callId) && types?.has(live.type) !== false;
  }

  /** Keeps proxies from closing a quiet connection, and finds out who is gone. */
  beat(): void {
    const { clock } = this.#options;
    if (this.#blockedSinceMs === undefined) this.#write(': beat\n\n');
    else if (clock.nowMs() - this.#blockedSinceMs >= STALLED_MS) this.end('slow');
  }

  /** Says why, and ends the connection. */
  end(reason: 'slow' | 'closing'): void {
    if (this.#isOver) return;
    const { response, clock } = this.#options;
    this.#over(reason);
    response.end(COMMENTS[reason]);
    const cancel = clock.at(clock.nowMs() + LINGER_MS, () => response.destroy());
    response.on('close', cancel);
  }

  #over(reason: StreamEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(reason);
  }

  #write(text: string): void {
    if (this.#options.response.write(text)) return;
    this.#blockedSinceMs ??= this.#options.clock.nowMs();
  }
}

const COMMENTS = {
  slow: ': too slow: events have been missed; come back with Last-Event-ID\n\n',
  closing: ': the service stops; come back with Last-Event-ID\n\n',
} as const;

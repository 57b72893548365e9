import type { Finding } from '@earshot/media-session';

/** Words of the memory that a decode thread shares with the I/O thread. */
export const SIGNAL = {
  /** Counts wake-ups; the thread sleeps on it. */
  doorbell: 0,
  /** Time spent working, µs, wrapping at 2^32. */
  busyMicros: 1,
  /** Counts turns: stands still when the thread hangs. */
  turns: 2,
  /** The doorbell as the thread last saw it. */
  answered: 3,
} as const;

export const SIGNAL_WORDS = 4;

/** What a decode thread is born with. */
export interface ThreadSetup {
  readonly signals: SharedArrayBuffer;
  /** Most streams it will ever have at once. */
  readonly capacity: number;
}

/** I/O thread → decode thread. Taken between turns, in order. */
export type ThreadCommand =
  | {
      readonly kind: 'open';
      /** Names the stream between the two threads; never used twice. */
      readonly handle: number;
      readonly ring: SharedArrayBuffer;
      readonly counters: SharedArrayBuffer;
      /** What its frames carry; one of `CODEC`. */
      readonly codec: number;
      /** Tell of progress as it happens: its host waits for credit, not for the clock. */
      readonly eager: boolean;
    }
  | { readonly kind: 'stop' };

/** Decode thread → I/O thread. */
export type ThreadReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'findings';
      readonly items: readonly { readonly handle: number; readonly finding: Finding }[];
    }
  /** Eager streams moved on. */
  | { readonly kind: 'progress' };

import type { OtherToneKind } from '@earshot/listening';
import type { Finding, Listening } from '@earshot/media-session';
import type { OpusEngineName } from '@earshot/opus';
import type { SpeechModelName } from '@earshot/speech-model';

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
  /** Of `busyMicros`, the time spent in the codec's batches. */
  codecMicros: 4,
} as const;

export const SIGNAL_WORDS = 5;

/** What a decode thread is born with. */
export interface ThreadSetup {
  readonly signals: SharedArrayBuffer;
  /** Memory of its `ReadyStreams`. */
  readonly ready: SharedArrayBuffer;
  /** Memory of its `LatencyHistogram`. */
  readonly latencies: SharedArrayBuffer;
  /** Most streams it will ever have at once. */
  readonly capacity: number;
  readonly opusEngine: OpusEngineName;
  readonly speechModel: SpeechModelName;
}

/** Where a decode thread puts what is heard in a stream, for a recognizer thread. */
export interface PcmShare {
  /** Memory of a `PcmRing`. */
  readonly ring: SharedArrayBuffer;
  /** A word that wakes the recognizer thread. */
  readonly bell: SharedArrayBuffer;
}

/** I/O thread → decode thread. Taken between turns, in order. */
export type ThreadCommand =
  | {
      readonly kind: 'open';
      /** Names the stream between the two threads; never used twice. */
      readonly handle: number;
      /** Its bit in `ReadyStreams`, from 0 to below the capacity; free again once it is closed. */
      readonly index: number;
      readonly ring: SharedArrayBuffer;
      readonly counters: SharedArrayBuffer;
      /** What its frames carry; one of `CODEC`. */
      readonly codec: number;
      readonly listening: Listening;
      /** Told besides digits. */
      readonly tones: readonly OtherToneKind[];
      /** Tell of progress as it happens: its host waits for credit, not for the clock. */
      readonly eager: boolean;
      /** Absent: nobody wants the sound itself. */
      readonly pcm?: PcmShare | undefined;
    }
  /** What is heard in an open stream goes there from now on; undefined: nowhere. */
  | {
      readonly kind: 'listen';
      readonly handle: number;
      readonly index: number;
      readonly pcm: PcmShare | undefined;
    }
  /** From now on these are told besides digits. */
  | {
      readonly kind: 'tones';
      readonly handle: number;
      readonly index: number;
      readonly tones: readonly OtherToneKind[];
    }
  | { readonly kind: 'stop' };

/** Which codec a decode thread uses. */
export interface DecodeEngine {
  readonly name: OpusEngineName;
  /** What the codec calls itself, such as `libopus 1.5.2`. */
  readonly version: string;
}

/** Decode thread → I/O thread. */
export type ThreadReport =
  | { readonly kind: 'ready'; readonly engine: DecodeEngine }
  | {
      readonly kind: 'findings';
      readonly items: readonly { readonly handle: number; readonly finding: Finding }[];
    }
  /** A stream's pipeline threw; its finding `closed` follows. */
  | { readonly kind: 'streamFailed'; readonly handle: number; readonly error: string }
  /** Eager streams moved on. */
  | { readonly kind: 'progress' };

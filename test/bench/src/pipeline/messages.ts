// What the bench and its two processes tell each other over IPC.

/** Bench → worker process. */
export type WorkerCommand =
  | { readonly kind: 'start'; readonly redisUrl: string; readonly control: string }
  /** What is heard from now on counts. */
  | { readonly kind: 'begin' }
  /** Tells of what was heard since `begin`. */
  | { readonly kind: 'end' };

/** Worker process → bench. */
export type WorkerReport =
  | {
      readonly kind: 'ready';
      readonly workerId: string;
      readonly url: string;
      readonly mediaUrl: string;
      readonly engine: string;
    }
  | { readonly kind: 'begun' }
  | { readonly kind: 'window'; readonly window: WorkerWindow };

/** What a worker did in a stretch of time. */
export interface WorkerWindow {
  readonly tones: readonly HeardTone[];
  /** CPU time of the I/O thread, µs. */
  readonly ioCpuMicros: number;
  /** CPU time of all threads, µs. */
  readonly processCpuMicros: number;
  /** Of all frames, from their arrival on the I/O thread to what was found being out. */
  readonly arrivalToFoundP99Ms: number;
}

/** A tone as its finding came to the I/O thread. */
export interface HeardTone {
  /** Number of the stream; see `firstSequenceOf`. */
  readonly stream: number;
  readonly digit: string;
  /** On the media clock, which shows the monotonic clock of the machine. */
  readonly startMs: number;
  /** On the monotonic clock. */
  readonly heardAtMs: number;
}

/** Bench → load process. */
export type LoadCommand =
  | { readonly kind: 'start'; readonly track: readonly Uint8Array[] }
  | { readonly kind: 'link'; readonly link: LoadLink }
  | { readonly kind: 'tell' };

/** Load process → bench. */
export type LoadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'linked' }
  | { readonly kind: 'sent'; readonly links: readonly SentTicks[] };

/** A media link to open, with streams of consecutive numbers. */
export interface LoadLink {
  readonly mediaUrl: string;
  readonly token: string;
  readonly callId: string;
  readonly epoch: number;
  readonly firstStream: number;
  readonly streams: number;
  /** When within the 20 ms its frames are sent, ms. */
  readonly offsetMs: number;
}

/** When a link sent its frames, tick by tick. */
export interface SentTicks {
  readonly firstStream: number;
  readonly streams: number;
  /** Media time, and monotonic time, at which the first frame was due. */
  readonly startMs: number;
  /** By frame: when it was given to the socket, on the monotonic clock. */
  readonly sentAtMs: readonly number[];
  /** Messages that the socket did not take, as it held too much. */
  readonly refused: number;
}

const SEQUENCES_PER_STREAM = 1_000_000;

/** Streams begin at numbers of their own, so that a finding tells its stream without a name. */
export function firstSequenceOf(stream: number): number {
  return stream * SEQUENCES_PER_STREAM;
}

/** Inverse of `firstSequenceOf`. */
export function streamOf(firstSequence: number): number {
  return firstSequence / SEQUENCES_PER_STREAM;
}

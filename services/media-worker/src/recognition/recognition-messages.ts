import type { UtteranceResume, UtteranceStart } from '@earshot/media-session';
import type { RecognizerResult, RecognizerTask } from '@earshot/recognition';
import type { EngineSettings } from './engine-settings.js';

export type TaskKind = RecognizerTask['kind'];

/** What a stream is listened to for. Plain data. */
export interface ListenTask {
  readonly task: RecognizerTask;
  /** BCP 47. */
  readonly language: string;
  /** Recognizers by name, the first that works is used; null: those of the deployment. */
  readonly engines: readonly string[] | null;
  readonly endpointMs: number;
  readonly maxUtteranceMs: number;
}

/** How a task goes on where its listener begins within an utterance that is told of. Plain data. */
export interface TaskResume extends UtteranceResume {
  readonly task: TaskKind;
}

/** An utterance that a thread which is gone had found, or had told of. Plain data. */
export interface KnownUtterance extends Pick<UtteranceStart, 'startMs' | 'piece'> {
  readonly task: TaskKind;
  /** Partials that were told of it. */
  readonly partials: number;
  /** `failed`: it is told as skipped; `told`: nothing more is told of it. */
  readonly fate: 'retry' | 'failed' | 'told';
}

/** Sound that was lost within an utterance; media time, ms. */
export interface UtteranceGap {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Why there is no result of an utterance. */
export type SkipReason = 'overCapacity' | 'engineFailed';

/** How an utterance ended. */
export type UtteranceOutcome =
  | { readonly kind: 'recognized'; readonly finals: readonly RecognizerResult[] }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
  /** The stream goes on elsewhere, and is heard there from the utterance's begin. */
  | { readonly kind: 'left' };

/** What a recognizer thread is born with. */
export interface RecognizerThreadSetup {
  /** Counts wake-ups; the thread sleeps on it. */
  readonly bell: SharedArrayBuffer;
  /** Words of `VITAL`, by which others see whether it works, and at what. */
  readonly vitals: SharedArrayBuffer;
  /** Module that exports `createRecognizers`. */
  readonly module: string;
  /** Given to `createRecognizers`; plain data. */
  readonly engines: EngineSettings;
  readonly limits: RecognizerLimits;
}

/** Words of the memory that tells of a recognizer thread while it works. */
export const VITAL = {
  /** Counts turns: stands still when the thread hangs. */
  turns: 0,
  /** Handle of the stream that it works for, or `NO_STREAM`. */
  stream: 1,
} as const;

export const VITAL_WORDS = 2;

/** In `VITAL.stream`: what goes wrong now may be of any stream. */
export const NO_STREAM = -1;

export interface RecognizerLimits {
  /** Work that may wait, as the time that it takes; beyond it utterances are skipped. */
  readonly backlogMs: number;
  /** Sessions open at once. */
  readonly maxSessions: number;
}

/** I/O thread → recognizer thread. */
export type RecognizerCommand =
  | {
      readonly kind: 'listen';
      /** Names the stream between the two threads; never used twice. */
      readonly handle: number;
      readonly ring: SharedArrayBuffer;
      readonly tasks: readonly ListenTask[];
      /** The host's clock is not ours: nothing is ever too late. */
      readonly eager: boolean;
      readonly resumes: readonly TaskResume[];
      readonly known: readonly KnownUtterance[];
    }
  /** Nothing more is put into the ring. */
  | { readonly kind: 'finish'; readonly handle: number }
  /** The stream's host is there, and sends nothing of its source. */
  | { readonly kind: 'stalled'; readonly handle: number }
  | { readonly kind: 'stop' };

/** Recognizer thread → I/O thread. In order. */
export type RecognizerReport =
  | { readonly kind: 'ready' }
  | (OfUtterance & { readonly kind: 'began' })
  | (OfUtterance & {
      readonly kind: 'result';
      readonly result: RecognizerResult;
      /** Of a partial: 1, 2, 3, … */
      readonly revision: number;
      readonly gaps: readonly UtteranceGap[];
    })
  | (OfUtterance & {
      readonly kind: 'finished';
      /** Null when none was asked. */
      readonly engine: string | null;
      readonly endMs: number;
      readonly outcome: UtteranceOutcome;
      readonly gaps: readonly UtteranceGap[];
      /** Partials that were told of it. */
      readonly partials: number;
      readonly resume: UtteranceResume;
    })
  /** All utterances that begin before it have been told of to their end. */
  | { readonly kind: 'settled'; readonly handle: number; readonly beforeMs: number }
  | { readonly kind: 'closed'; readonly handle: number }
  /** Eager streams moved on. */
  | { readonly kind: 'progress' }
  | { readonly kind: 'load'; readonly load: RecognizerLoad };

interface OfUtterance {
  readonly handle: number;
  readonly task: TaskKind;
  readonly utterance: UtteranceStart;
}

/** What a recognizer thread has to do and has done; all but the first three only grow. */
export interface RecognizerLoad {
  /** Work that waits, as the time that it takes, ms. */
  readonly backlogMs: number;
  readonly sessions: number;
  readonly partialsOff: boolean;
  /** Times that partials were turned off for want of time. */
  readonly timesPartialsOff: number;
  readonly engines: readonly EngineLoad[];
  readonly switches: readonly SwitchCount[];
}

/** How often one recognizer of dictation gave way to another in a stream. */
export interface SwitchCount {
  readonly from: string;
  /** `none` when there was no other. */
  readonly to: string;
  /** Code of the fault; `preferred` when one that is wanted more works again. */
  readonly reason: string;
  readonly count: number;
}

export interface EngineLoad {
  readonly engine: string;
  readonly task: TaskKind;
  /** Sound that was recognized, and the time that it took, ms. */
  readonly audioMs: number;
  readonly busyMs: number;
  /** Sessions that failed, or that could not be opened. */
  readonly faults: number;
}

import type { Gap } from './gap-marks.js';
import type { TimedWord } from './word-places.js';

/** Who spoke. */
export interface Speaker {
  readonly id: string;
  readonly displayName?: string | undefined;
}

export interface TranscriptWord extends TimedWord {
  /** 0 to 1; null when the recognizer has none. */
  readonly confidence: number | null;
}

/** What somebody said without a long pause. Times are ms on the call's media clock. */
export interface Utterance {
  readonly id: string;
  /** Null when nobody knows who it was. */
  readonly participant: Speaker | null;
  /** The audio source in the meeting; null for mixed audio. */
  readonly sourceId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  /** Lost sound stands in it as `[lost 1.2 s]`; empty when it was skipped. */
  readonly text: string;
  /** Empty when the recognizer gives no word times. */
  readonly words: readonly TranscriptWord[];
  /** The recognizer; null when none understood it. */
  readonly engine: string | null;
  /** BCP 47; null as `engine`. */
  readonly language: string | null;
  /** 0 to 1; null when unknown. */
  readonly confidence: number | null;
  /** In order, without overlaps. */
  readonly gaps: readonly Gap[];
  /** Why there is no transcript of it, or none of its end; null when there is. */
  readonly skipped: string | null;
  /** The text may still change. */
  readonly isPartial: boolean;
}

/** Sound that was lost while nobody was understood. */
export interface LostSound extends Gap {
  readonly participant: Speaker | null;
  readonly sourceId: string | null;
}

/** Utterances that were not kept, because the call could not be recorded then. */
export interface NotRecorded {
  readonly utterances: number;
  /** Before this time on the call's media clock. */
  readonly beforeMs: number;
}

/** What was said in a call, in the order in which it began. */
export interface Transcript {
  readonly callId: string;
  readonly utterances: readonly Utterance[];
  readonly lost: readonly LostSound[];
  readonly notRecorded: readonly NotRecorded[];
}

import type { CallToneKind } from '@earshot/call-tones';
import type { Digit } from '@earshot/dtmf';
import type { StreamTotals } from './stream-counters.js';

/** Why frames are not there. */
export type GapCause = 'lost' | 'overflow' | 'discarded' | 'corrupt';

/** Frames known not to be heard. */
export interface GapFinding {
  readonly kind: 'gap';
  readonly cause: GapCause;
  readonly missingFrames: number;
  /** Of them, those that were filled in. */
  readonly concealedFrames: number;
  readonly startMs: number;
  readonly durationMs: number;
}

/** A keypad tone, reported when it ended. */
export interface ToneFinding {
  readonly kind: 'tone';
  readonly digit: Digit;
  readonly startMs: number;
  readonly durationMs: number;
  readonly levelDbfs: number;
  /** How much stronger the high tone was than the low one. */
  readonly twistDb: number;
  /** 0 to 1: how clear it was, as `DetectedTone` of `@earshot/dtmf` says. */
  readonly confidence: number;
  /** Part of it was lost, and it was bridged. */
  readonly acrossGap: boolean;
}

/** A tone that is no digit, reported once it is sure; see `CallTone` of `@earshot/call-tones`. */
export interface OtherToneFinding {
  readonly kind: 'otherTone';
  readonly tone: CallToneKind;
  readonly startMs: number;
  readonly durationMs: number;
  readonly levelDbfs: number;
  readonly confidence: number;
  /** Part of it was lost, and it was bridged. */
  readonly acrossGap: boolean;
}

export interface SpeechStartedFinding {
  readonly kind: 'speechStarted';
  readonly startMs: number;
}

export interface SpeechEndedFinding {
  readonly kind: 'speechEnded';
  readonly startMs: number;
  readonly endMs: number;
}

/** The last finding of a stream. */
export interface ClosedFinding {
  readonly kind: 'closed';
  /** End of the last frame; null when there was none. */
  readonly endMs: number | null;
  readonly totals: StreamTotals;
}

/**
 * What a pipeline has to say about its stream; plain data, fit for another thread. Times are
 * milliseconds on the call's media clock. The same frames give the same findings.
 */
export type Finding =
  | GapFinding
  | ToneFinding
  | OtherToneFinding
  | SpeechStartedFinding
  | SpeechEndedFinding
  | ClosedFinding;

/** Takes findings, in order; must not throw. */
export type FindingSink = (finding: Finding) => void;

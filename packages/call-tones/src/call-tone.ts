/** Kinds of tones, wherever they are named; their places are kept in checkpoints. */
export const CALL_TONE_KINDS = [
  'beep',
  'faxCng',
  'faxCed',
  'ringback',
  'busy',
  'reorder',
  'dial',
  'sit',
] as const;

/** One of `CALL_TONE_KINDS`. */
export type CallToneKind = (typeof CALL_TONE_KINDS)[number];

/** A tone that was heard, from where it began to where it ended on the media clock. */
export interface CallTone {
  readonly kind: CallToneKind;
  readonly startMs: number;
  /** What was heard of it when it was told; of cadences two periods, with the pause between. */
  readonly durationMs: number;
  /** Root-mean-square level; 0 is a square wave at full scale. */
  readonly levelDbfs: number;
  /** 0 to 1. */
  readonly confidence: number;
  /** It was heard on both sides of a gap: what lies between is assumed. */
  readonly acrossGap: boolean;
}

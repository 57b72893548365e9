export type { Cue } from './cues.js';
export { cuesOf } from './cues.js';
export type { Gap, TextWithGaps } from './gap-marks.js';
export { GAP_MARK, gapMark, MIN_MARKED_MS, markGaps, mergeGaps } from './gap-marks.js';
export type {
  LostSound,
  NotRecorded,
  Speaker,
  Transcript,
  TranscriptWord,
  Utterance,
} from './transcript.js';
export { assembleTranscripts, TranscriptAssembler } from './transcript-assembler.js';
export type {
  FinalEvent,
  GapEvent,
  NotRecordedEvent,
  PartialEvent,
  ParticipantEvent,
  SkippedEvent,
  SkippedUtterance,
  TranscriptEvent,
  UtteranceText,
} from './transcript-event.js';
export { isTranscriptEvent } from './transcript-event.js';
export type { TimedWord } from './word-places.js';

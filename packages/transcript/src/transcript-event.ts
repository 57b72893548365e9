import type { Gap } from './gap-marks.js';
import type { Speaker, TranscriptWord } from './transcript.js';

/** What all events have that transcripts are made of; those of @earshot/events fit. */
interface Envelope {
  /** The same for the same fact, however often it is told. */
  readonly id: string;
  readonly callId: string;
  /** A higher one supersedes a lower one. */
  readonly epoch: number;
  readonly wallclock: string;
  readonly participant: Speaker | null;
  readonly sourceId: string | null;
}

/** Text of one utterance, as it is told. */
export interface UtteranceText {
  readonly utteranceId: string;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly TranscriptWord[];
  readonly gaps: readonly Gap[];
  readonly confidence: number | null;
  readonly engine: string;
  readonly language: string;
}

/** An utterance without text, or one in which no phrases were listened for. */
export interface SkippedUtterance {
  readonly utteranceId: string;
  readonly task: 'dictation' | 'phrases';
  readonly startMs: number;
  readonly endMs: number;
  readonly reason: string;
}

export type FinalEvent = Envelope & {
  readonly type: 'transcript.final';
  readonly data: UtteranceText;
};
export type PartialEvent = Envelope & {
  readonly type: 'transcript.partial';
  readonly data: UtteranceText & { readonly revision: number };
};
export type SkippedEvent = Envelope & {
  readonly type: 'transcript.skipped';
  readonly data: SkippedUtterance;
};
export type GapEvent = Envelope & { readonly type: 'media.gap'; readonly data: Gap };
/** Tells a name. */
export type ParticipantEvent = Envelope & {
  readonly type: 'participant.joined' | 'participant.updated' | 'participant.left';
};
/** Not of the queue: noted by who keeps transcripts. */
export type NotRecordedEvent = Envelope & {
  readonly type: 'transcript.notRecorded';
  readonly data: { readonly utterances: number; readonly beforeMs: number };
};

/** What transcripts are made of. */
export type TranscriptEvent =
  | FinalEvent
  | PartialEvent
  | SkippedEvent
  | GapEvent
  | ParticipantEvent
  | NotRecordedEvent;

const TYPES: ReadonlySet<string> = new Set<TranscriptEvent['type']>([
  'transcript.final',
  'transcript.partial',
  'transcript.skipped',
  'media.gap',
  'participant.joined',
  'participant.updated',
  'participant.left',
  'transcript.notRecorded',
]);

/** Whether an event says something for a transcript. */
export function isTranscriptEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { readonly type: TranscriptEvent['type'] }> {
  return TYPES.has(event.type);
}

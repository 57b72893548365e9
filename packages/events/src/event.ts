import type { CallToneKind } from '@earshot/call-tones';
import type { Digit } from '@earshot/dtmf';

export type { Digit } from '@earshot/dtmf';

/** What a type of event says beside its envelope. Times are ms on the call's media clock. */
export interface EventData {
  'call.stateChanged': { readonly from: string; readonly to: string };
  'call.ended': {
    /** Graph's result code and subcode, when Teams gave them. */
    readonly resultCode?: number | undefined;
    readonly resultSubcode?: number | undefined;
    /** One sentence or a code; no personal data. */
    readonly reason: string;
    readonly retryClass: 'normal' | 'never' | 'onceOnAnotherHost' | 'backOff' | 'stopForMonth';
    /** A code, such as `ended_by_teams` or `hung_up`; absent in events of older versions. */
    readonly cause?: string | undefined;
    /** What people ask for, such as `removed`, `not_admitted`, `everyone_left`; absent as `cause`. */
    readonly kind?: string | undefined;
    /** The rule that made the bot leave, when `cause` is `auto_left`. */
    readonly rule?: string | undefined;
  };
  /** Something asked of Teams through the API, such as a mute, was carried out or has failed. */
  'call.operation': {
    readonly operationId: string;
    /** What was asked, such as `mute` or `inviteParticipants`; more may come. */
    readonly kind: string;
    readonly status: 'completed' | 'failed';
    /** Graph's result code and subcode, when Teams gave them. */
    readonly resultCode?: number | undefined;
    readonly resultSubcode?: number | undefined;
  };
  /** The bot waits in the lobby, or was let in from there. */
  'call.lobby': { readonly state: 'waiting' | 'admitted' };
  /** Somebody calls the bot, or a recording policy invites it. Whether it answers, later events tell. */
  'call.incoming': { readonly scenario: 'policyRecording' | 'group' | 'user' };
  /** Whether the call may be recorded has changed. */
  'recording.gateChanged': {
    readonly state: 'open' | 'closed';
    /** What it is open on: Graph's yes, or an operator's declaration. */
    readonly basis: 'graph' | 'declaration' | null;
    /** A code, such as `recording`, `declared`, `notRecording`, `withdrawn`, `callEnded`. */
    readonly reason: string;
  };
  /** Graph was told whether the call is recorded. */
  'recording.statusChanged': {
    readonly status: 'recording' | 'notRecording' | 'failed';
    /** False when Graph refused. */
    readonly accepted: boolean;
  };
  /**
   * Another attempt at the call has begun, on another media host: whoever was in the call has left
   * it, and joins again as the new roster tells.
   */
  'call.rejoined': {
    /** 2 for the first one after the call's own. */
    readonly attempt: number;
    readonly hostId: string;
    /** How the attempt before ended: a code, a sentence and Graph's result as in `call.ended`. */
    readonly cause: string;
    readonly reason: string;
    readonly retryClass: EventData['call.ended']['retryClass'];
    readonly resultCode?: number | undefined;
    readonly resultSubcode?: number | undefined;
  };
  'participant.joined': ParticipantData;
  'participant.updated': ParticipantData;
  'participant.left': ParticipantData & {
    /** Why, in Graph's words, when it told. */
    readonly reason?: string | undefined;
  };
  'media.started': { readonly streams?: number | undefined };
  'media.streamOpened': {
    readonly streamId: number;
    readonly kind: 'mixed' | 'unmixed';
    readonly codec: 'opus' | 'pcm16';
  };
  'media.streamClosed': { readonly streamId: number } & FrameCounts;
  'media.gap': {
    readonly streamId: number;
    readonly missingFrames: number;
    readonly concealedFrames: number;
    readonly startMs: number;
    readonly durationMs: number;
    readonly cause: 'lost' | 'overflow' | 'discarded' | 'corrupt';
  };
  'media.stopped': {
    readonly streams: number;
    readonly gaps: number;
    readonly reason: string;
  } & FrameCounts;
  /** Nothing was heard for long though somebody is not muted: the audio's way here is broken. */
  'media.deaf': {
    /** No media link, no frames, or frames whose samples are all zero. */
    readonly reason: 'noLink' | 'noFrames' | 'digitalSilence';
    readonly quietMs: number;
    readonly unmutedParticipants: number;
  };
  /** Sound came again after `media.deaf`; the time is from the last sound to this one. */
  'media.recovered': { readonly deafMs: number };
  'tone.detected': {
    readonly kind: ToneKind;
    /** Of `dtmf`; null for all other kinds. */
    readonly digit: Digit | null;
    readonly startMs: number;
    /** 0 when it was not heard but reported, without a length. */
    readonly durationMs: number;
    /** Null when it was not heard but reported. */
    readonly levelDbfs: number | null;
    /** How much louder the high tone of a digit was; null when unknown, and for other kinds. */
    readonly twistDb: number | null;
    /** 0 to 1; null when it was not heard but reported. */
    readonly confidence: number | null;
    /** Heard in the audio, reported by the media host, or notified by Graph. */
    readonly origin: 'inBand' | 'host' | 'graph';
    /** True when part of the tone fell into a gap, so that its duration is an estimate. */
    readonly acrossGap: boolean;
  };
  /** Keys of one source, put together as the call's settings say. */
  'tone.collected': {
    /** In order, without the terminator; may be empty. */
    readonly digits: string;
    /** What ended the collection; `ended`: the source or the call was over. */
    readonly reason: 'length' | 'terminator' | 'interDigitTimeout' | 'firstDigitTimeout' | 'ended';
    /** Begin of the first key; null when there was none. */
    readonly startMs: number | null;
    readonly endMs: number;
  };
  'speech.started': { readonly startMs: number };
  'speech.ended': {
    readonly startMs: number;
    readonly endMs: number;
    readonly durationMs: number;
  };
  /** Who mostly speaks has changed; envelope and source are the new one's, empty for nobody. */
  'speaker.dominant': {
    readonly sinceMs: number;
    readonly previousSourceId: string | null;
    /** Worked out from what was heard, or told by the media host. */
    readonly origin: 'heard' | 'host';
  };
  /** Who spoke for how long in the call; told when its media end, not when another worker goes on. */
  'talk.summary': {
    readonly startMs: number;
    readonly endMs: number;
    /** Somebody spoke. */
    readonly talkMs: number;
    /** Two or more spoke at once. */
    readonly overlapMs: number;
    readonly speakers: readonly TalkTime[];
  };
  /** A phrase that was listened for was spoken. */
  'phrase.recognized': {
    readonly phrase: string;
    readonly startMs: number;
    readonly endMs: number;
    /** 0 to 1. */
    readonly confidence: number;
    readonly engine: string;
    readonly language: string;
  };
  /** What was understood so far of an utterance that goes on; the next one, or the final, replaces it. */
  'transcript.partial': TranscriptData & {
    /** 1, 2, 3, … within the utterance. */
    readonly revision: number;
  };
  'transcript.final': TranscriptData;
  /** An utterance that no recognizer heard. */
  'transcript.skipped': {
    readonly utteranceId: string;
    /** What is missing: the transcript of it, or the phrases that may have been spoken in it. */
    readonly task: 'dictation' | 'phrases';
    readonly startMs: number;
    readonly endMs: number;
    readonly reason: 'overCapacity' | 'engineFailed';
    readonly engine: string | null;
  };
  /** The first of an audio was heard in the meeting. */
  'play.started': { readonly playId: string; readonly durationMs: number };
  'play.ended': {
    readonly playId: string;
    readonly outcome: 'played' | 'cleared' | 'failed';
    /** A code, when it failed. */
    readonly reason?: string | undefined;
    /** How much of it was heard. */
    readonly playedMs: number;
  };
}

/** What sounded: a key, or a tone of answering machines, fax machines and exchanges. */
export type ToneKind = 'dtmf' | CallToneKind;

/** How long a source was heard to speak. */
export interface TalkTime {
  readonly sourceId: string | null;
  /** As known when the summary was made. */
  readonly participantId: string | null;
  readonly talkMs: number;
  readonly talkspurts: number;
  /** Of `talkMs`, while somebody else spoke too. */
  readonly overlapMs: number;
}

/** Text of one utterance. */
export interface TranscriptData {
  /** The same for all partials and the final of an utterance. */
  readonly utteranceId: string;
  /** Sound that was lost stands in it as `[lost 1.2 s]`. */
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Empty when the recognizer gives no word times. */
  readonly words: readonly {
    readonly text: string;
    readonly startMs: number;
    readonly endMs: number;
    /** 0 to 1; null when the recognizer has none. */
    readonly confidence: number | null;
  }[];
  /** Sound that was lost within the utterance. */
  readonly gaps: readonly { readonly startMs: number; readonly durationMs: number }[];
  /** 0 to 1; null when the recognizer has none. */
  readonly confidence: number | null;
  /** The recognizer that understood it. */
  readonly engine: string;
  /** BCP 47. */
  readonly language: string;
}

export interface ParticipantData {
  readonly isMuted: boolean;
  readonly isInLobby: boolean;
  /** Such as `user`, `guest`, `phone`, `application`; more may come. */
  readonly kind: string;
}

/** Frames of 20 ms. */
export interface FrameCounts {
  readonly framesReceived: number;
  readonly framesDecoded: number;
  readonly framesConcealed: number;
  readonly framesMissing: number;
  readonly framesCorrupt: number;
  readonly framesDropped: number;
}

export type EventType = keyof EventData;

/** Types of events that hold what people said or which keys they pressed. */
export const CONTENT_TYPES: ReadonlySet<string> = new Set<EventType>([
  'tone.detected',
  'tone.collected',
  'phrase.recognized',
  'transcript.partial',
  'transcript.final',
]);

/** An event of one type. */
export interface EventOf<Type extends EventType> {
  readonly version: 1;
  /** The same for the same fact, however often it is told: drop what you have seen. */
  readonly id: string;
  readonly type: Type;
  readonly callId: string;
  /** Fencing number of the call's ownership at that time. */
  readonly epoch: number;
  readonly source: 'signaling' | 'media';
  /** Order within the call, source and epoch: 0, 1, 2, …; a hole is an event that was lost. */
  readonly position: number;
  /** When it was found, ms on the call's media clock; null when it has no place there. */
  readonly mediaTimeMs: number | null;
  /** When it was found, ISO 8601 in UTC. */
  readonly wallclock: string;
  readonly participant: {
    readonly id: string;
    readonly displayName?: string | undefined;
  } | null;
  /** The audio source's id in the meeting; null for what is no source's. */
  readonly sourceId: string | null;
  /** W3C Trace Context of what it comes from, while traces are kept. */
  readonly traceparent?: string | undefined;
  readonly data: EventData[Type];
}

/** Any event; tell them apart by `type`. */
export type EarshotEvent = { [Type in EventType]: EventOf<Type> }[EventType];

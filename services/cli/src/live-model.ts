import type { EarshotEvent } from '@earshot/events';
import type { Levels } from './levels-feed.js';

/** A stretch of speech on the media clock; still going on while `endMs` is undefined. */
export interface Talkspurt {
  readonly startMs: number;
  endMs: number | undefined;
}

export interface TimedDigit {
  readonly digit: string;
  readonly startMs: number;
  readonly durationMs: number;
}

export interface TimedPhrase {
  readonly phrase: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface TimedGap {
  readonly startMs: number;
  readonly durationMs: number;
  readonly frames: number;
}

/** What the screen knows of one participant. */
export interface ParticipantView {
  readonly id: string;
  name: string;
  kind: string;
  present: boolean;
  isMuted: boolean;
  isInLobby: boolean;
  levelDbfs: number;
  readonly talkspurts: Talkspurt[];
  readonly digits: TimedDigit[];
  readonly phrases: TimedPhrase[];
  readonly gaps: TimedGap[];
}

/** Totals that the media worker reports when a call's media stops. */
export interface MediaTotals {
  readonly framesReceived: number;
  readonly framesDecoded: number;
  readonly framesConcealed: number;
  readonly framesMissing: number;
  readonly gaps: number;
}

const SILENT_DBFS = -127;

/**
 * One call, as its events tell it. Pure: fed with events in their order and with momentary
 * levels, read by the screen and by the summary.
 */
export class LiveModel {
  readonly callId: string;
  readonly states: string[] = ['establishing'];
  readonly participants: Map<string, ParticipantView> = new Map();
  readonly #idOfSource = new Map<string, string>();
  mediaTimeMs = 0;
  eventsConsumed = 0;
  eventsPublished = 0;
  totals: MediaTotals | undefined;
  endReason: string | undefined;

  constructor(callId: string) {
    this.callId = callId;
  }

  /** The call is over and its media's totals are known. */
  get finished(): boolean {
    return this.endReason !== undefined && (this.totals !== undefined || !this.#mediaStarted);
  }

  #mediaStarted = false;

  get missingFrames(): number {
    return this.#sum((p) => p.gaps.reduce((sum, gap) => sum + gap.frames, 0));
  }

  get gapCount(): number {
    return this.#sum((p) => p.gaps.length);
  }

  get speechSegments(): number {
    return this.#sum((p) => p.talkspurts.filter((t) => t.endMs !== undefined).length);
  }

  apply(event: EarshotEvent): void {
    if (event.callId !== this.callId) return;
    this.eventsConsumed += 1;
    if (event.mediaTimeMs !== null) {
      this.mediaTimeMs = Math.max(this.mediaTimeMs, event.mediaTimeMs);
    }
    switch (event.type) {
      case 'call.stateChanged':
        if (this.states.at(-1) !== event.data.to) this.states.push(event.data.to);
        return;
      case 'call.ended':
        this.endReason = event.data.reason;
        return;
      case 'media.started':
        this.#mediaStarted = true;
        return;
      case 'media.stopped':
        this.totals = event.data;
        return;
      case 'media.streamClosed':
        this.#silence(event);
        return;
      case 'media.streamOpened':
        return;
      default:
        this.#applyToParticipant(event);
    }
  }

  applyLevels(levels: Levels): void {
    if (levels.callId !== this.callId) return;
    for (const stream of levels.streams) {
      const id = stream.sourceId == null ? undefined : this.#idOfSource.get(stream.sourceId);
      const participant = id === undefined ? undefined : this.participants.get(id);
      if (participant !== undefined) participant.levelDbfs = stream.levelDbfs;
    }
  }

  #applyToParticipant(event: EarshotEvent): void {
    const participant = this.#participantOf(event);
    if (participant === undefined) return;
    switch (event.type) {
      case 'participant.joined':
      case 'participant.updated':
        participant.present = true;
        participant.kind = event.data.kind;
        participant.isMuted = event.data.isMuted;
        participant.isInLobby = event.data.isInLobby;
        return;
      case 'participant.left':
        participant.present = false;
        participant.levelDbfs = SILENT_DBFS;
        return;
      case 'speech.started':
        participant.talkspurts.push({ startMs: event.data.startMs, endMs: undefined });
        return;
      case 'speech.ended':
        this.#endTalkspurt(participant, event.data.startMs, event.data.endMs);
        return;
      case 'tone.detected':
        if (event.data.digit !== null) {
          participant.digits.push({ ...event.data, digit: event.data.digit });
        }
        return;
      case 'phrase.recognized':
        participant.phrases.push(event.data);
        return;
      case 'media.gap':
        participant.gaps.push({ ...event.data, frames: event.data.missingFrames });
        return;
      default:
        return;
    }
  }

  #endTalkspurt(participant: ParticipantView, startMs: number, endMs: number): void {
    const open = participant.talkspurts.findLast((t) => t.endMs === undefined);
    if (open === undefined) participant.talkspurts.push({ startMs, endMs });
    else open.endMs = endMs;
  }

  #silence(event: EarshotEvent): void {
    const participant = this.#participantOf(event);
    if (participant !== undefined) participant.levelDbfs = SILENT_DBFS;
  }

  /** Whose event it is; a source that nobody is known for yet has a row of its own. */
  #participantOf(event: EarshotEvent): ParticipantView | undefined {
    const { participant, sourceId } = event;
    if (participant === null) {
      if (sourceId === null) return undefined;
      const id = this.#idOfSource.get(sourceId) ?? unknownId(sourceId);
      return this.participants.get(id) ?? this.#add(id, `source ${sourceId}`);
    }
    const view = this.participants.get(participant.id) ?? this.#add(participant.id, participant.id);
    view.name = participant.displayName ?? view.name;
    if (sourceId !== null) this.#attribute(sourceId, view);
    return view;
  }

  /** From now on the source is known: what was heard from it before is its participant's. */
  #attribute(sourceId: string, participant: ParticipantView): void {
    this.#idOfSource.set(sourceId, participant.id);
    const unknown = this.participants.get(unknownId(sourceId));
    if (unknown === undefined) return;
    participant.talkspurts.unshift(...unknown.talkspurts);
    participant.digits.unshift(...unknown.digits);
    participant.phrases.unshift(...unknown.phrases);
    participant.gaps.unshift(...unknown.gaps);
    this.participants.delete(unknown.id);
  }

  #add(id: string, name: string): ParticipantView {
    const created: ParticipantView = {
      id,
      name,
      kind: 'unknown',
      present: true,
      isMuted: false,
      isInLobby: false,
      levelDbfs: SILENT_DBFS,
      talkspurts: [],
      digits: [],
      phrases: [],
      gaps: [],
    };
    this.participants.set(id, created);
    return created;
  }

  #sum(of: (participant: ParticipantView) => number): number {
    let sum = 0;
    for (const participant of this.participants.values()) sum += of(participant);
    return sum;
  }
}

function unknownId(sourceId: string): string {
  return `source ${sourceId}`;
}

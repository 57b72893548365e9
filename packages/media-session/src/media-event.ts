import type { CallToneKind } from '@earshot/call-tones';
import type { Digit } from '@earshot/dtmf';
import type {
  ClosedFinding,
  Finding,
  GapFinding,
  OtherToneFinding,
  ToneFinding,
} from './finding.js';
import type { StreamTotals } from './stream-counters.js';

/** What is known of a stream, beside its findings, to tell about it. */
export interface StreamIdentity {
  readonly callId: string;
  /** The host's media session: a call that is joined again has another, whose time begins anew. */
  readonly mediaId: string;
  /** Fencing number of the attachment. */
  readonly epoch: number;
  readonly streamId: number;
  /** How many streams were opened before this one in the attachment. */
  readonly ordinal: number;
  readonly kind: 'mixed' | 'unmixed';
  /** The speaker's source; null for a mix. */
  readonly sourceId: string | null;
  readonly codec: 'opus' | 'pcm16';
}

/** Frame counts as events carry them. */
export interface FrameTotals {
  readonly framesReceived: number;
  readonly framesDecoded: number;
  readonly framesConcealed: number;
  readonly framesMissing: number;
  readonly framesCorrupt: number;
  readonly framesDropped: number;
}

interface Draft<Type extends string, Data> {
  /** Deterministic: the same media give the same id again. */
  readonly id: string;
  readonly type: Type;
  /** When it was found, on the call's media clock; null when it has no place there. */
  readonly mediaTimeMs: number | null;
  readonly sourceId: string | null;
  readonly data: Data;
}

/** An event but for what only its publisher knows: position, participant and wall clock. */
export type MediaEventDraft =
  | Draft<'media.started', Record<string, never>>
  | Draft<
      'media.streamOpened',
      { streamId: number; kind: 'mixed' | 'unmixed'; codec: 'opus' | 'pcm16' }
    >
  | Draft<'media.streamClosed', FrameTotals & { streamId: number }>
  | Draft<
      'media.gap',
      {
        streamId: number;
        missingFrames: number;
        concealedFrames: number;
        startMs: number;
        durationMs: number;
        cause: GapFinding['cause'];
      }
    >
  | Draft<
      'media.deaf',
      {
        reason: 'noLink' | 'noFrames' | 'digitalSilence';
        quietMs: number;
        unmutedParticipants: number;
      }
    >
  | Draft<'media.recovered', { deafMs: number }>
  | Draft<'media.stopped', FrameTotals & { streams: number; gaps: number; reason: string }>
  | Draft<
      'tone.detected',
      {
        kind: 'dtmf' | CallToneKind;
        /** Null for all kinds but `dtmf`. */
        digit: Digit | null;
        startMs: number;
        durationMs: number;
        /** Null when it was reported to us, not heard. */
        levelDbfs: number | null;
        twistDb: number | null;
        confidence: number | null;
        origin: 'inBand' | 'host';
        acrossGap: boolean;
      }
    >
  | Draft<'speech.started', { startMs: number }>
  | Draft<'speech.ended', { startMs: number; endMs: number; durationMs: number }>;

/** A stream began to be heard. */
export function streamOpenedEvent(stream: StreamIdentity): MediaEventDraft {
  const { streamId, kind, codec } = stream;
  return {
    id: attachmentId(stream, `streamOpened.${stream.ordinal}`),
    type: 'media.streamOpened',
    mediaTimeMs: null,
    sourceId: stream.sourceId,
    data: { streamId, kind, codec },
  };
}

/** The event that tells of a finding. Pure; the same finding gives the same event. */
export function findingEvent(stream: StreamIdentity, finding: Finding): MediaEventDraft {
  switch (finding.kind) {
    case 'gap':
      return gapEvent(stream, finding);
    case 'tone':
      return toneEvent(stream, finding);
    case 'otherTone':
      return otherToneEvent(stream, finding);
    case 'speechStarted':
      return {
        id: heardId(stream, 'speechStarted', finding.startMs),
        type: 'speech.started',
        mediaTimeMs: roundTenth(finding.startMs),
        sourceId: stream.sourceId,
        data: { startMs: roundTenth(finding.startMs) },
      };
    case 'speechEnded':
      return {
        id: heardId(stream, 'speechEnded', finding.startMs),
        type: 'speech.ended',
        mediaTimeMs: roundTenth(finding.endMs),
        sourceId: stream.sourceId,
        data: spanOf(finding.startMs, finding.endMs),
      };
    case 'closed':
      return closedEvent(stream, finding);
  }
}

/** The media of an attachment began. */
export function mediaStartedEvent(callId: string, epoch: number): MediaEventDraft {
  return {
    id: attachmentId({ callId, epoch }, 'started'),
    type: 'media.started',
    mediaTimeMs: null,
    sourceId: null,
    data: {},
  };
}

export interface MediaStoppedOptions {
  readonly callId: string;
  readonly epoch: number;
  readonly streams: number;
  readonly totals: StreamTotals;
  readonly reason: string;
  readonly endMs: number | null;
}

/** The media of an attachment are over. */
export function mediaStoppedEvent(options: MediaStoppedOptions): MediaEventDraft {
  const { streams, totals, reason, endMs } = options;
  return {
    id: attachmentId(options, 'stopped'),
    type: 'media.stopped',
    mediaTimeMs: endMs === null ? null : roundTenth(endMs),
    sourceId: null,
    data: { streams, ...frameTotals(totals), gaps: totals.gaps, reason },
  };
}

/** Where in a call something happened that is not on its media clock. */
export interface EpisodeOptions {
  readonly callId: string;
  readonly epoch: number;
  /** How many such episodes the attachment had before. */
  readonly ordinal: number;
}

/** Nothing was heard for long though somebody could speak. */
export function deafEvent(
  episode: EpisodeOptions,
  data: Extract<MediaEventDraft, { type: 'media.deaf' }>['data'],
): MediaEventDraft {
  return {
    id: attachmentId(episode, `deaf.${episode.ordinal}`),
    type: 'media.deaf',
    mediaTimeMs: null,
    sourceId: null,
    data,
  };
}

/** Sound came again. */
export function recoveredEvent(episode: EpisodeOptions, deafMs: number): MediaEventDraft {
  return {
    id: attachmentId(episode, `recovered.${episode.ordinal}`),
    type: 'media.recovered',
    mediaTimeMs: null,
    sourceId: null,
    data: { deafMs },
  };
}

export interface HostTone {
  readonly callId: string;
  readonly mediaId: string;
  readonly sourceId: string | null;
  readonly digit: Digit;
  readonly startMs: number;
  /** Among the tones that the host reports to begin in the same ms, from 0; see `ToneFolder.ordinalOf`. */
  readonly ordinal: number;
}

/** A tone that the media host was told of by the platform; its length and level are unknown. */
export function hostToneEvent(tone: HostTone): Extract<MediaEventDraft, { type: 'tone.detected' }> {
  const { callId, mediaId, sourceId, digit, startMs, ordinal } = tone;
  // Ids stand in logs: no digit is in them.
  const at = `${sourceId ?? 'call'}.${Math.round(startMs)}.${ordinal}`;
  return {
    id: `${callId}.${mediaId}.hostTone.${at}`,
    type: 'tone.detected',
    mediaTimeMs: roundTenth(startMs),
    sourceId,
    data: {
      kind: 'dtmf',
      digit,
      startMs: roundTenth(startMs),
      durationMs: 0,
      levelDbfs: null,
      twistDb: null,
      confidence: null,
      origin: 'host',
      acrossGap: false,
    },
  };
}

/** Sums up the streams of an attachment. */
export function sumTotals(totals: readonly StreamTotals[]): StreamTotals {
  const sum = (of: (t: StreamTotals) => number): number => totals.reduce((n, t) => n + of(t), 0);
  return {
    framesReceived: sum((t) => t.framesReceived),
    framesDecoded: sum((t) => t.framesDecoded),
    framesSilent: sum((t) => t.framesSilent),
    framesConcealed: sum((t) => t.framesConcealed),
    framesRecovered: sum((t) => t.framesRecovered),
    framesMissing: sum((t) => t.framesMissing),
    framesCorrupt: sum((t) => t.framesCorrupt),
    framesDropped: sum((t) => t.framesDropped),
    framesDuplicate: sum((t) => t.framesDuplicate),
    framesUnheard: sum((t) => t.framesUnheard),
    gaps: sum((t) => t.gaps),
  };
}

function gapEvent(stream: StreamIdentity, gap: GapFinding): MediaEventDraft {
  return {
    id: heardId(stream, `gap.${gap.cause}`, gap.startMs),
    type: 'media.gap',
    mediaTimeMs: roundTenth(gap.startMs + gap.durationMs),
    sourceId: stream.sourceId,
    data: {
      streamId: stream.streamId,
      missingFrames: gap.missingFrames,
      concealedFrames: gap.concealedFrames,
      startMs: roundTenth(gap.startMs),
      durationMs: gap.durationMs,
      cause: gap.cause,
    },
  };
}

function toneEvent(stream: StreamIdentity, tone: ToneFinding): MediaEventDraft {
  return {
    id: heardId(stream, 'tone', tone.startMs),
    type: 'tone.detected',
    mediaTimeMs: roundTenth(tone.startMs + tone.durationMs),
    sourceId: stream.sourceId,
    data: {
      kind: 'dtmf',
      digit: tone.digit,
      startMs: roundTenth(tone.startMs),
      durationMs: roundTenth(tone.durationMs),
      levelDbfs: roundTenth(tone.levelDbfs),
      twistDb: roundTenth(tone.twistDb),
      confidence: roundHundredth(tone.confidence),
      origin: 'inBand',
      acrossGap: tone.acrossGap,
    },
  };
}

function otherToneEvent(stream: StreamIdentity, found: OtherToneFinding): MediaEventDraft {
  return {
    id: heardId(stream, `tone.${found.tone}`, found.startMs),
    type: 'tone.detected',
    mediaTimeMs: roundTenth(found.startMs + found.durationMs),
    sourceId: stream.sourceId,
    data: {
      kind: found.tone,
      digit: null,
      startMs: roundTenth(found.startMs),
      durationMs: roundTenth(found.durationMs),
      levelDbfs: roundTenth(found.levelDbfs),
      twistDb: null,
      confidence: roundHundredth(found.confidence),
      origin: 'inBand',
      acrossGap: found.acrossGap,
    },
  };
}

function closedEvent(stream: StreamIdentity, closed: ClosedFinding): MediaEventDraft {
  return {
    id: attachmentId(stream, `streamClosed.${stream.ordinal}`),
    type: 'media.streamClosed',
    mediaTimeMs: closed.endMs === null ? null : roundTenth(closed.endMs),
    sourceId: stream.sourceId,
    data: { streamId: stream.streamId, ...frameTotals(closed.totals) },
  };
}

/** What was heard keeps its id whoever hears it: named by media session, source and media time. */
function heardId(stream: StreamIdentity, what: string, startMs: number): string {
  const source = stream.sourceId ?? `${stream.kind}${stream.streamId}`;
  return `${stream.callId}.${stream.mediaId}.${what}.${source}.${Math.round(startMs)}`;
}

/** What belongs to one attachment happens anew in the next: named by its epoch. */
function attachmentId({ callId, epoch }: { callId: string; epoch: number }, what: string): string {
  return `${callId}.media.${epoch}.${what}`;
}

function frameTotals(totals: StreamTotals): FrameTotals {
  return {
    framesReceived: totals.framesReceived,
    framesDecoded: totals.framesDecoded,
    framesConcealed: totals.framesConcealed,
    framesMissing: totals.framesMissing,
    framesCorrupt: totals.framesCorrupt,
    framesDropped: totals.framesDropped,
  };
}

function spanOf(
  startMs: number,
  endMs: number,
): { startMs: number; endMs: number; durationMs: number } {
  return {
    startMs: roundTenth(startMs),
    endMs: roundTenth(endMs),
    durationMs: roundTenth(endMs - startMs),
  };
}

/** To a tenth: capture times are finer than anything heard in them. */
function roundTenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function roundHundredth(value: number): number {
  return Math.round(value * 100) / 100;
}

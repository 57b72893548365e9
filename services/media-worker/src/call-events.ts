import type { Collection } from '@earshot/dtmf';
import type { EventOf, EventType, TalkTime } from '@earshot/events';
import type { DominantChange, TalkTotals } from '@earshot/media-session';

type Draft<Type extends EventType> = Pick<
  EventOf<Type>,
  'id' | 'type' | 'mediaTimeMs' | 'sourceId' | 'data'
>;

/** An event of what all of a call's streams amount to, but for what only its publisher knows. */
export type CallEventDraft =
  | Draft<'tone.collected'>
  | Draft<'speaker.dominant'>
  | Draft<'talk.summary'>;

/** A source of a call, within one media session of its host. */
export interface CallSource {
  readonly callId: string;
  readonly mediaId: string;
  /** Null for what is no known source's. */
  readonly sourceId: string | null;
}

/** Keys of a source were put together. The same keys give the same id. */
export function collectedEvent(source: CallSource, collection: Collection): CallEventDraft {
  const { digits, reason, sinceMs, startMs, endMs } = collection;
  const what = startMs === null ? 'notCollected' : 'collected';
  return {
    id: `${source.callId}.${source.mediaId}.${what}.${source.sourceId ?? 'call'}.${Math.round(startMs ?? sinceMs)}`,
    type: 'tone.collected',
    mediaTimeMs: roundTenth(endMs),
    sourceId: source.sourceId,
    data: {
      digits,
      reason,
      startMs: startMs === null ? null : roundTenth(startMs),
      endMs: roundTenth(endMs),
    },
  };
}

/** Who mostly speaks has changed. The same change gives the same id. */
export function dominantEvent(
  { callId, mediaId }: Omit<CallSource, 'sourceId'>,
  { speaker, previous, sinceMs, origin }: DominantChange,
): CallEventDraft {
  return {
    id: `${callId}.${mediaId}.speakerDominant.${speaker ?? 'nobody'}.${Math.round(sinceMs)}`,
    type: 'speaker.dominant',
    mediaTimeMs: roundTenth(sinceMs),
    sourceId: speaker,
    data: { sinceMs: roundTenth(sinceMs), previousSourceId: previous, origin },
  };
}

/** Who spoke for how long in a call. The same end of the call gives the same id. */
export function talkSummaryEvent(
  { callId, mediaId }: Omit<CallSource, 'sourceId'>,
  totals: TalkTotals,
  speakers: readonly TalkTime[],
): CallEventDraft {
  const { startMs, endMs, talkMs, overlapMs } = totals;
  return {
    id: `${callId}.${mediaId}.talkSummary.${Math.round(endMs)}`,
    type: 'talk.summary',
    mediaTimeMs: roundTenth(endMs),
    sourceId: null,
    data: {
      startMs: roundTenth(startMs),
      endMs: roundTenth(endMs),
      talkMs: roundTenth(talkMs),
      overlapMs: roundTenth(overlapMs),
      speakers: speakers.map((each) => ({
        ...each,
        talkMs: roundTenth(each.talkMs),
        overlapMs: roundTenth(each.overlapMs),
      })),
    },
  };
}

function roundTenth(value: number): number {
  return Math.round(value * 10) / 10;
}

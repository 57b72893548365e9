import type { Collection } from '@earshot/dtmf';
import type { EventOf, EventType } from '@earshot/events';

type Draft<Type extends EventType> = Pick<
  EventOf<Type>,
  'id' | 'type' | 'mediaTimeMs' | 'sourceId' | 'data'
>;

/** An event of what all of a call's streams amount to, but for what only its publisher knows. */
export type CallEventDraft = Draft<'tone.collected'>;

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

function roundTenth(value: number): number {
  return Math.round(value * 10) / 10;
}

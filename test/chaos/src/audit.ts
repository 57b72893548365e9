import type { EarshotEvent, EventType } from '@earshot/events';

/** What a run must have in common with one that nobody disturbed. */
export interface CallFacts {
  /** Type and id, without the call's and its media session's, of each event that does not belong to one attachment. */
  readonly findings: readonly string[];
  /** Sources of whose audio a stream was opened. */
  readonly heardSources: readonly string[];
}

/** Over all attachments that could say so. */
export interface FrameTotals {
  readonly framesReceived: number;
  /** Missing or dropped. */
  readonly framesLost: number;
}

/** They happen anew in each attachment. */
const OF_ATTACHMENT: ReadonlySet<EventType> = new Set<EventType>([
  'media.started',
  'media.streamOpened',
  'media.streamClosed',
  'media.stopped',
]);

/** As the sandbox's media host names it, anew with each session. */
const MEDIA_SESSION = /^\.m_[\w-]+\./;

export function factsOf(events: readonly EarshotEvent[], callId: string): CallFacts {
  const own = events.filter((event) => event.callId === callId);
  const opened = own.filter(({ type }) => type === 'media.streamOpened');
  return {
    findings: own
      .filter(({ type }) => !OF_ATTACHMENT.has(type))
      .map(({ id, type }) => `${type} ${id.replace(callId, '').replace(MEDIA_SESSION, '.m.')}`)
      .sort(),
    heardSources: [...new Set(opened.map(({ sourceId }) => sourceId ?? 'all'))].sort(),
  };
}

export function totalsOf(events: readonly EarshotEvent[], callId: string): FrameTotals {
  let framesReceived = 0;
  let framesLost = 0;
  for (const event of events) {
    if (event.callId !== callId || event.type !== 'media.stopped') continue;
    framesReceived += event.data.framesReceived;
    framesLost += event.data.framesMissing + event.data.framesDropped;
  }
  return { framesReceived, framesLost };
}

export interface Disorder {
  /** Sentences; none when each event came once, and each call's in order. */
  readonly problems: readonly string[];
  /** Positions left out. Each must be that of an event whose id had come before, under another epoch. */
  readonly holes: number;
}

/**
 * Looks at events in the order in which they were delivered: each id once; the positions of
 * signaling's without a hole per call, those of each attachment growing from 0; and no attachment's
 * after a newer one's.
 */
export function disorderOf(events: readonly EarshotEvent[]): Disorder {
  const problems: string[] = [];
  const ids = new Set<string>();
  const newest = new Map<string, { epoch: number; position: number }>();
  let holes = 0;
  for (const { id, callId, source, epoch, position } of events) {
    const name = `${id} (epoch ${epoch}, position ${position})`;
    if (ids.has(id)) problems.push(`${name} came twice`);
    ids.add(id);
    const key = `${callId} ${source}`;
    const before = newest.get(key) ?? { epoch: 0, position: -1 };
    const isOlder = source === 'media' && epoch < before.epoch;
    if (isOlder) problems.push(`${name} came after epoch ${before.epoch}`);
    const isNewer = source === 'media' && epoch > before.epoch;
    const last = isNewer ? -1 : before.position;
    if (position <= last) problems.push(`${name} came after position ${last}`);
    else holes += position - last - 1;
    if (!isOlder) newest.set(key, { epoch, position });
  }
  return { problems, holes };
}

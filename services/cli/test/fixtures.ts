import type { EarshotEvent } from '@earshot/events';
import { parseEvent } from '@earshot/events';

const ADA = { id: 'p-ada', displayName: 'Ada' };

/** An event of the call `c_1`, filled up with what a test does not care about. */
/** Data of a recognized phrase. */
export function phrase(text: string, startMs: number): Readonly<Record<string, unknown>> {
  return {
    phrase: text,
    startMs,
    endMs: startMs + 900,
    confidence: 0.98,
    engine: 'soundswallower',
    language: 'en-US',
  };
}

export function event(
  type: EarshotEvent['type'],
  data: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): EarshotEvent {
  const ofCall = type.startsWith('call.');
  return parseEvent({
    version: 1,
    id: `${type}-${JSON.stringify(data)}`,
    type,
    callId: 'c_1',
    epoch: 1,
    source: ofCall || type.startsWith('participant.') ? 'signaling' : 'media',
    position: 0,
    mediaTimeMs: null,
    wallclock: '2026-11-23T20:00:00.000Z',
    participant: ofCall ? null : ADA,
    sourceId: ofCall ? null : '7',
    data,
    ...more,
  });
}

const TOTALS = {
  streams: 1,
  framesReceived: 500,
  framesDecoded: 497,
  framesConcealed: 3,
  framesMissing: 3,
  framesCorrupt: 0,
  framesDropped: 0,
  gaps: 1,
  reason: 'callEnded',
};

/** A short call with one participant who speaks, keys a digit and loses three frames. */
export const SHORT_CALL: readonly EarshotEvent[] = [
  event('participant.joined', { isMuted: false, isInLobby: false, kind: 'user' }),
  event('call.stateChanged', { from: 'establishing', to: 'established' }),
  event('media.started', {}, { participant: null, sourceId: null, mediaTimeMs: 0 }),
  event('speech.started', { startMs: 1000 }, { mediaTimeMs: 1060 }),
  event(
    'media.gap',
    {
      streamId: 1,
      missingFrames: 3,
      concealedFrames: 3,
      startMs: 1500,
      durationMs: 60,
      cause: 'lost',
    },
    { mediaTimeMs: 1500 },
  ),
  event('speech.ended', { startMs: 1000, endMs: 4000, durationMs: 3000 }, { mediaTimeMs: 4300 }),
  event(
    'tone.detected',
    {
      kind: 'dtmf',
      digit: '5',
      startMs: 6000,
      durationMs: 120,
      levelDbfs: -12,
      twistDb: 0,
      confidence: 1,
      origin: 'inBand',
      acrossGap: false,
    },
    { mediaTimeMs: 6140 },
  ),
  event('media.stopped', TOTALS, { participant: null, sourceId: null, mediaTimeMs: 10_000 }),
  event('call.stateChanged', { from: 'established', to: 'terminated' }),
  event('call.ended', { reason: 'normal', retryClass: 'normal' }),
];

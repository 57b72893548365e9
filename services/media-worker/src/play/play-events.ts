import { relativeMs, splitTicks } from '@earshot/bridge-protocol';
import type { EventData } from '@earshot/events';
import type { PlayRecord } from '@earshot/registry';

const FRAME_MS = 20;

interface Draft<Type extends 'play.started' | 'play.ended'> {
  /** Deterministic: named by the play, so that a second worker tells of nothing twice. */
  readonly id: string;
  readonly type: Type;
  readonly mediaTimeMs: number | null;
  readonly sourceId: null;
  readonly data: EventData[Type];
}

/** An event of a play but for what only its publisher knows. */
export type PlayEventDraft = Draft<'play.started'> | Draft<'play.ended'>;

/** The first frame of a play was heard. */
export function playStartedEvent(play: PlayRecord, startMs: number): PlayEventDraft {
  return {
    id: `${play.callId}.play.${play.playId}.started`,
    type: 'play.started',
    mediaTimeMs: startMs,
    sourceId: null,
    data: { playId: play.playId, durationMs: play.frames * FRAME_MS },
  };
}

/** A play is over, as its record says. @param endMs undefined when its end has no place in time. */
export function playEndedEvent(play: PlayRecord, endMs: number | undefined): PlayEventDraft {
  const { callId, playId, state, reason, playedFrames = 0 } = play;
  const outcome = state === 'played' || state === 'cleared' ? state : 'failed';
  return {
    id: `${callId}.play.${playId}.ended`,
    type: 'play.ended',
    mediaTimeMs: endMs ?? null,
    sourceId: null,
    data: {
      playId,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      playedMs: playedFrames * FRAME_MS,
    },
  };
}

/** Where ticks of the host's media clock lie on the call's, ms to a tenth. */
export function mediaTimeOf(clockTicks: string, mediaEpochTicks: string): number {
  const at = splitTicks(BigInt(clockTicks));
  const epoch = splitTicks(BigInt(mediaEpochTicks));
  return Math.round(relativeMs(at.high, at.low, epoch.high, epoch.low) * 10) / 10;
}

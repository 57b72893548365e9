import type { CallRecord, PlayRecord } from '@earshot/registry';
import { isOver } from '@earshot/registry';
import { serviceState } from '../calls/service-state.js';
import type { PlayView } from '../rest/play-schemas.js';

const FRAME_MS = 20;

/** A play as the REST API shows it. */
export function playViewOf(play: PlayRecord, call: CallRecord): PlayView {
  const { playId, callId, createdAtMs, clearRequested, playedFrames } = play;
  // Whoever played it is gone with the call, and may have had no time to say so.
  const isLost = !isOver(play) && serviceState(call).end !== undefined;
  const reason = isLost ? 'media_ended' : play.reason;
  return {
    playId,
    callId,
    state: isLost ? 'failed' : play.state,
    createdAt: new Date(createdAtMs).toISOString(),
    durationMs: play.frames * FRAME_MS,
    ...(playedFrames === undefined ? {} : { playedMs: playedFrames * FRAME_MS }),
    ...(reason === undefined ? {} : { reason }),
    ...(clearRequested === true && !isOver(play) && !isLost ? { clearRequested } : {}),
  };
}

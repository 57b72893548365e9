import type { CallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { incomingViewOf } from '../incoming/incoming-view.js';
import { recordingViewOf } from '../recording/recording-view.js';
import type { AttachmentView, CallView } from '../rest/schemas.js';
import { attemptsOf } from './attempt-view.js';
import type { CallEnd } from './call-end.js';
import type { ServiceState } from './service-state.js';
import { serviceState } from './service-state.js';
import { stayOf } from './stay-view.js';

/** A call as the REST API shows it: no join URL, no keys. */
export function viewOf(record: CallRecord, published: number): CallView {
  const state = serviceState(record);
  const attachment = attachmentOf(record, state);
  return {
    id: record.callId,
    state: record.model.state,
    direction: state.incoming === undefined ? 'outgoing' : 'incoming',
    ...(state.incoming === undefined ? {} : { incoming: incomingViewOf(state.incoming) }),
    joinUrlHost: state.joinUrlHost,
    tenantId: record.tenantId,
    createdAt: isoTime(record.createdAtMs),
    ...(state.establishedAtMs === undefined
      ? {}
      : { establishedAt: isoTime(state.establishedAtMs) }),
    ...(state.end === undefined ? {} : { endedAt: isoTime(state.end.atMs) }),
    media: {
      ...(record.hostId === undefined ? {} : { hostId: record.hostId }),
      ...(record.workerId === undefined ? {} : { workerId: record.workerId }),
      attached: attachment !== undefined && isHeard(state),
      ...(attachment === undefined ? {} : { attachment }),
    },
    ...stayOf(record, state),
    recording: recordingViewOf(record),
    participants: participantsOf(record.model),
    attempts: attemptsOf(record, state),
    events: { published },
    ...(state.end === undefined ? {} : { result: resultOf(state.end) }),
  };
}

/** Where the audio of an established call goes. */
function attachmentOf(record: CallRecord, state: ServiceState): AttachmentView | undefined {
  const { establishedAtMs, attachedAtMs, move, moves = 0 } = state;
  if (establishedAtMs === undefined || state.end !== undefined) return undefined;
  const { workerId, epoch } = record;
  return {
    ...(workerId === undefined ? {} : { workerId }),
    ...(epoch === undefined ? {} : { epoch }),
    state: attachmentStateOf(state),
    since: isoTime(move?.sinceMs ?? attachedAtMs ?? establishedAtMs),
    moves,
  };
}

/** Audio flows as far as the host has told, though perhaps not for much longer. */
function isHeard({ attachedAtMs, move }: ServiceState): boolean {
  return attachedAtMs !== undefined && move?.silentSinceMs === undefined;
}

function attachmentStateOf({ attachedAtMs, move }: ServiceState): AttachmentView['state'] {
  if (attachedAtMs === undefined) return 'attaching';
  if (move === undefined) return 'attached';
  return move.cause === 'interrupted' && move.placedEpoch === undefined ? 'interrupted' : 'moving';
}

function participantsOf(model: CallModel): CallView['participants'] {
  return Object.values(model.participants).map((participant) => ({
    id: participant.id,
    ...(participant.displayName === undefined ? {} : { displayName: participant.displayName }),
    kind: participant.kind,
    isInLobby: participant.isInLobby,
    isMuted: participant.isMuted,
    sourceIds: [...participant.sourceIds.audio],
  }));
}

function resultOf({ code, atMs: _, ...cause }: CallEnd): NonNullable<CallView['result']> {
  return { cause: code, ...cause };
}

function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

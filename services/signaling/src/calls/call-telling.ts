import type { Participant } from '@earshot/call';
import type { Digit, EarshotEvent, EventOf, EventType, ParticipantData } from '@earshot/events';
import type { CallRecord } from '@earshot/registry';
import { serviceState, withService } from './service-state.js';

/** What an event says beside what every event of a call says. */
export type Told = {
  [Type in EventType]: Pick<EventOf<Type>, 'type' | 'data'> &
    Partial<Pick<EventOf<Type>, 'participant' | 'sourceId'>>;
}[EventType];

/** Who it is about, and how they are in the call. */
export function participantEvent(
  type: 'participant.joined' | 'participant.updated',
  participant: Participant,
): Told {
  return { type, ...aboutParticipant(participant), data: participantData(participant) };
}

/** Who left, and why when Graph told. */
export function leftEvent(participant: Participant, reason: string | undefined): Told {
  const data = { ...participantData(participant), ...(reason === undefined ? {} : { reason }) };
  return { type: 'participant.left', ...aboutParticipant(participant), data };
}

/**
 * A key was pressed, as Graph told: nobody says who did, so it is somebody's only where one other is
 * in the call. There is no media clock: its time is from when the call was established.
 */
export function toneEvent(record: CallRecord, digit: Digit, atMs: number): Told {
  const { establishedAtMs = record.createdAtMs } = serviceState(record);
  const { participants, myParticipantId } = record.model;
  const others = Object.values(participants).filter(({ id }) => id !== myParticipantId);
  const [only] = others.length === 1 ? others : [];
  return {
    type: 'tone.detected',
    ...(only === undefined ? {} : aboutParticipant(only)),
    data: {
      kind: 'dtmf',
      digit,
      startMs: Math.max(0, atMs - establishedAtMs),
      durationMs: 0,
      levelDbfs: null,
      twistDb: null,
      confidence: null,
      origin: 'graph',
      acrossGap: false,
    },
  };
}

function aboutParticipant({ id, displayName, sourceIds }: Participant) {
  return {
    participant: { id, ...(displayName === undefined ? {} : { displayName }) },
    sourceId: sourceIds.audio[0] ?? null,
  };
}

function participantData({ isMuted, isInLobby, kind }: Participant): ParticipantData {
  return { isMuted, isInLobby, kind };
}

/** Adds an event at the next position. The same record always gives the same id. */
export function tell(record: CallRecord, atMs: number, told: Told): CallRecord {
  const { callId, signalingPosition: position, epoch = 0 } = record;
  const { pendingEvents, traceparent } = serviceState(record);
  const event: EarshotEvent = {
    version: 1,
    id: `${callId}.s${position}`,
    callId,
    epoch,
    source: 'signaling',
    position,
    mediaTimeMs: null,
    wallclock: new Date(atMs).toISOString(),
    participant: null,
    sourceId: null,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...told,
  };
  return withService(
    { ...record, signalingPosition: position + 1 },
    { pendingEvents: [...pendingEvents, event] },
  );
}

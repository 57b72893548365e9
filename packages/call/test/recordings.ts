import {
  ADA,
  ADA_ID,
  BOT,
  BOT_ID,
  body,
  CALL_ID,
  callBody,
  GRACE,
  GRACE_ID,
  operationBody,
  rosterBody,
} from './notifications.js';

/** Bodies of whole calls, as Graph sends them, each in order. */

type Body = Readonly<Record<string, unknown>>;
type Entry = Readonly<Record<string, unknown>>;

/** What changed since the roster before. */
export function deltaBody(sequenceNumber: number | string, participants: readonly Entry[]): Body {
  return body({
    changeType: 'updated',
    resourceUrl: `/communications/calls/${CALL_ID}/participants`,
    resourceData: {
      '@odata.type': '#microsoft.graph.deltaParticipants',
      sequenceNumber,
      participants,
    },
  });
}

/** A whole roster whose entries have the number of the roster in which each last changed. */
export function numberedBody(participants: readonly (readonly [number, Entry])[]): Body {
  return body({
    changeType: 'updated',
    resourceUrl: `/communications/calls/${CALL_ID}/participants`,
    resourceData: participants.map(([rosterSequenceNumber, entry]) => ({
      ...entry,
      rosterSequenceNumber,
    })),
  });
}

function ended(code: number, subcode: number): Body {
  return callBody('deleted', {
    state: 'terminated',
    resultInfo: { '@odata.type': '#microsoft.graph.resultInfo', code, subcode, message: 'Over.' },
  });
}

const WAITING_BOT = { ...BOT, isInLobby: true };
const UNMUTED_ADA = { ...ADA, isMuted: false };
const PHONE = {
  id: 'f3c0a8f2-1111-4c1b-9d7d-000000000001',
  info: { identity: { user: null, phone: { id: '+15550100' } } },
  mediaStreams: [{ mediaType: 'audio', sourceId: '401' }],
  isMuted: false,
  isInLobby: false,
};

/** Waits in the lobby and is not let in. */
const NOT_ADMITTED: readonly Body[] = [
  callBody('updated', { state: 'establishing', callChainId: 'chain-1' }),
  callBody('updated', {
    state: 'established',
    myParticipantId: BOT_ID,
    mediaState: { audio: 'inactive' },
  }),
  rosterBody(1, [WAITING_BOT]),
  rosterBody(2, [WAITING_BOT, ADA]),
  callBody('updated', { state: 'terminating' }),
  ended(200, 5855),
];

/** Is let in, mutes itself, presses keys, and is removed; a roster comes after the end. */
const LOBBY_THEN_REMOVED: readonly Body[] = [
  callBody('updated', { state: 'establishing', callChainId: 'chain-1' }),
  callBody('updated', { state: 'established', myParticipantId: BOT_ID }),
  rosterBody(1, [WAITING_BOT, ADA]),
  callBody('updated', { mediaState: { audio: 'active' } }),
  rosterBody(2, [BOT, ADA]),
  operationBody('updated', 'running'),
  rosterBody(3, [BOT, UNMUTED_ADA, PHONE]),
  operationBody('deleted', 'completed'),
  callBody('updated', { toneInfo: { sequenceId: 1, tone: 'tone1' } }),
  callBody('updated', { toneInfo: { sequenceId: 2, tone: 'pound' } }),
  rosterBody(4, [BOT, UNMUTED_ADA]),
  callBody('updated', { state: 'terminating' }),
  ended(200, 5300),
  rosterBody(5, [UNMUTED_ADA, { ...BOT, removedState: { reason: 'Removed' } }]),
];

/** A meeting with delta rosters, in which somebody leaves and comes back, until it is ended. */
const DELTAS: readonly Body[] = [
  callBody('updated', { state: 'establishing' }),
  callBody('updated', { state: 'established', myParticipantId: BOT_ID }),
  deltaBody(1, [BOT]),
  deltaBody(2, [ADA, GRACE]),
  deltaBody('3', [UNMUTED_ADA]),
  deltaBody(4, [{ id: GRACE_ID, removedState: { reason: 'Left' } }]),
  deltaBody(5, [PHONE]),
  deltaBody(6, [
    { ...GRACE, isMuted: true },
    { id: PHONE.id, removedState: { reason: 'Left' } },
  ]),
  deltaBody(7, [ADA]),
  callBody('updated', { state: 'terminating' }),
  ended(200, 5001),
];

/** A snapshot first, deltas then. */
const SNAPSHOT_THEN_DELTAS: readonly Body[] = [
  callBody('updated', { state: 'established', myParticipantId: BOT_ID }),
  rosterBody(11, [BOT, ADA]),
  deltaBody(12, [GRACE]),
  deltaBody(13, [{ id: ADA_ID, removedState: { reason: 'Left' } }]),
  deltaBody(14, [{ ...GRACE, isMuted: true }]),
  ended(200, 5010),
];

/** A call to one person, whose transfer fails. */
const TRANSFER_FAILED: readonly Body[] = [
  callBody('updated', { state: 'establishing' }),
  callBody('updated', { state: 'ringing' }),
  callBody('updated', { state: 'established', callChainId: 'chain-2' }),
  callBody('updated', { state: 'transferring' }),
  callBody('updated', { state: 'established', resultInfo: { code: 500, subcode: 7000 } }),
  callBody('updated', { state: 'hold' }),
  callBody('updated', { state: 'established' }),
  ended(200, 4097),
];

/** The media could not be set up: Graph says so of a call that never was established. */
const MEDIA_FAILED: readonly Body[] = [
  callBody('updated', { state: 'establishing', callChainId: 'chain-3' }),
  ended(500, 1203002),
];

/** All that end. */
export const RECORDINGS: Readonly<Record<string, readonly Body[]>> = {
  'not admitted': NOT_ADMITTED,
  'let in, then removed': LOBBY_THEN_REMOVED,
  'ended, with delta rosters': DELTAS,
  'a snapshot, then deltas': SNAPSHOT_THEN_DELTAS,
  'a transfer that failed': TRANSFER_FAILED,
  'media that failed': MEDIA_FAILED,
};

/** Delta rosters of a call that lives. */
export const LIVE_DELTAS: readonly Body[] = DELTAS.slice(0, -2);

/** Rosters of a call that lives, whose numbers tell little: the last one has the lowest. */
export const LIVE_NUMBERED: readonly Body[] = [
  callBody('updated', { state: 'established', myParticipantId: BOT_ID }),
  numberedBody([[1, BOT]]),
  numberedBody([
    [1, BOT],
    [2, ADA],
  ]),
  numberedBody([
    [1, BOT],
    [3, UNMUTED_ADA],
    [4, GRACE],
  ]),
  numberedBody([
    [1, BOT],
    [3, UNMUTED_ADA],
  ]),
  numberedBody([
    [1, BOT],
    [3, UNMUTED_ADA],
    [5, PHONE],
  ]),
  numberedBody([
    [1, BOT],
    [3, UNMUTED_ADA],
  ]),
];

import type { OperationView, ParticipantView } from '../call-control-views.js';
import { signalingClient } from '../connection.js';

export interface ParticipantsOptions {
  readonly lobby: boolean;
  readonly left: boolean;
}

export interface TransferOptions {
  /** A call's id. */
  readonly replaces?: string;
}

/** `earshot calls participants <id>`: id, kind, state, audio sources and name, one a line. */
export async function callsParticipants(
  callId: string,
  { lobby, left }: ParticipantsOptions,
): Promise<void> {
  const presence = left ? 'left' : lobby ? 'lobby' : 'present';
  for (const participant of await signalingClient().participants(callId, presence)) {
    console.log(participantLine(participant));
  }
}

/** `earshot calls mute <id> [participant]`: our own leg, or someone for all. */
export function callsMute(callId: string, participantId: string | undefined): Promise<void> {
  if (participantId === undefined) return ask(callId, 'mute');
  return ask(callId, `participants/${encodeURIComponent(participantId)}/mute`);
}

/** `earshot calls unmute <id>`: takes our own mute back. */
export function callsUnmute(callId: string): Promise<void> {
  return ask(callId, 'unmute');
}

/** `earshot calls tones <id> <keys>`: sends key presses, such as `12#`. */
export function callsTones(callId: string, keys: string): Promise<void> {
  return ask(callId, 'tones', { tones: [...keys.toUpperCase()] });
}

/** `earshot calls transfer <id> <who>`: hands the call to a user or a number. */
export function callsTransfer(
  callId: string,
  who: string,
  { replaces }: TransferOptions,
): Promise<void> {
  const replaced = replaces === undefined ? {} : { replacesCallId: replaces };
  return ask(callId, 'transfer', { target: partyOf(who), ...replaced });
}

/** `earshot calls invite <id> <who…>`: brings users and numbers in. */
export function callsInvite(callId: string, who: readonly string[]): Promise<void> {
  return ask(callId, 'participants', { participants: who.map(partyOf) });
}

/** `earshot calls remove <id> <participant>`: removes someone from the meeting. */
export async function callsRemove(callId: string, participantId: string): Promise<void> {
  const path = `participants/${encodeURIComponent(participantId)}`;
  console.log(operationLine(await signalingClient().ask('DELETE', callId, path)));
}

/** `earshot calls operations <id> [operation]`: what was asked of Teams, newest first; one as JSON. */
export async function callsOperations(
  callId: string,
  operationId: string | undefined,
): Promise<void> {
  const client = signalingClient();
  if (operationId !== undefined) {
    console.log(JSON.stringify(await client.operation(callId, operationId), null, 2));
    return;
  }
  for (const operation of await client.operations(callId)) console.log(operationLine(operation));
}

async function ask(callId: string, path: string, body?: unknown): Promise<void> {
  console.log(operationLine(await signalingClient().ask('POST', callId, path, body)));
}

/** A number with its plus sign, else the object id of a user. */
function partyOf(who: string): { kind: string; id: string } {
  return { kind: who.startsWith('+') ? 'phone' : 'user', id: who };
}

/** Id, kind, status, and why when there is a why. */
export function operationLine(operation: OperationView): string {
  const { operationId, kind, status, participantId, resultCode, resultSubcode, reason } = operation;
  const result = resultCode === undefined ? reason : `${resultCode}/${resultSubcode ?? 0}`;
  return [operationId, kind, status, participantId ?? '-', result ?? '-'].join(' ');
}

/** Id, kind, state, audio sources, name. */
export function participantLine(participant: ParticipantView): string {
  const { id, kind, displayName, sourceIds } = participant;
  const sources = sourceIds.length === 0 ? '-' : sourceIds.join(',');
  return [id, kind, stateOf(participant), sources, displayName ?? '-'].join(' ');
}

function stateOf({ isSelf, isInLobby, isMuted, leftAt }: ParticipantView): string {
  if (leftAt !== undefined) return `left:${leftAt}`;
  const states = [isSelf && 'self', isInLobby && 'lobby', isMuted && 'muted'].filter(Boolean);
  return states.length === 0 ? 'in' : states.join('+');
}

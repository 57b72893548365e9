import type { CallData, CallState, ChatInfo, Operation, ParticipantData } from '@earshot/call';
import { parseCallData, parseOperation, parseParticipant } from '@earshot/call';
import type { AudioRoutingGroup } from './bodies/audio-routing.js';
import { unreadable } from './graph-client.js';
import { jsonField } from './json-field.js';

/** Our leg, as Graph accepted it. */
export interface CreatedCall {
  readonly graphCallId: string;
  /** `establishing` as a rule. */
  readonly state: CallState;
  readonly myParticipantId?: string;
  readonly callChainId?: string;
  /** The chat of a meeting that was named by id. */
  readonly chatInfo?: ChatInfo;
}

export function createdCall(action: string, answer: unknown): CreatedCall {
  const graphCallId = idOf(answer);
  if (graphCallId === undefined) throw unreadable(action, 'a call with an `id`');
  const { state, myParticipantId, callChainId, chatInfo } = parseCallData(answer);
  return {
    graphCallId,
    state: state ?? 'establishing',
    ...(myParticipantId === undefined ? {} : { myParticipantId }),
    ...(callChainId === undefined ? {} : { callChainId }),
    ...(chatInfo === undefined ? {} : { chatInfo }),
  };
}

export function callOf(action: string, answer: unknown): CallData {
  if (idOf(answer) === undefined) throw unreadable(action, 'a call with an `id`');
  return parseCallData(answer);
}

export function operationOf(action: string, answer: unknown): Operation {
  const operation = parseOperation(answer);
  if (operation === undefined) throw unreadable(action, 'an operation with an `id`');
  return operation;
}

export function participantOf(action: string, answer: unknown): ParticipantData {
  const participant = parseParticipant(answer);
  if (participant === undefined) throw unreadable(action, 'a participant with an `id`');
  return participant;
}

/** Entries that can't be read cost only themselves, as in notifications. */
export function participantsOf(action: string, answer: unknown): readonly ParticipantData[] {
  return listOf(action, answer).flatMap((entry) => parseParticipant(entry) ?? []);
}

export function routingGroupsOf(action: string, answer: unknown): readonly AudioRoutingGroup[] {
  return listOf(action, answer).flatMap((entry) => parseRoutingGroup(entry) ?? []);
}

export function routingGroupOf(action: string, answer: unknown): AudioRoutingGroup {
  const group = parseRoutingGroup(answer);
  if (group === undefined) throw unreadable(action, 'an audio routing group with an `id`');
  return group;
}

function parseRoutingGroup(value: unknown): AudioRoutingGroup | undefined {
  const id = idOf(value);
  if (id === undefined) return undefined;
  const mode = jsonField(value, 'routingMode');
  const isOneToOne = typeof mode === 'string' && mode.toLowerCase() === 'onetoone';
  return {
    id,
    routingMode: isOneToOne ? 'oneToOne' : 'multicast',
    sources: textsOf(jsonField(value, 'sources')),
    receivers: textsOf(jsonField(value, 'receivers')),
  };
}

function listOf(action: string, answer: unknown): readonly unknown[] {
  const value: unknown = jsonField(answer, 'value');
  if (Array.isArray(value)) return value;
  throw unreadable(action, 'a list in `value`');
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function idOf(value: unknown): string | undefined {
  const id = jsonField(value, 'id');
  return typeof id === 'string' && id !== '' ? id : undefined;
}

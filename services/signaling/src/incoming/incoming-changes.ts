import { createHash } from 'node:crypto';
import type { IncomingCall } from '@earshot/call';
import { initialCallModel, normalisedId } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { tell } from '../calls/call-telling.js';
import type { ServiceState } from '../calls/service-state.js';
import { serviceState, withService } from '../calls/service-state.js';
import type { AutoLeaveLimits } from '../calls/stay-state.js';
import type { IncomingConfig } from './incoming-config.js';
import type { IncomingState } from './incoming-state.js';

/** Teams' limits for an answer, counted from its notification. */
export const ANSWER_WITHIN_MS = 15_000;
export const ANSWER_POLICY_RECORDING_WITHIN_MS = 5_000;

/** Graph's id of a call leads to ours, whoever hears of it and however often. */
export function callIdOfIncoming(graphCallId: string): string {
  const digest = createHash('sha256').update(`incoming:${normalisedId(graphCallId)}`);
  return `c_${digest.digest('base64url').slice(0, 24)}`;
}

/** What the record of a call that came in begins with. */
export interface IncomingBeginning {
  readonly call: IncomingCall;
  /** Of the token that the notification came with. */
  readonly tenantId: string;
  readonly attemptKey: string;
  readonly receivedAtMs: number;
  readonly config: IncomingConfig;
  /** When the bot leaves by itself; a recording policy's bot stays as long as Teams wants it. */
  readonly autoLeave: AutoLeaveLimits;
  readonly traceparent?: string | undefined;
}

/** The record of a call that came in, with the event that tells of it. */
export function incomingRecord(beginning: IncomingBeginning): CallRecord {
  const { call, tenantId, attemptKey, receivedAtMs, traceparent } = beginning;
  const { graphCallId, myParticipantId, callChainId, chatInfo, scenario } = call;
  const service: ServiceState = {
    joinUrlHost: '',
    graph: 'none',
    hostHeld: false,
    traceparent,
    incoming: incomingState(beginning),
    ...(scenario === 'policyRecording' ? {} : { autoLeave: { limits: beginning.autoLeave } }),
    pendingEvents: [],
  };
  const record: CallRecord = {
    callId: callIdOfIncoming(graphCallId),
    version: 0,
    createdAtMs: receivedAtMs,
    tenantId,
    attemptKey,
    model: {
      ...initialCallModel,
      state: 'incoming',
      graphCallId,
      tenantId,
      ...(myParticipantId === undefined ? {} : { myParticipantId }),
      ...(callChainId === undefined ? {} : { callChainId }),
      ...(chatInfo === undefined ? {} : { chatInfo }),
    },
    signalingPosition: 0,
    service,
  };
  return tell(record, receivedAtMs, { type: 'call.incoming', data: { scenario } });
}

function incomingState({ call, receivedAtMs, config }: IncomingBeginning): IncomingState {
  const { scenario, meetingToken, source, context, botData } = call;
  const isPolicy = scenario === 'policyRecording';
  const withinMs = isPolicy ? ANSWER_POLICY_RECORDING_WITHIN_MS : ANSWER_WITHIN_MS;
  return {
    scenario,
    answer: 'due',
    receivedAtMs,
    answerByMs: receivedAtMs + withinMs,
    recordsAtOnce: isPolicy && config.recordsAtOnce,
    participantCapacity: isPolicy ? config.participantCapacity : undefined,
    meetingToken,
    source,
    context,
    botData,
  };
}

/** Where the media of a call that is about to be answered are. */
export interface AnsweringHost {
  readonly hostId: string;
  readonly mediaId: string;
}

/**
 * The answer is about to go to Graph: from here on the leg may be ours. No effect on a call that
 * ended, was answered by another process, or for which it is too late.
 */
export function sendAnswer(record: CallRecord, host: AnsweringHost, atMs: number): CallRecord {
  const { incoming, hangUpAtMs } = serviceState(record);
  if (incoming === undefined || !isAnswerDue(record) || hangUpAtMs !== undefined) return record;
  if (atMs >= incoming.answerByMs) return record;
  return withService(
    { ...record, ...host },
    { hostHeld: true, graph: 'present', incoming: { ...incoming, answer: 'sent' } },
  );
}

/** Graph took the answer. */
export function answerAccepted(record: CallRecord, atMs: number): CallRecord {
  const { incoming } = serviceState(record);
  if (incoming?.answer !== 'sent') return record;
  return withService(record, {
    keptAliveAtMs: atMs,
    incoming: { ...incoming, answer: 'accepted' },
  });
}

/** Whether the call still waits for somebody to answer, or to reject it. */
export function isAnswerDue(record: CallRecord): boolean {
  const { incoming, end } = serviceState(record);
  return incoming?.answer === 'due' && end === undefined;
}

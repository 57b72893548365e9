import type { GateInput } from '@earshot/recording-gate';
import { closedGate, reduceGate } from '@earshot/recording-gate';
import type { CallRecord } from '@earshot/registry';
import { tell } from '../calls/call-telling.js';
import { serviceState, withService } from '../calls/service-state.js';
import type {
  RecordingDeclaration,
  RecordingState,
  ToldStatus,
  WantedStatus,
} from './recording-state.js';

// Pure steps of a call's record: whether it may be recorded, and what Graph knows of that. The gate
// closes in the same write that makes Graph be told, so it is never told first.

/** Whether Graph decides on the call's recording: only when a recording policy invited the bot. */
export function isPolicyRecording(record: CallRecord): boolean {
  return serviceState(record).incoming?.scenario === 'policyRecording';
}

/** The call's recording; that of a call that nobody touched yet has a closed gate. */
export function recordingOf(record: CallRecord): RecordingState {
  const { recording } = serviceState(record);
  if (recording !== undefined) return recording;
  const allows = isPolicyRecording(record) ? 'graph' : 'declaration';
  return { gate: closedGate(allows), shared: 0 };
}

/** The call is over, or about to be: nothing may open its gate. */
export function isLeaving(record: CallRecord): boolean {
  const { end, hangUpAtMs } = serviceState(record);
  return end !== undefined || hangUpAtMs !== undefined;
}

/** Graph has to be told of a status. Anything but `recording` closes the gate in the same step. */
export function wantStatus(record: CallRecord, wanted: WantedStatus): CallRecord {
  const { status, request, sinceMs } = wanted;
  const next =
    status === 'recording'
      ? moveGate(record, { kind: 'asked', request }, sinceMs)
      : moveGate(record, { kind: 'closed', reason: status }, sinceMs);
  return withRecording(next, { wanted });
}

/**
 * Graph answered. An answer to a request that something else was wanted since opens nothing; when
 * Graph believes in a recording by it that nobody wants, that has to be told.
 */
export function statusTold(record: CallRecord, told: ToldStatus): CallRecord {
  const { request, status, accepted, atMs } = told;
  const { wanted } = recordingOf(record);
  const isPresent = wanted?.request === request;
  const moved = isPresent ? moveGate(record, inputOf(told), atMs) : record;
  const { gate } = recordingOf(moved);
  const isUnwanted =
    accepted && status === 'recording' && gate.state === 'closed' && wanted?.status === undefined;
  const next = withRecording(moved, {
    told,
    ...(accepted ? { accepted: status } : {}),
    ...(isPresent ? { wanted: undefined } : {}),
    ...(isUnwanted
      ? { wanted: { status: 'notRecording', request: `undo-${request}`, sinceMs: atMs } as const }
      : {}),
  });
  return tell(next, atMs, { type: 'recording.statusChanged', data: { status, accepted } });
}

function inputOf({ status, accepted, request }: ToldStatus): GateInput {
  if (status !== 'recording') return { kind: 'closed', reason: status };
  return accepted ? { kind: 'granted', request } : { kind: 'closed', reason: 'refused' };
}

/** What was wanted is given up: the call must not be kept for it. */
export function dropWanted(record: CallRecord): CallRecord {
  return withRecording(record, { wanted: undefined });
}

/** An operator's declaration, which is in the audit log by now, opens the gate. */
export function declare(record: CallRecord, declaration: RecordingDeclaration): CallRecord {
  if (isLeaving(record)) return record;
  const next = moveGate(record, { kind: 'declared' }, declaration.declaredAtMs);
  return next === record ? record : withRecording(next, { declaration });
}

/** The declaration is taken back. */
export function withdraw(record: CallRecord, atMs: number): CallRecord {
  return moveGate(record, { kind: 'closed', reason: 'withdrawn' }, atMs);
}

/**
 * We are about to leave: the gate closes, and Graph is told where it believes in a recording. Has an
 * effect once.
 */
export function closeForLeaving(record: CallRecord, atMs: number): CallRecord {
  if (recordingOf(record).leaving === true) return record;
  return leave(moveGate(record, { kind: 'closed', reason: 'notRecording' }, atMs), atMs);
}

/** The call is over: its gate never opens again. Without a leg there is nobody to tell. */
export function closeAtEnd(record: CallRecord, atMs: number): CallRecord {
  const { recording, graph } = serviceState(record);
  if (recording === undefined) return record;
  const closed = moveGate(record, { kind: 'closed', reason: 'callEnded' }, atMs);
  if (graph === 'present') return leave(closed, atMs);
  return withRecording(closed, { wanted: undefined, leaving: true });
}

function leave(record: CallRecord, sinceMs: number): CallRecord {
  const { accepted, wanted, leaving } = recordingOf(record);
  if (leaving === true) return record;
  const believes = accepted === 'recording' || wanted?.status === 'recording';
  if (!believes) return withRecording(record, { leaving: true });
  const notRecording = { status: 'notRecording', request: `leave-${sinceMs}`, sinceMs } as const;
  return withRecording(record, { leaving: true, wanted: notRecording });
}

/** An attempt at the call failed; what was declared of it does not count for the next one. */
export function closeOnFailure(record: CallRecord, atMs: number): CallRecord {
  if (serviceState(record).recording === undefined) return record;
  return moveGate(record, { kind: 'closed', reason: 'failed' }, atMs);
}

/** Recorders were told of the gate. */
export function gateShared(record: CallRecord, changes: number, sharedAtMs: number): CallRecord {
  return recordingOf(record).shared >= changes
    ? record
    : withRecording(record, { shared: changes, sharedAtMs });
}

/** True while recorders or Graph have to hear something before the leg may be deleted. */
export function holdsLeaving(recording: RecordingState | undefined): boolean {
  if (recording === undefined) return false;
  const { gate, shared, wanted, leaving } = recording;
  return leaving !== true || shared !== gate.changes || wanted !== undefined;
}

function moveGate(record: CallRecord, input: GateInput, atMs: number): CallRecord {
  const before = recordingOf(record).gate;
  const gate = reduceGate(before, input);
  if (gate === before) return record;
  const isClosing = before.state === 'open' && gate.state === 'closed';
  const next = withRecording(record, { gate, ...(isClosing ? { closedAtMs: atMs } : {}) });
  if (gate.state === before.state) return next;
  const { state, basis, reason } = gate;
  return tell(next, atMs, { type: 'recording.gateChanged', data: { state, basis, reason } });
}

function withRecording(record: CallRecord, patch: Partial<RecordingState>): CallRecord {
  return withService(record, { recording: { ...recordingOf(record), ...patch } });
}

import type { CallState, Operation } from '@earshot/call';
import { isSameGuid } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import type { CallEnd } from '../calls/call-end.js';
import { tell } from '../calls/call-telling.js';
import { serviceState, withService } from '../calls/service-state.js';
import type { CallOperation, CallOperationStatus, OperationKind } from './operation-state.js';
import { OPERATIONS_REMEMBERED } from './operation-state.js';

// Pure steps of a call's record: an operation and the event that tells of its end stand together.

/** Later statuses win, in whatever order Graph's answer and its notifications come. */
const RANKS: Readonly<Record<CallOperationStatus, number>> = {
  notStarted: 0,
  unknown: 1,
  running: 2,
  completed: 3,
  failed: 3,
};

/** An operation that has heard its last. */
const FINAL_RANK = 3;
/** Graph tells of the end of an operation within seconds: such an old one was forgotten there. */
const STALE_AFTER_MS = 10 * 60_000;

/** All operations of a call that are remembered, oldest first. */
export function operationsOf(record: CallRecord): readonly CallOperation[] {
  return serviceState(record).operations ?? [];
}

/**
 * The record with a new operation in it, about to be sent; undefined when as many as may be
 * remembered wait for Teams.
 */
export function beginOperation(
  record: CallRecord,
  operation: { id: string; kind: OperationKind; participantId?: string | undefined },
  atMs: number,
): CallRecord | undefined {
  const operations = operationsOf(record);
  if (operations.some(({ id }) => id === operation.id)) return record;
  const begun: CallOperation = {
    ...operation,
    status: 'notStarted',
    requestedAtMs: atMs,
    updatedAtMs: atMs,
  };
  if (operations.length < OPERATIONS_REMEMBERED)
    return withOperations(record, [...operations, begun]);
  const oldest = operations.findIndex(
    ({ status, updatedAtMs }) => isFinal(status) || updatedAtMs < atMs - STALE_AFTER_MS,
  );
  if (oldest === -1) return undefined;
  return withOperations(record, [...operations.filter((_, place) => place !== oldest), begun]);
}

/** What Graph answered: an operation, or for some requests only that they are done or accepted. */
export type OperationAnswer = Operation | 'done' | 'accepted';

/** Graph has answered the request. */
export function answerOperation(
  record: CallRecord,
  id: string,
  answer: OperationAnswer,
  atMs: number,
): CallRecord {
  if (answer === 'done') return settle(record, id, { status: 'completed' }, atMs);
  if (answer === 'accepted') return settle(record, id, { status: 'running' }, atMs);
  const known = settle(record, id, { ...patchOf(answer), graphId: answer.id }, atMs);
  // A notification may have come first, without the context that would have told whose it is.
  const told = Object.values(record.model.operations ?? {}).find((o) =>
    isSameGuid(o.id, answer.id),
  );
  return told === undefined ? known : settle(known, id, patchOf(told), atMs);
}

/** The request failed; `unknown` when Graph may have carried it out all the same. */
export function failOperation(
  record: CallRecord,
  id: string,
  failure: Pick<CallOperation, 'result' | 'reason'> & { readonly status: 'failed' | 'unknown' },
  atMs: number,
): CallRecord {
  return settle(record, id, failure, atMs);
}

/** Folds in what Graph notified of an operation; those that are not ours change nothing. */
export function foldOperation(record: CallRecord, told: Operation, atMs: number): CallRecord {
  const ours = operationsOf(record).find(
    ({ id, graphId }) =>
      id === told.clientContext || (graphId !== undefined && isSameGuid(graphId, told.id)),
  );
  if (ours === undefined) return record;
  return settle(record, ours.id, { ...patchOf(told), graphId: told.id }, atMs);
}

/** A transfer has no operation of its own in Graph: the call's state tells how it went. */
export function foldTransfer(
  record: CallRecord,
  { from, to }: { readonly from: CallState; readonly to: CallState },
  atMs: number,
): CallRecord {
  const isAccepted = to === 'transferAccepted';
  const isBack = (from === 'transferring' || from === 'transferAccepted') && to === 'established';
  if (!isAccepted && !isBack) return record;
  const status = isAccepted ? 'completed' : 'failed';
  return openOperations(record)
    .filter(({ kind }) => kind === 'transfer')
    .reduce((next, { id }) => settle(next, id, { status }, atMs), record);
}

/** Nothing more will be told of what a call that is over still waited for. */
export function endOperations(record: CallRecord, { resultSubcode, atMs }: CallEnd): CallRecord {
  return openOperations(record).reduce((next, { id, kind }) => {
    const isTransferred = kind === 'transfer' && resultSubcode === TRANSFERRED;
    return isTransferred
      ? settle(next, id, { status: 'completed' }, atMs)
      : settle(next, id, { status: 'failed', reason: 'call_ended' }, atMs);
  }, record);
}

/** With this subcode a call ends that was handed over. */
const TRANSFERRED = 7015;

/** True once nothing more is expected of it. */
export function isFinal(status: CallOperationStatus): boolean {
  return RANKS[status] === FINAL_RANK;
}

function openOperations(record: CallRecord): readonly CallOperation[] {
  return operationsOf(record).filter(({ status }) => !isFinal(status));
}

type Patch = Pick<CallOperation, 'status'> &
  Partial<Pick<CallOperation, 'graphId' | 'result' | 'reason'>>;

function patchOf({ status, result }: Operation): Patch {
  if (result === undefined) return { status };
  const { code, subcode } = result;
  return { status, result: { code, subcode } };
}

function settle(record: CallRecord, id: string, patch: Patch, atMs: number): CallRecord {
  const before = operationsOf(record).find((operation) => operation.id === id);
  if (before === undefined || isFinal(before.status)) return record;
  const isNews = RANKS[patch.status] > RANKS[before.status];
  const { status } = isNews ? patch : before;
  const after: CallOperation = { ...before, ...patch, status, updatedAtMs: atMs };
  if (!isNews && after.graphId === before.graphId) return record;
  const next = withOperations(
    record,
    operationsOf(record).map((operation) => (operation.id === id ? after : operation)),
  );
  return isNews ? tellOf(next, after, atMs) : next;
}

function tellOf(record: CallRecord, operation: CallOperation, atMs: number): CallRecord {
  const { id, kind, status, result } = operation;
  if (status !== 'completed' && status !== 'failed') return record;
  return tell(record, atMs, {
    type: 'call.operation',
    data: {
      operationId: id,
      kind,
      status,
      ...(result === undefined ? {} : { resultCode: result.code, resultSubcode: result.subcode }),
    },
  });
}

function withOperations(record: CallRecord, operations: readonly CallOperation[]): CallRecord {
  return withService(record, { operations });
}

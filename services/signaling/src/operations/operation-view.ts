import { classifyResult } from '@earshot/call';
import type { OperationView } from '../rest/operation-schemas.js';
import type { CallOperation } from './operation-state.js';

/** Graph answers, or its answer is given up, well before: whoever sent it has died. */
const UNANSWERED_AFTER_MS = 60_000;

/** An operation as the REST API shows it: what was asked for is not repeated. */
export function operationViewOf(
  operation: CallOperation,
  callId: string,
  nowMs: number,
): OperationView {
  const { id, kind, status, requestedAtMs, updatedAtMs, participantId, result, reason } = operation;
  const isUnanswered = status === 'notStarted' && updatedAtMs < nowMs - UNANSWERED_AFTER_MS;
  return {
    operationId: id,
    callId,
    kind,
    status: isUnanswered ? 'unknown' : status,
    requestedAt: new Date(requestedAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
    ...(participantId === undefined ? {} : { participantId }),
    ...(reason === undefined ? {} : { reason }),
    ...(result === undefined ? {} : resultOf(result, status)),
  };
}

function resultOf(
  result: NonNullable<CallOperation['result']>,
  status: CallOperation['status'],
): Pick<OperationView, 'resultCode' | 'resultSubcode' | 'sentence' | 'fix'> {
  const numbers = { resultCode: result.code, resultSubcode: result.subcode };
  if (status !== 'failed') return numbers;
  const { sentence, fix } = classifyResult(result);
  return { ...numbers, sentence, ...(fix === undefined ? {} : { fix }) };
}

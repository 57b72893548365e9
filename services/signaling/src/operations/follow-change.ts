import type { CallChange } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { withLeaver, withoutLeaver } from '../calls/left-participants.js';
import { serviceState, withService } from '../calls/service-state.js';
import { foldOperation, foldTransfer } from './operation-changes.js';

/** What a change that Graph told of means for operations, and for who left. */
export function followChange(record: CallRecord, change: CallChange, atMs: number): CallRecord {
  switch (change.kind) {
    case 'operation':
      return foldOperation(record, change.operation, atMs);
    case 'stateChanged':
      return foldTransfer(record, change, atMs);
    case 'participantLeft': {
      const { left } = serviceState(record);
      const reason = 'reason' in change ? String(change.reason) : undefined;
      return withService(record, { left: withLeaver(left, change.participant, reason, atMs) });
    }
    case 'participantJoined': {
      const { left } = serviceState(record);
      if (left === undefined) return record;
      return withService(record, { left: withoutLeaver(left, change.participant.id) });
    }
    default:
      return record;
  }
}

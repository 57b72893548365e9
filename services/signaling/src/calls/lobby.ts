import { selfOf } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { serviceState, withService } from './service-state.js';

/**
 * Takes note of whether the bot's own entry in the roster is in the lobby. The same record when
 * that is known already. A roster without that entry tells nothing.
 */
export function noteLobby(record: CallRecord, atMs: number): CallRecord {
  const self = selfOf(record.model);
  if (self === undefined) return record;
  const before = serviceState(record).lobby?.state;
  const now = self.isInLobby ? 'waiting' : 'admitted';
  if (now === before || (now === 'admitted' && before === undefined)) return record;
  return withService(record, { lobby: { state: now, sinceMs: atMs } });
}

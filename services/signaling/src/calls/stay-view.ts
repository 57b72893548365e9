import type { CallRecord } from '@earshot/registry';
import type { AutoLeaveView } from '../rest/auto-leave-schemas.js';
import type { CallView } from '../rest/schemas.js';
import type { Leaving } from './auto-leave.js';
import { leavingsOf } from './auto-leave.js';
import type { ServiceState } from './service-state.js';
import type { AutoLeaveLimits } from './stay-state.js';

/** Whether the bot was let into the meeting, and what will make it leave. */
export function stayOf(
  record: CallRecord,
  state: ServiceState,
): Pick<CallView, 'lobby' | 'autoLeave'> {
  const { lobby, autoLeave } = state;
  const [next] = state.end === undefined ? leavingsOf(record, state) : [];
  return {
    ...(lobby === undefined ? {} : { lobby: { state: lobby.state, since: iso(lobby.sinceMs) } }),
    ...(autoLeave === undefined ? {} : { autoLeave: rulesOf(autoLeave.limits, next) }),
  };
}

function rulesOf(limits: AutoLeaveLimits, next: Leaving | undefined): AutoLeaveView {
  const { aloneMs, nobodyCameMs, maxDurationMs, silentMs, lobbyMs, botsAreCompany } = limits;
  return {
    ...(aloneMs === undefined ? {} : { aloneSeconds: aloneMs / 1000 }),
    ...(nobodyCameMs === undefined ? {} : { nobodyCameSeconds: nobodyCameMs / 1000 }),
    ...(maxDurationMs === undefined ? {} : { maxDurationSeconds: maxDurationMs / 1000 }),
    ...(silentMs === undefined ? {} : { silentSeconds: silentMs / 1000 }),
    ...(lobbyMs === undefined ? {} : { lobbySeconds: lobbyMs / 1000 }),
    botsAreCompany,
    ...(next === undefined ? {} : { next: { rule: next.rule, at: iso(next.dueAtMs) } }),
  };
}

function iso(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

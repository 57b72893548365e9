import { initialCallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { endOperations } from '../operations/operation-changes.js';
import { closeOnFailure } from '../recording/recording-changes.js';
import type { CallAttempt, EarlierAttempt } from './call-attempt.js';
import { MAX_ATTEMPTS } from './call-attempt.js';
import type { CallEnd } from './call-end.js';
import { leftEvent, tell } from './call-telling.js';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';
import type { StoredProblem } from './stored-problem.js';

// Pure steps of a call's record: an attempt is wanted, begins, fails, is cleared up. The next one
// begins only when the leg of the one before is known to be gone, so that a call has one leg at most.

/** A call that is to be made and that no process has begun yet. */
export function firstAttempt(
  atMs: number,
  { mayRepeat, displayName }: { mayRepeat: boolean; displayName?: string | undefined },
): CallAttempt {
  return {
    number: 1,
    startedAtMs: atMs,
    mayRepeat,
    ...(displayName === undefined ? {} : { displayName }),
    wanted: { sinceMs: atMs },
    earlier: [],
  };
}

/** Since when (Unix ms) the present attempt runs. */
export function startedAtMs(record: CallRecord, { attempt }: ServiceState): number {
  return attempt?.startedAtMs ?? record.createdAtMs;
}

/** Whether the call, ending so, is tried once more instead. */
export function mayAttemptAgain(record: CallRecord, end: CallEnd): boolean {
  const { attempt, end: endedBy, hangUpAtMs } = serviceState(record);
  if (attempt === undefined || !attempt.mayRepeat || attempt.number >= MAX_ATTEMPTS) return false;
  if (attempt.wanted !== undefined || endedBy !== undefined || hangUpAtMs !== undefined) {
    return false;
  }
  return end.retryClass === 'onceOnAnotherHost';
}

/**
 * The attempt is over and another one wanted: whoever was in the call has left it, and nothing of
 * its audio counts any more. Its leg and its media are cleared up before the next one begins.
 */
export function wantAnotherAttempt(record: CallRecord, end: CallEnd): CallRecord {
  const { attempt, autoLeave } = serviceState(record);
  if (attempt === undefined) return record;
  const { model } = record;
  // Graph tells nothing more of what was asked of the leg that is lost.
  let next = endOperations(closeOnFailure(record, end.atMs), end);
  for (const participant of Object.values(model.participants)) {
    next = tell(next, end.atMs, leftEvent(participant, undefined));
  }
  if (model.state !== 'establishing') {
    const data = { from: model.state, to: 'establishing' };
    next = tell(next, end.atMs, { type: 'call.stateChanged', data });
  }
  const { graphCallId } = model;
  const fresh = { ...initialCallModel, ...(graphCallId === undefined ? {} : { graphCallId }) };
  return withService(
    { ...next, model: fresh },
    {
      establishedAtMs: undefined,
      attachedAtMs: undefined,
      move: undefined,
      sessionOverAtMs: undefined,
      lobby: undefined,
      roster: undefined,
      autoLeave: autoLeave && { ...autoLeave, aloneSinceMs: undefined },
      attempt: { ...attempt, wanted: { sinceMs: end.atMs, end } },
    },
  );
}

/** Whether the next attempt may begin: the leg before it must be gone for sure. */
export function canBegin({ attempt, end, graph, hangUpAtMs }: ServiceState): boolean {
  if (attempt?.wanted === undefined || end !== undefined || hangUpAtMs !== undefined) return false;
  return graph !== 'present' && graph !== 'requested';
}

/** How often the call will have been made in Graph with the attempt that is wanted or runs. */
export function creationOf(record: CallRecord): number {
  const { attempt, graph } = serviceState(record);
  const earlier = attempt?.earlier.filter((one) => one.isInGraph).length ?? 0;
  const isPresentOver = attempt?.wanted?.end !== undefined && graph !== 'none';
  return 1 + earlier + (isPresentOver ? 1 : 0);
}

/** The wanted attempt begins, on the given host. No effect when another process was faster. */
export function beginAttempt(
  record: CallRecord,
  { hostId, attemptKey, atMs }: { hostId: string; attemptKey: string; atMs: number },
): CallRecord {
  const state = serviceState(record);
  const { attempt } = state;
  if (attempt?.wanted === undefined || !canBegin(state)) return record;
  const { wanted, ...ongoing } = attempt;
  const { mediaId: _, ...bare } = record;
  const before = { ...bare, hostId, attemptKey, model: initialCallModel };
  if (wanted.end === undefined) {
    return withService(before, { attempt: { ...ongoing, startedAtMs: atMs } });
  }
  const over: EarlierAttempt = {
    attemptKey: record.attemptKey,
    ...(record.hostId === undefined ? {} : { hostId: record.hostId }),
    ...(record.mediaId === undefined ? {} : { mediaId: record.mediaId }),
    hostHeld: state.hostHeld,
    isInGraph: state.graph !== 'none',
    startedAtMs: attempt.startedAtMs,
    end: wanted.end,
  };
  const number = attempt.number + 1;
  const next = withService(before, {
    attempt: { ...ongoing, number, startedAtMs: atMs, earlier: [...attempt.earlier, over] },
    graph: 'none',
    graphDeletedAtMs: undefined,
    hostHeld: false,
  });
  const { code, retryClass, reason, resultCode, resultSubcode } = wanted.end;
  return tell(next, atMs, {
    type: 'call.rejoined',
    data: {
      attempt: number,
      hostId,
      cause: code,
      reason,
      retryClass,
      ...(resultCode === undefined ? {} : { resultCode }),
      ...(resultSubcode === undefined ? {} : { resultSubcode }),
    },
  });
}

/** A change of one attempt only: what comes too late for it changes nothing. */
export function ofAttempt(
  record: CallRecord,
  attemptKey: string,
  change: (record: CallRecord) => CallRecord,
): CallRecord {
  return record.attemptKey === attemptKey ? change(record) : record;
}

/** What is answered to the request that made the call, once nothing more is tried. */
export function withProblem(
  record: CallRecord,
  problem: StoredProblem,
  legMayExist: boolean,
): CallRecord {
  const { attempt, end, keptAliveAtMs } = serviceState(record);
  // Who asked for a call that Graph accepted has long been answered.
  if (keptAliveAtMs !== undefined) return record;
  if (end !== undefined) return withService(record, { problem });
  if (attempt?.wanted === undefined) return record;
  return withService(record, {
    attempt: { ...attempt, wanted: { ...attempt.wanted, problem, legMayExist } },
  });
}

/** Replaces what is known of an attempt that is over. */
export function withEarlier(
  record: CallRecord,
  attemptKey: string,
  patch: Partial<EarlierAttempt>,
): CallRecord {
  const { attempt } = serviceState(record);
  if (attempt === undefined) return record;
  const earlier = attempt.earlier.map((one) =>
    one.attemptKey === attemptKey ? { ...one, ...patch } : one,
  );
  return withService(record, { attempt: { ...attempt, earlier } });
}

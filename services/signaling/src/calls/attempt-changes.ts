import type { CallRecord } from '@earshot/registry';
import { withProblem } from './attempts.js';
import type { WantedAttempt } from './call-attempt.js';
import { endCall, endForGood } from './call-changes.js';
import type { CallEnd } from './call-end.js';
import { localEnd } from './call-end.js';
import { serviceState, withService } from './service-state.js';
import type { StartFailure } from './start-failures.js';
import { NO_MEDIA_HOST } from './start-failures.js';
import type { GraphLeg } from './stored-problem.js';

// Pure steps of a call's record: an attempt that began has failed, or one that was wanted is not made.

/** Why a wanted attempt is not made. */
export type NotMade = 'no_other_host' | 'not_admitted' | 'given_up' | 'call_gone';

/**
 * The present attempt could not be made: another one is wanted, or the call has ended. No effect
 * when a callback has told that Graph made the leg all the same.
 */
export function failAttempt(record: CallRecord, failure: StartFailure, atMs: number): CallRecord {
  const { end, result, legMayExist, problem } = failure;
  const { graph, attempt, end: endedBy } = serviceState(record);
  const isOver = endedBy !== undefined || attempt?.wanted !== undefined;
  if (graph === 'present' && !isOver) return record;
  const ending = localEnd(end, atMs, result);
  // Graph's explicit failure leaves no leg as a rule; where it does, a callback tells.
  const isRefused = !legMayExist || ending.retryClass === 'onceOnAnotherHost';
  const known = withService(record, {
    graph: graph === 'requested' && isRefused ? 'gone' : graph,
  });
  const next = isOver ? known : endCall(known, ending);
  const isWanted = serviceState(next).attempt?.wanted !== undefined;
  const kept = legMayExist && !isWanted ? withService(next, { graph }) : next;
  return withProblem(kept, problem, legMayExist);
}

/** Nothing more is tried: the call ends as the attempt before did. No effect when none is wanted. */
export function giveUpAttempt(record: CallRecord, why: NotMade, atMs: number): CallRecord {
  const { attempt, end: endedBy } = serviceState(record);
  const wanted = attempt?.wanted;
  if (wanted === undefined || endedBy !== undefined) return record;
  const end = wanted.end ?? localEnd('host_unavailable', atMs);
  const ended = endForGood(record, { ...end, atMs, reason: reasonOf(end, why) });
  const graph = legAfter(serviceState(ended).graph, wanted, why);
  const known = withService(ended, { graph });
  return withProblem(known, wanted.problem ?? NO_MEDIA_HOST, wanted.legMayExist === true);
}

/** A leg that may have been made all the same is given away by its first callback. */
function legAfter(graph: GraphLeg, { legMayExist }: WantedAttempt, why: NotMade): GraphLeg {
  if (why === 'call_gone') return 'gone';
  return legMayExist === true && graph === 'gone' ? 'requested' : graph;
}

const WHY_NOT: Readonly<Record<NotMade, string>> = {
  no_other_host: 'No other media host could take it.',
  not_admitted: 'It could not be joined again within the limits of the app.',
  given_up: 'It could not be joined again in time.',
  call_gone: 'Graph no longer knew the call, so it was not joined again.',
};

function reasonOf({ reason }: CallEnd, why: NotMade): string {
  return `${reason} ${WHY_NOT[why]}`;
}

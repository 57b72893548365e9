import type { CallRecord, Placement } from '@earshot/registry';
import { endCall } from './call-changes.js';
import { localEnd } from './call-end.js';
import type { FailedWorker, MediaMove } from './media-move.js';
import {
  FAILED_WORKER_MS,
  INTERRUPTION_GRACE_MS,
  MAX_FAILED_WORKERS,
  MOVE_PAUSE_MS,
} from './media-move.js';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';

// Pure steps of a call's record: where its audio goes, and that it has to go elsewhere.

/** What a media host says of a call's audio (H-13). */
export interface ToldMediaState {
  readonly state: 'inactive' | 'active' | 'failed' | 'ended';
  readonly detail?: string | undefined;
}

/** Ends of a media link that say nothing bad of the worker: a token was used up, or the call moved on. */
const BLAMELESS: ReadonlySet<string> = new Set(['unauthorized', 'closed_4401', 'closed_4409']);

/** When a state was told, and what is known beside it. */
export interface Telling {
  /** Unix ms. */
  readonly atMs: number;
  /** The worker that the call is on lives no more: waiting for it is no use. */
  readonly isWorkerGone: boolean;
}

/**
 * Folds in what the host says of the audio; saying it again changes nothing.
 *
 * Such a message names no attachment. Before the first one it tells nothing new but `media_lost`;
 * once the call is placed anew it may be about either attachment, so that only `attached` counts.
 */
export function applyMediaState(
  record: CallRecord,
  { state: told, detail }: ToldMediaState,
  telling: Telling,
): CallRecord {
  const state = serviceState(record);
  if (told === 'ended') return record;
  if (state.end !== undefined) return told === 'active' ? flows(record, state) : record;
  if (told === 'failed' && detail === 'media_lost') {
    return endCall(record, localEnd('media_failed', telling.atMs));
  }
  if (state.attachedAtMs === undefined) return record;
  if (told === 'failed') return failed(record, detail, telling);
  if (told === 'active') {
    return detail === 'drain_requested' ? drain(record, state, telling) : flows(record, state);
  }
  return detail === 'link_interrupted' ? interrupted(record, state, telling) : record;
}

/**
 * The call was placed anew: from here on the worker before loses it, whatever happens next. No
 * effect when the call is over, or a newer placement stands already.
 */
export function placeAnew(
  record: CallRecord,
  placement: Placement,
  wanted: MediaMove,
  atMs: number,
): CallRecord {
  if (!isWanted(record, placement)) return record;
  const move = serviceState(record).move ?? wanted;
  const { placedEpoch = 0, silentSinceMs = atMs } = move;
  if (placement.epoch <= placedEpoch) return record;
  return withMove(record, { ...move, silentSinceMs, placedEpoch: placement.epoch });
}

/**
 * Whether the audio has to go where it was placed: the call lives, or left sound that nobody has heard,
 * and has not been attached by a later placement.
 */
export function isWanted(record: CallRecord, placement: Placement): boolean {
  const { end, hangUpAtMs, move } = serviceState(record);
  const isLive = end === undefined && hangUpAtMs === undefined;
  const isUnheard = move?.silentSinceMs !== undefined;
  return (isLive || isUnheard) && placement.epoch > (record.epoch ?? 0);
}

/** The host's session is over: no worker can have its audio. Why, Teams may be about to say. */
export function endSession(record: CallRecord, atMs: number): CallRecord {
  const { sessionOverAtMs = atMs } = serviceState(record);
  return withService(record, { move: undefined, sessionOverAtMs });
}

/**
 * The host confirmed that the audio goes where the call was placed. No effect when the call was
 * placed anew meanwhile: that worker has lost it already.
 */
export function confirmAttached(
  record: CallRecord,
  { workerId, epoch }: Placement,
  atMs: number,
): CallRecord {
  const { attachedAtMs, move, moves = 0 } = serviceState(record);
  if (epoch <= (record.epoch ?? 0) || epoch < (move?.placedEpoch ?? 0)) return record;
  return withService(
    { ...record, workerId, epoch },
    {
      attachedAtMs: atMs,
      move: undefined,
      moves: attachedAtMs === undefined ? moves : moves + 1,
    },
  );
}

/** A worker could not be reached, refused the call or lost it. */
export function blameWorker(record: CallRecord, workerId: string, atMs: number): CallRecord {
  const others = recentlyFailed(record, atMs).filter((failed) => failed.workerId !== workerId);
  const failedWorkers = [...others, { workerId, atMs }].slice(-MAX_FAILED_WORKERS);
  return withService(record, { failedWorkers });
}

/**
 * Which workers a call should not be placed on, strictest first: the next is for when no other
 * worker is left. A worker that drains is not tried again while audio still reaches it.
 */
export function exclusionsOf(record: CallRecord, atMs: number): string[][] {
  const { move } = serviceState(record);
  const left = move === undefined || record.workerId === undefined ? [] : [record.workerId];
  const failed = recentlyFailed(record, atMs).map(({ workerId }) => workerId);
  const steps = [[...new Set([...left, ...failed])]];
  if (failed.some((workerId) => !left.includes(workerId))) steps.push(left);
  const keepsAway = left.length > 0 && move?.silentSinceMs === undefined;
  if (!keepsAway && steps.at(-1)?.length !== 0) steps.push([]);
  return steps;
}

/**
 * Audio flows: nothing has to be done, unless the call was placed anew meanwhile, or its worker
 * drains, which it does not take back.
 */
function flows(record: CallRecord, { move }: ServiceState): CallRecord {
  if (move === undefined || move.placedEpoch !== undefined) return record;
  if (move.cause === 'drain') return heard(record, move);
  return withService(record, { move: undefined });
}

/** Audio flows, and the worker wants to be rid of it. */
function drain(record: CallRecord, state: ServiceState, { atMs }: Telling): CallRecord {
  const { move } = state;
  if (move?.placedEpoch !== undefined) return record;
  if (move?.cause !== 'drain') {
    return withMove(record, { cause: 'drain', sinceMs: atMs, dueAtMs: soonest(state, atMs) });
  }
  return heard(record, move);
}

function heard(record: CallRecord, move: MediaMove): CallRecord {
  if (move.silentSinceMs === undefined) return record;
  return withMove(record, { ...move, silentSinceMs: undefined });
}

/** The host dials the broken link again. */
function interrupted(
  record: CallRecord,
  { move }: ServiceState,
  { atMs, isWorkerGone }: Telling,
): CallRecord {
  if (move !== undefined) return silent(record, move, atMs);
  const dueAtMs = isWorkerGone ? atMs : atMs + INTERRUPTION_GRACE_MS;
  return withMove(record, { cause: 'interrupted', sinceMs: atMs, dueAtMs, silentSinceMs: atMs });
}

/** The host gave the link up. A worker that drained and left did not fail. */
function failed(record: CallRecord, detail: string | undefined, { atMs }: Telling): CallRecord {
  const state = serviceState(record);
  const { move } = state;
  if (move !== undefined && (move.placedEpoch !== undefined || move.cause !== 'interrupted')) {
    return silent(record, move, atMs);
  }
  const { workerId } = record;
  const isBlameless = workerId === undefined || BLAMELESS.has(detail ?? '');
  const blamed = isBlameless ? record : blameWorker(record, workerId, atMs);
  return withMove(blamed, {
    cause: 'failed',
    sinceMs: atMs,
    dueAtMs: soonest(state, atMs),
    silentSinceMs: move?.silentSinceMs ?? atMs,
  });
}

function silent(record: CallRecord, move: MediaMove, atMs: number): CallRecord {
  if (move.silentSinceMs !== undefined) return record;
  return withMove(record, { ...move, silentSinceMs: atMs });
}

function withMove(record: CallRecord, move: MediaMove): CallRecord {
  return withService(record, { move });
}

function soonest({ attachedAtMs = 0 }: ServiceState, atMs: number): number {
  return Math.max(atMs, attachedAtMs + MOVE_PAUSE_MS);
}

function recentlyFailed(record: CallRecord, atMs: number): readonly FailedWorker[] {
  const { failedWorkers = [] } = serviceState(record);
  return failedWorkers.filter((failed) => failed.atMs > atMs - FAILED_WORKER_MS);
}

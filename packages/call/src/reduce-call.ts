import type { CallChange } from './call-change.js';
import type { CallModel, Operation, OperationStatus } from './call-model.js';
import type { CallData, CallNotification, OperationData, ToneInfo } from './call-notification.js';
import type { CallState } from './call-state.js';
import { laterState } from './call-state.js';
import { isSameGuid } from './guid.js';
import { defined } from './lenient.js';
import { withNewest } from './newest.js';
import { reduceDelta, reduceSnapshot } from './reduce-roster.js';

/** What follows from a notification. */
export interface Reduction {
  readonly model: CallModel;
  /** In the order in which they should be told. */
  readonly changes: readonly CallChange[];
}

/** Tones may come swapped, but not by more than this many. */
const TONES_REMEMBERED = 64;
const OPERATIONS_REMEMBERED = 32;

const STATUS_RANKS: Readonly<Record<OperationStatus, number>> = {
  notStarted: 0,
  running: 1,
  completed: 2,
  failed: 2,
};

/**
 * Folds one notification into what is known of a call. Tolerates swapped, repeated, partial and
 * stale ones; once the call is `terminated`, nothing changes its state and nothing is told.
 * A notification of another call changes nothing.
 *
 * All notifications of a call that has ended, in any order and each any number of times, give the
 * same model, but for what the model only remembers to tell old from new (`departed`), and for the
 * order of its entries. So do those of a call that lives, but for `mediaState` and which of the
 * states between `established` and `terminating` it is in: nothing in them tells which came last.
 *
 * Deltas of a roster are put in order by their numbers, and whole rosters by those of their
 * entries, if each has the roster's. Where an entry only has that of the roster in which its
 * participant last changed, an old roster may look like a new one that somebody is missing in;
 * `rosterIncomplete` is then set, and the list, read again and folded in with `asOf`, sets it
 * right. (One with the highest number of all that comes after its successor passes for the newest,
 * until another comes.) Rosters without numbers count in the order in which they come.
 */
export function reduceCall(model: CallModel, notification: CallNotification): Reduction {
  const { graphCallId } = notification;
  if (graphCallId === undefined) return { model, changes: [] };
  if (model.graphCallId !== undefined && !isSameGuid(model.graphCallId, graphCallId)) {
    return { model, changes: [] };
  }
  const known = model.graphCallId === undefined ? { ...model, graphCallId } : model;
  const reduction = reduceKnown(known, notification);
  return model.state === 'terminated' ? { model: reduction.model, changes: [] } : reduction;
}

function reduceKnown(model: CallModel, notification: CallNotification): Reduction {
  switch (notification.kind) {
    case 'call':
      return reduceCallData(model, notification.call, notification.changeType === 'deleted');
    case 'roster':
      return reduceSnapshot(model, notification);
    case 'rosterDelta':
      return reduceDelta(model, notification);
    case 'operation':
      return reduceOperation(model, notification.operation);
    case 'other':
      return { model, changes: [] };
  }
}

function reduceCallData(model: CallModel, call: CallData, isDeleted: boolean): Reduction {
  const merged = merge(model, call);
  const heard = isDeleted ? 'terminated' : call.state;
  if (model.state === 'terminated') return end(merged, isEnd(heard) ? call : {}, []);
  const to = heard === undefined ? model.state : laterState(model.state, heard);
  const changes: CallChange[] = [];
  if (to !== model.state) changes.push({ kind: 'stateChanged', from: model.state, to });
  if (to === 'terminated') return end(merged, call, changes);
  const toned = withTone(merged, call.toneInfo, changes);
  const result = isEnd(heard) ? call.resultInfo : undefined;
  return { model: { ...toned, state: to, ...defined({ result }) }, changes };
}

/** Results of other states, such as a failed transfer, are not those of the call. */
function isEnd(heard: CallState | undefined): boolean {
  return heard === 'terminating' || heard === 'terminated';
}

/** What a notification leaves out stays as it was. */
function merge(model: CallModel, call: CallData): CallModel {
  const { myParticipantId, callChainId, tenantId, subject, chatInfo, mediaState } = call;
  return {
    ...model,
    ...defined({ myParticipantId, callChainId, tenantId, subject, chatInfo, mediaState }),
  };
}

/**
 * The result of the end itself counts before one that was told on the way there. What only
 * served the live call is dropped.
 */
function end(model: CallModel, call: CallData, changes: CallChange[]): Reduction {
  const { mediaState: _, toneSequences: __, ...lasting } = model;
  const isNew = model.state !== 'terminated';
  const result = isNew ? (call.resultInfo ?? model.result) : (model.result ?? call.resultInfo);
  const told = defined({ result });
  changes.push({ kind: 'ended', ...told });
  return { model: { ...lasting, state: 'terminated', ...told }, changes };
}

function withTone(
  model: CallModel,
  toneInfo: ToneInfo | undefined,
  changes: CallChange[],
): CallModel {
  if (toneInfo === undefined) return model;
  const { sequenceId, tone } = toneInfo;
  const seen = model.toneSequences ?? [];
  const isTooOld = seen.length === TONES_REMEMBERED && sequenceId < (seen[0] ?? sequenceId);
  if (isTooOld || seen.includes(sequenceId)) return model;
  changes.push({ kind: 'tone', tone, sequenceId });
  const sequences = [...seen, sequenceId].sort((a, b) => a - b);
  return { ...model, toneSequences: sequences.slice(-TONES_REMEMBERED) };
}

function reduceOperation(model: CallModel, data: OperationData): Reduction {
  const operations = model.operations ?? {};
  const before = Object.hasOwn(operations, data.id) ? operations[data.id] : undefined;
  const status = data.status ?? before?.status ?? 'notStarted';
  if (before !== undefined && STATUS_RANKS[status] < STATUS_RANKS[before.status]) {
    return { model, changes: [] };
  }
  const operation: Operation = { ...before, ...data, status };
  const next = withNewest(operations, data.id, operation, OPERATIONS_REMEMBERED);
  const isNews = status !== before?.status;
  return {
    model: { ...model, operations: next },
    changes: isNews ? [{ kind: 'operation', operation }] : [],
  };
}

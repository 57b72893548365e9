import type { CallChange, CallModel, CallNotification, ResultInfo } from '@earshot/call';
import { isSameGuid, reduceCall } from '@earshot/call';
import { digitOfGraphTone } from '@earshot/dtmf';
import type { CallRecord } from '@earshot/registry';
import { followChange } from '../operations/follow-change.js';
import { endOperations } from '../operations/operation-changes.js';
import { closeAtEnd } from '../recording/recording-changes.js';
import { mayAttemptAgain, wantAnotherAttempt } from './attempts.js';
import { noteCompany } from './auto-leave.js';
import type { CallEnd } from './call-end.js';
import { endByTeams, localEnd } from './call-end.js';
import { leftEvent, participantEvent, tell, toneEvent } from './call-telling.js';
import type { LegState } from './leg-state.js';
import {
  endsLeg,
  isSignOfLife,
  isToRecall,
  isWaitingForPeople,
  straysLeft,
  withStray,
} from './leg-state.js';
import { noteLobby } from './lobby.js';
import { noteRosterNeed } from './roster-reading.js';
import { serviceState, withService } from './service-state.js';

// Pure steps of a call's record. Each returns the next record, in which a change of state and the
// events that tell of it stand together, so that storing it once stores both.

/** A leg as Graph answered that it made it. */
export interface AcceptedLeg {
  readonly graphCallId: string;
  readonly myParticipantId?: string;
  readonly callChainId?: string;
  /** Of the attempt that asked for it; when there is a newer one, the leg has to go. */
  readonly attemptKey?: string;
}

/** Graph accepted the call. What a callback told before the answer came is kept. */
export function acceptByGraph(record: CallRecord, leg: AcceptedLeg, atMs: number): CallRecord {
  const { graphCallId, myParticipantId, callChainId, attemptKey = record.attemptKey } = leg;
  if (attemptKey !== record.attemptKey) {
    const told = { kind: 'call', changeType: 'created', graphCallId, call: {} } as const;
    return applyToEarlierAttempt(record, told, atMs);
  }
  const model: CallModel = {
    ...record.model,
    graphCallId,
    ...(myParticipantId === undefined ? {} : { myParticipantId }),
    ...(callChainId === undefined ? {} : { callChainId }),
  };
  const { graph } = serviceState(record);
  const accepted = withService(
    { ...record, model },
    { keptAliveAtMs: atMs, graph: graph === 'requested' ? 'present' : graph },
  );
  return noteOwnPlace(accepted, atMs);
}

/** Folds one notification in. Repeated, swapped or stale ones change nothing. */
export function applyNotification(
  record: CallRecord,
  notification: CallNotification,
  atMs: number,
): CallRecord {
  const state = serviceState(record);
  const endedBy = state.end ?? state.attempt?.wanted?.end;
  if (endedBy !== undefined) return applyAfterEnd(record, endedBy, notification, atMs);
  const { model, changes } = reduceCall(record.model, notification);
  const isFirstSign = state.graph === 'requested' && notification.graphCallId !== undefined;
  const known = isFirstSign
    ? withService(record, { graph: 'present', keptAliveAtMs: atMs })
    : record;
  const again = attemptedAgain(known, model, changes, atMs);
  if (again !== undefined) return again;
  let next: CallRecord = model === record.model ? known : { ...known, model };
  for (const change of changes) next = applyChange(followChange(next, change, atMs), change, atMs);
  const isWaitOver = isWaitingForPeople(record.model) && !isWaitingForPeople(model);
  if (isWaitOver) next = withLeg(next, { ...state.leg, waitedUntilMs: atMs });
  return noteOwnPlace(next, atMs);
}

/**
 * Folds in a notification that came to the address of an earlier attempt to join: Graph made that
 * leg too late, or without saying so. It is no leg of ours any more.
 */
export function applyToEarlierAttempt(
  record: CallRecord,
  notification: CallNotification,
  atMs: number,
): CallRecord {
  const { leg = {} } = serviceState(record);
  const next = withStray(leg, notification, atMs);
  if (next === leg) return record;
  return withLeg(straysLeft(next).length === 0 ? record : reopened(record), next);
}

/** Where the bot itself stands: in the lobby or let in, alone or in company, or nowhere yet. */
function noteOwnPlace(record: CallRecord, atMs: number): CallRecord {
  if (serviceState(record).end !== undefined) return record;
  const noted = noteLobby(record, atMs);
  const { lobby } = serviceState(noted);
  const isNews = noted !== record && lobby !== undefined;
  const told = isNews
    ? tell(noted, atMs, { type: 'call.lobby', data: { state: lobby.state } })
    : noted;
  return noteRosterNeed(noteCompany(told, atMs), atMs);
}

/**
 * Ends the call by a decision of this service, or has it tried once more where that makes sense.
 * No effect on a call that has ended.
 */
export function endCall(record: CallRecord, end: CallEnd): CallRecord {
  if (serviceState(record).end !== undefined) return record;
  return mayAttemptAgain(record, end) ? wantAnotherAttempt(record, end) : endForGood(record, end);
}

/** Ends the call, whatever might still be tried. No effect on a call that has ended. */
export function endForGood(record: CallRecord, end: CallEnd): CallRecord {
  if (serviceState(record).end !== undefined) return record;
  const from = record.model.state;
  const model: CallModel = { ...record.model, state: 'terminated' };
  const told = tell({ ...record, model }, end.atMs, {
    type: 'call.stateChanged',
    data: { from, to: 'terminated' },
  });
  return finish(told, end);
}

/** Forgets the events up to and including `position`: they are in the queue. */
export function dropPublished(record: CallRecord, position: number): CallRecord {
  const pendingEvents = serviceState(record).pendingEvents.filter((e) => e.position > position);
  return withService(record, { pendingEvents });
}

/** The record when the notification tells of an end after which the call is tried once more. */
function attemptedAgain(
  record: CallRecord,
  model: CallModel,
  changes: readonly CallChange[],
  atMs: number,
): CallRecord | undefined {
  const ended = changes.find((change) => change.kind === 'ended');
  if (ended === undefined) return undefined;
  const end = endOf(record, ended.result, atMs);
  if (!mayAttemptAgain(record, end)) return undefined;
  const { graphCallId } = model;
  const known = { ...record.model, ...(graphCallId === undefined ? {} : { graphCallId }) };
  return wantAnotherAttempt(withService({ ...record, model: known }, { graph: 'gone' }), end);
}

/**
 * A call that we ended may turn out to live on in Graph: it answered too late, or not at all.
 * Its id is all that is wanted then, to delete it.
 */
function applyAfterEnd(
  record: CallRecord,
  end: CallEnd,
  notification: CallNotification,
  atMs: number,
): CallRecord {
  const { graph, leg = {} } = serviceState(record);
  const { graphCallId = notification.graphCallId } = record.model;
  if (graphCallId === undefined || !isSameGuid(graphCallId, notification.graphCallId ?? '')) {
    return record;
  }
  if (endsLeg(notification)) {
    return graph === 'gone' ? record : withService(record, { graph: 'gone' });
  }
  if (!isSignOfLife(notification)) return record;
  const found = { ...record, model: { ...record.model, graphCallId } };
  if (graph === 'requested') return withLegFound(found, { ...leg, foundAtMs: atMs });
  const isDeleted = graph === 'deleteSent' || graph === 'gone';
  if (!isDeleted || !isToRecall(leg, end.atMs, atMs)) return record;
  return withLegFound(found, { ...leg, foundAtMs: atMs, recalls: (leg.recalls ?? 0) + 1 });
}

/** The leg of a call that is over has to be deleted, again perhaps. */
function withLegFound(record: CallRecord, leg: LegState): CallRecord {
  return withService(reopened(record), { graph: 'present', leg });
}

function withLeg(record: CallRecord, leg: LegState): CallRecord {
  return withService(record, { leg });
}

/** A call that was closed is looked at again. */
function reopened(record: CallRecord): CallRecord {
  return record.endedAtMs === undefined ? record : { ...record, reopened: true };
}

function applyChange(record: CallRecord, change: CallChange, atMs: number): CallRecord {
  switch (change.kind) {
    case 'stateChanged':
      return applyState(record, change.from, change.to, atMs);
    case 'participantJoined':
      return tell(record, atMs, participantEvent('participant.joined', change.participant));
    case 'participantUpdated':
      return tell(record, atMs, participantEvent('participant.updated', change.participant));
    case 'participantLeft':
      return tell(record, atMs, leftEvent(change.participant, change.reason));
    case 'tone':
      return tellTone(record, change.tone, atMs);
    case 'operation':
      return record;
    case 'ended':
      return finish(withService(record, { graph: 'gone' }), endOf(record, change.result, atMs));
  }
}

/** Graph tells of tones only in calls whose media it hosts; the model has left out repeated ones. */
function tellTone(record: CallRecord, tone: string, atMs: number): CallRecord {
  const digit = digitOfGraphTone(tone);
  return digit === undefined ? record : tell(record, atMs, toneEvent(record, digit, atMs));
}

/** Graph also notifies of the end that we asked for. */
function endOf(record: CallRecord, result: ResultInfo | undefined, atMs: number): CallEnd {
  return serviceState(record).hangUpAtMs === undefined
    ? endByTeams(result, atMs)
    : localEnd('hung_up', atMs, result);
}

function applyState(record: CallRecord, from: string, to: string, atMs: number): CallRecord {
  const told = tell(record, atMs, { type: 'call.stateChanged', data: { from, to } });
  const isFirst = to === 'established' && serviceState(record).establishedAtMs === undefined;
  return isFirst ? withService(told, { establishedAtMs: atMs }) : told;
}

function finish(record: CallRecord, end: CallEnd): CallRecord {
  return tell(withService(closeAtEnd(endOperations(record, end), end.atMs), { end }), end.atMs, {
    type: 'call.ended',
    data: {
      cause: end.code,
      kind: end.kind,
      reason: end.reason,
      retryClass: end.retryClass,
      ...(end.rule === undefined ? {} : { rule: end.rule }),
      ...(end.resultCode === undefined ? {} : { resultCode: end.resultCode }),
      ...(end.resultSubcode === undefined ? {} : { resultSubcode: end.resultSubcode }),
    },
  });
}

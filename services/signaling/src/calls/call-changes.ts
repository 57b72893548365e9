import type { CallChange, CallModel, CallNotification, ResultInfo } from '@earshot/call';
import { reduceCall } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import type { CallEnd } from './call-end.js';
import { endByTeams, localEnd } from './call-end.js';
import { participantEvent, tell } from './call-telling.js';
import { serviceState, withService } from './service-state.js';

// Pure steps of a call's record. Each returns the next record, in which a change of state and the
// events that tell of it stand together, so that storing it once stores both.

/** Graph accepted the call. What a callback told before the answer came is kept. */
export function acceptByGraph(
  record: CallRecord,
  leg: { graphCallId: string; myParticipantId?: string; callChainId?: string },
  atMs: number,
): CallRecord {
  const { graphCallId, myParticipantId, callChainId } = leg;
  const model: CallModel = {
    ...record.model,
    graphCallId,
    ...(myParticipantId === undefined ? {} : { myParticipantId }),
    ...(callChainId === undefined ? {} : { callChainId }),
  };
  const { graph } = serviceState(record);
  return withService(
    { ...record, model },
    { keptAliveAtMs: atMs, graph: graph === 'requested' ? 'present' : graph },
  );
}

/** Folds one notification in. Repeated, swapped or stale ones change nothing. */
export function applyNotification(
  record: CallRecord,
  notification: CallNotification,
  atMs: number,
): CallRecord {
  const state = serviceState(record);
  if (state.end !== undefined) return applyAfterEnd(record, notification);
  const { model, changes } = reduceCall(record.model, notification);
  const isFirstSign = state.graph === 'requested' && notification.graphCallId !== undefined;
  let next: CallRecord = model === record.model ? record : { ...record, model };
  if (isFirstSign) next = withService(next, { graph: 'present', keptAliveAtMs: atMs });
  for (const change of changes) next = applyChange(next, change, atMs);
  return next;
}

/** Ends the call by a decision of this service. No effect on a call that has ended. */
export function endCall(record: CallRecord, end: CallEnd): CallRecord {
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

/**
 * A call that we ended may turn out to live on in Graph: it answered too late, or not at all.
 * Its id is all that is wanted then, to delete it.
 */
function applyAfterEnd(record: CallRecord, notification: CallNotification): CallRecord {
  const { graph } = serviceState(record);
  const { model } = reduceCall({ ...record.model, state: 'establishing' }, notification);
  if (model.state === 'terminated') {
    return graph === 'gone' ? record : withService(record, { graph: 'gone' });
  }
  const { graphCallId } = notification;
  if (graph !== 'requested' || graphCallId === undefined) return record;
  return withService({ ...record, model: { ...record.model, graphCallId } }, { graph: 'present' });
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
      return tell(record, atMs, participantEvent('participant.left', change.participant));
    case 'tone':
      // Graph tells of tones only in calls with service-hosted media, which ours never are.
      return record;
    case 'operation':
      return record;
    case 'ended':
      return finish(withService(record, { graph: 'gone' }), endOf(record, change.result, atMs));
  }
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
  return tell(withService(record, { end }), end.atMs, {
    type: 'call.ended',
    data: {
      reason: end.reason,
      retryClass: end.retryClass,
      ...(end.resultCode === undefined ? {} : { resultCode: end.resultCode }),
      ...(end.resultSubcode === undefined ? {} : { resultSubcode: end.resultSubcode }),
    },
  });
}

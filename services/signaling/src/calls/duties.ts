import type { CallRecord } from '@earshot/registry';
import type { IncomingDutyKind } from '../incoming/incoming-duties.js';
import { incomingDuties } from '../incoming/incoming-duties.js';
import type { RecordingDutyKind } from '../recording/recording-duties.js';
import { recordingDuties } from '../recording/recording-duties.js';
import { canBegin, startedAtMs } from './attempts.js';
import { leavingsOf } from './auto-leave.js';
import type { EarlierAttempt, WantedAttempt } from './call-attempt.js';
import type { CallEnd, EndCode } from './call-end.js';
import { isWaitingForPeople, LEG_LIFE_MS, straysLeft } from './leg-state.js';
import type { MediaMove } from './media-move.js';
import { MOVE_EFFORT_MS, SESSION_OVER_GRACE_MS } from './media-move.js';
import { rosterReadAtMs } from './roster-reading.js';
import type { ServiceState } from './service-state.js';

/** Graph ends a call 45 min after the last keepAlive and advises one every 15. */
export const KEEP_ALIVE_INTERVAL_MS: number = 12 * 60_000;
/** A call that Teams has not established by then is given up. */
export const WATCHDOG_MS = 75_000;
/** How long a hung-up call may take to be terminated before we end it ourselves. */
export const HANG_UP_GRACE_MS = 30_000;
/** How long one who hung up waits for Graph to accept that. It is asked on all the same. */
export const DELETE_EFFORT_MS = 120_000;
/** How long audio of a call that is over may still go to a worker: hosts drop it then. */
export const LAST_AUDIO_MS = 10_000;
/** How long a media host may be away before it counts as lost. */
export const HOST_GRACE_MS = 60_000;
/** How long a wanted attempt may wait for the leg before it to go, and for a host. */
export const JOIN_EFFORT_MS = 20_000;

/** No worker can have the audio of a call that ended so. */
const AUDIO_IS_LOST: ReadonlySet<EndCode> = new Set(['media_failed', 'host_lost']);

/** One thing that has to be done for a call, and from when on (Unix ms). */
export interface Duty {
  readonly kind: DutyKind;
  readonly dueAtMs: number;
}

/** What there is to do; `CallWork` says how. */
export type DutyKind =
  | IncomingDutyKind
  | RecordingDutyKind
  | 'publish'
  | 'join'
  | 'giveUpJoin'
  | 'clearEarlier'
  | 'givePlaceBack'
  | 'deleteFromGraph'
  | 'giveUpDelete'
  | 'deleteStrays'
  | 'endNotEstablished'
  | 'endHungUp'
  | 'endHostLost'
  | 'endMediaFailed'
  | 'autoLeave'
  | 'readRoster'
  | 'attach'
  | 'move'
  | 'keepAlive'
  | 'releaseHost'
  | 'giveUpHost'
  | 'close'
  | 'closeAgain';

/** What this process sees beside the record. */
export interface Surroundings {
  /** The call's media host is connected to this process. */
  readonly hostConnected: boolean;
  /** Since when (Unix ms) that is so, or that it is not. */
  readonly hostSinceMs: number;
  /** Whether another host is connected to this process. */
  isConnected?(hostId: string): boolean;
}

/**
 * All that remains to be done for a call, most urgent first. It follows from the record alone,
 * so any process can take a call over at any point, after a crash too.
 */
export function dutiesOf(record: CallRecord, state: ServiceState, around: Surroundings): Duty[] {
  const duties: Duty[] = [];
  if (state.pendingEvents.length > 0) duties.push({ kind: 'publish', dueAtMs: 0 });
  const [stray] = straysLeft(state.leg);
  if (stray !== undefined) duties.push({ kind: 'deleteStrays', dueAtMs: stray.foundAtMs });
  for (const earlier of state.attempt?.earlier ?? []) duties.push(...clearing(earlier, around));
  const recording = recordingDuties(state);
  duties.push(...recording.duties);
  const others = dutiesOfState(record, state, around);
  duties.push(...others.filter(({ kind }) => kind !== 'deleteFromGraph' || !recording.holdsLeg));
  if (duties.length > 0 || state.end === undefined) return duties;
  if (record.endedAtMs === undefined) return [{ kind: 'close', dueAtMs: 0 }];
  return record.reopened === true ? [{ kind: 'closeAgain', dueAtMs: 0 }] : [];
}

function dutiesOfState(record: CallRecord, state: ServiceState, around: Surroundings): Duty[] {
  if (state.end !== undefined) return dutiesAfterEnd(state, state.end, around);
  const wanted = state.attempt?.wanted;
  return wanted === undefined
    ? dutiesOfLiveCall(record, state, around)
    : dutiesOfWanted(state, wanted);
}

function dutiesOfLiveCall(record: CallRecord, state: ServiceState, around: Surroundings): Duty[] {
  const unanswered = incomingDuties(state);
  if (unanswered !== undefined) return unanswered;
  if (state.hangUpAtMs !== undefined) return dutiesOfHangUp(record, state, state.hangUpAtMs);
  if (state.establishedAtMs === undefined) {
    // People may take their time to let us in; Teams itself ends the wait.
    if (isWaitingForPeople(record.model)) {
      return [...autoLeave(record, state), ...keepAlive(state)];
    }
    const acceptedAtMs = state.graph === 'present' ? state.keptAliveAtMs : undefined;
    const sinceMs = Math.max(
      acceptedAtMs ?? startedAtMs(record, state),
      state.leg?.waitedUntilMs ?? 0,
    );
    return [{ kind: 'endNotEstablished', dueAtMs: sinceMs + WATCHDOG_MS }, ...keepAlive(state)];
  }
  return [
    ...autoLeave(record, state),
    ...readRoster(record, state),
    ...attachment(state, state.establishedAtMs, around),
    ...keepAlive(state),
  ];
}

function readRoster(record: CallRecord, state: ServiceState): Duty[] {
  const dueAtMs = rosterReadAtMs(record, state);
  return dueAtMs === undefined ? [] : [{ kind: 'readRoster', dueAtMs }];
}

function autoLeave(record: CallRecord, state: ServiceState): Duty[] {
  const [first] = leavingsOf(record, state);
  return first === undefined ? [] : [{ kind: 'autoLeave', dueAtMs: first.dueAtMs }];
}

/** The leg before must be gone first; a hanging up in the meantime ends all. */
function dutiesOfWanted(state: ServiceState, { sinceMs }: WantedAttempt): Duty[] {
  const { graph, hangUpAtMs } = state;
  if (hangUpAtMs !== undefined && graph !== 'present') {
    return [{ kind: 'endHungUp', dueAtMs: hangUpAtMs }];
  }
  const giveUp: Duty = { kind: 'giveUpJoin', dueAtMs: sinceMs + JOIN_EFFORT_MS };
  if (graph === 'present') return [{ kind: 'deleteFromGraph', dueAtMs: sinceMs }, giveUp];
  return canBegin(state) ? [giveUp, { kind: 'join', dueAtMs: sinceMs }] : [giveUp];
}

/** The blob or session that an attempt which is over has left on its host. */
function clearing({ hostHeld, hostId = '', end }: EarlierAttempt, around: Surroundings): Duty[] {
  if (!hostHeld) return [];
  const isHere = around.isConnected?.(hostId) === true;
  return [{ kind: 'clearEarlier', dueAtMs: end.atMs + (isHere ? 0 : HOST_GRACE_MS) }];
}

function dutiesOfHangUp(record: CallRecord, state: ServiceState, hangUpAtMs: number): Duty[] {
  if (state.graph === 'present') {
    return [
      { kind: 'deleteFromGraph', dueAtMs: hangUpAtMs },
      { kind: 'endHungUp', dueAtMs: hangUpAtMs + DELETE_EFFORT_MS },
    ];
  }
  if (state.graph === 'deleteSent') {
    return [{ kind: 'endHungUp', dueAtMs: (state.graphDeletedAtMs ?? 0) + HANG_UP_GRACE_MS }];
  }
  return [{ kind: 'endHungUp', dueAtMs: startedAtMs(record, state) + WATCHDOG_MS }];
}

function attachment(state: ServiceState, sinceMs: number, around: Surroundings): Duty[] {
  if (!state.hostHeld) return [];
  if (state.sessionOverAtMs !== undefined) {
    return [{ kind: 'endMediaFailed', dueAtMs: state.sessionOverAtMs + SESSION_OVER_GRACE_MS }];
  }
  if (state.attachedAtMs !== undefined) {
    return state.move === undefined ? [] : moving(state.move, around);
  }
  return around.hostConnected
    ? [{ kind: 'attach', dueAtMs: sinceMs }]
    : [{ kind: 'endHostLost', dueAtMs: Math.max(sinceMs, around.hostSinceMs) + HOST_GRACE_MS }];
}

/**
 * Nothing while the host is away: it keeps its media links (H-14), so the audio may flow again, and
 * it tells when it is back. Trying begins then.
 */
function moving({ dueAtMs, silentSinceMs }: MediaMove, around: Surroundings): Duty[] {
  if (!around.hostConnected) return [];
  const move: Duty = { kind: 'move', dueAtMs };
  if (silentSinceMs === undefined) return [move];
  const triedSinceMs = Math.max(silentSinceMs, around.hostSinceMs);
  return [{ kind: 'endMediaFailed', dueAtMs: triedSinceMs + MOVE_EFFORT_MS }, move];
}

function keepAlive(state: ServiceState): Duty[] {
  return state.graph === 'present' && state.keptAliveAtMs !== undefined
    ? [{ kind: 'keepAlive', dueAtMs: state.keptAliveAtMs + KEEP_ALIVE_INTERVAL_MS }]
    : [];
}

function dutiesAfterEnd(state: ServiceState, end: CallEnd, around: Surroundings): Duty[] {
  const endedAtMs = end.atMs;
  const duties: Duty[] = [];
  if (state.graph === 'present') {
    const sinceMs = Math.max(endedAtMs, state.leg?.foundAtMs ?? 0);
    duties.push(
      { kind: 'deleteFromGraph', dueAtMs: sinceMs },
      { kind: 'giveUpDelete', dueAtMs: sinceMs + LEG_LIFE_MS },
    );
  }
  // Graph counts the call as long as its leg is there.
  else if (state.place === 'held') duties.push({ kind: 'givePlaceBack', dueAtMs: endedAtMs });
  if (!state.hostHeld) return duties;
  if (around.hostConnected) return [...duties, ...leavingHost(state, end)];
  const dueAtMs = Math.max(endedAtMs, around.hostSinceMs) + HOST_GRACE_MS;
  return [...duties, { kind: 'giveUpHost', dueAtMs }];
}

/** Sound that nobody has heard is brought to a worker first. */
function leavingHost(state: ServiceState, end: CallEnd): Duty[] {
  const bringing = bringingLastAudio(state, end);
  if (bringing !== undefined) {
    return [{ kind: 'releaseHost', dueAtMs: end.atMs + LAST_AUDIO_MS }, bringing];
  }
  const { attachedAtMs = 0 } = state;
  const isLate = attachedAtMs > end.atMs;
  return [{ kind: 'releaseHost', dueAtMs: isLate ? attachedAtMs + LAST_AUDIO_MS : end.atMs }];
}

/** The worker died shortly before the end, or none had come yet. */
function bringingLastAudio(state: ServiceState, end: CallEnd): Duty | undefined {
  const { move, establishedAtMs, attachedAtMs, sessionOverAtMs } = state;
  if (AUDIO_IS_LOST.has(end.code) || sessionOverAtMs !== undefined) return undefined;
  if (move?.silentSinceMs !== undefined) return { kind: 'move', dueAtMs: move.dueAtMs };
  const isUnheard = establishedAtMs !== undefined && attachedAtMs === undefined;
  return isUnheard ? { kind: 'attach', dueAtMs: end.atMs } : undefined;
}

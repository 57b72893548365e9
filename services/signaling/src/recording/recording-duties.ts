import type { Duty } from '../calls/duties.js';
import type { ServiceState } from '../calls/service-state.js';
import { holdsLeaving } from './recording-changes.js';
import type { RecordingState } from './recording-state.js';

/** Recorders look at the gate every second and doubt it after two: then all have stopped. */
export const GATE_SETTLE_MS = 2_000;
/** How long leaving a call may be held up by what Graph has to be told of its recording. */
export const LEAVE_EFFORT_MS = 10_000;

/** What there is to do for a call's recording. */
export type RecordingDutyKind =
  | 'shareGate'
  | 'askToRecord'
  | 'closeGate'
  | 'tellStatus'
  | 'dropStatus';

/** What remains to be done for a call's recording, and whether the leg has to stay until then. */
export function recordingDuties(state: ServiceState): {
  readonly duties: readonly Duty[];
  readonly holdsLeg: boolean;
} {
  const { recording, end, hangUpAtMs } = state;
  const isLeaving = end !== undefined || hangUpAtMs !== undefined;
  if (recording === undefined) {
    return { duties: isLeaving ? [] : askToRecord(state), holdsLeg: false };
  }
  const duties: Duty[] = [];
  if (recording.shared !== recording.gate.changes) duties.push({ kind: 'shareGate', dueAtMs: 0 });
  if (isLeaving && recording.leaving !== true) duties.push({ kind: 'closeGate', dueAtMs: 0 });
  duties.push(...statusDuties(recording, isLeaving));
  return { duties, holdsLeg: isLeaving && holdsLeaving(recording) };
}

/** A recording policy's bot that is configured so says that it records, once the call is there. */
function askToRecord({ incoming, establishedAtMs }: ServiceState): Duty[] {
  if (incoming?.recordsAtOnce !== true || establishedAtMs === undefined) return [];
  return [{ kind: 'askToRecord', dueAtMs: establishedAtMs }];
}

/** Graph hears of the end of a recording only when the recorders have heard of it. */
function statusDuties(recording: RecordingState, isLeaving: boolean): Duty[] {
  const { wanted, gate, shared, closedAtMs, sharedAtMs = 0 } = recording;
  if (wanted === undefined) return [];
  const giveUp: Duty[] = isLeaving
    ? [{ kind: 'dropStatus', dueAtMs: wanted.sinceMs + LEAVE_EFFORT_MS }]
    : [];
  if (wanted.status === 'recording') return [...giveUp, { kind: 'tellStatus', dueAtMs: 0 }];
  if (shared !== gate.changes) return giveUp;
  const dueAtMs = closedAtMs === undefined ? 0 : Math.max(closedAtMs, sharedAtMs) + GATE_SETTLE_MS;
  return [...giveUp, { kind: 'tellStatus', dueAtMs }];
}

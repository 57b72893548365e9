import { initialCallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { expect, it } from 'vitest';
import { endForGood } from '../src/calls/call-changes.js';
import { localEnd } from '../src/calls/call-end.js';
import { serviceState, withService } from '../src/calls/service-state.js';
import {
  declare,
  gateShared,
  recordingOf,
  statusTold,
  wantStatus,
} from '../src/recording/recording-changes.js';
import { GATE_SETTLE_MS, recordingDuties } from '../src/recording/recording-duties.js';

const RECORD: CallRecord = {
  callId: 'c_1',
  version: 1,
  createdAtMs: 0,
  tenantId: 't',
  attemptKey: 'a',
  model: { ...initialCallModel, graphCallId: 'g' },
  signalingPosition: 0,
  service: {
    joinUrlHost: '',
    graph: 'present',
    hostHeld: true,
    incoming: {
      scenario: 'policyRecording',
      answer: 'accepted',
      receivedAtMs: 0,
      answerByMs: 5_000,
      recordsAtOnce: false,
    },
    pendingEvents: [],
  },
};

const want = (record: CallRecord, status: 'recording' | 'notRecording', request: string) =>
  wantStatus(record, { status, request, sinceMs: 1 });
const tell = (record: CallRecord, status: 'recording' | 'notRecording', request: string) =>
  statusTold(record, { status, request, accepted: true, atMs: 2 });

it('a success that comes after the end of a recording was wanted opens nothing', () => {
  const asked = want(RECORD, 'recording', 'r1');
  const ended = want(asked, 'notRecording', 'r2');
  const late = tell(ended, 'recording', 'r1');
  expect(recordingOf(late)).toMatchObject({
    gate: { state: 'closed' },
    accepted: 'recording',
    wanted: { status: 'notRecording', request: 'r2' },
  });
  expect(recordingOf(tell(late, 'notRecording', 'r2'))).toMatchObject({
    gate: { state: 'closed' },
    accepted: 'notRecording',
  });
});

it('Graph is told again when it believes in a recording that nobody wants', () => {
  const asked = want(RECORD, 'recording', 'r1');
  const ended = tell(want(asked, 'notRecording', 'r2'), 'notRecording', 'r2');
  const late = tell(ended, 'recording', 'r1');
  expect(recordingOf(late)).toMatchObject({
    gate: { state: 'closed' },
    wanted: { status: 'notRecording', request: 'undo-r1' },
  });
  expect(serviceState(late).pendingEvents.every(({ type }) => type.startsWith('recording.'))).toBe(
    true,
  );
});

it('Graph is told once recorders have had the time to stop since they were told', () => {
  const open = gateShared(tell(want(RECORD, 'recording', 'r1'), 'recording', 'r1'), 1, 3);
  const closed = wantStatus(open, { status: 'notRecording', request: 'r2', sinceMs: 1_000 });
  const kinds = (record: CallRecord) => recordingDuties(serviceState(record)).duties;
  expect(kinds(closed)).toEqual([{ kind: 'shareGate', dueAtMs: 0 }]);
  // The process that closed the gate died: another one tells of it later.
  expect(kinds(gateShared(closed, 2, 9_000))).toEqual([
    { kind: 'tellStatus', dueAtMs: 9_000 + GATE_SETTLE_MS },
  ]);
});

it('a declaration opens nothing of a call that is over, or about to be', () => {
  const declaration = { id: 'd_1', basis: 'agreed', declaredBy: 'operator-7', declaredAtMs: 5 };
  const joined = withService(RECORD, { incoming: undefined });
  expect(recordingOf(declare(joined, declaration)).gate.state).toBe('open');
  const over = endForGood(joined, localEnd('call_gone', 4));
  for (const record of [over, withService(joined, { hangUpAtMs: 4 })]) {
    expect(declare(record, declaration)).toBe(record);
  }
});

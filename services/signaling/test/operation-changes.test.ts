import type { Operation } from '@earshot/call';
import { initialCallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstAttempt } from '../src/calls/attempts.js';
import { endCall } from '../src/calls/call-changes.js';
import { localEnd } from '../src/calls/call-end.js';
import { serviceState, withService } from '../src/calls/service-state.js';
import {
  answerOperation,
  beginOperation,
  failOperation,
  foldOperation,
  operationsOf,
} from '../src/operations/operation-changes.js';

const GRAPH_ID = '0fe0623f-d628-42ed-b4bd-8ac290072cc5';
const MINUTE_MS = 60_000;

describe('an operation', () => {
  it('ends the same, and is told of once, in whatever order its news come', () => {
    const steps: ((record: CallRecord) => CallRecord)[] = [
      (record) => answerOperation(record, 'o_1', graphs('running'), 2),
      (record) => failOperation(record, 'o_1', { status: 'unknown', reason: 'graph_timeout' }, 2),
      (record) => foldOperation(record, graphs('running', { clientContext: 'o_1' }), 3),
      (record) => foldOperation(record, graphs('completed', { clientContext: 'o_1' }), 4),
      (record) => foldOperation(record, graphs('failed', { id: 'other' }), 4),
    ];
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...steps.keys(), ...steps.keys()], { minLength: 10 }),
        (order) => {
          const end = order.reduce((record, place) => steps[place]?.(record) ?? record, begun());
          expect(operationsOf(end)).toMatchObject([{ status: 'completed', graphId: GRAPH_ID }]);
          const told = serviceState(end).pendingEvents.map(({ type }) => type);
          expect(told).toEqual(['call.operation']);
        },
      ),
    );
  });

  it('is found by the id that Graph gave it, in any form', () => {
    const running = answerOperation(begun(), 'o_1', graphs('running'), 2);
    const id = GRAPH_ID.replaceAll('-', '').toUpperCase();
    const over = foldOperation(running, graphs('failed', { id }), 3);
    expect(operationsOf(over)).toMatchObject([{ status: 'failed' }]);
  });

  it('takes up what a notification told before Graph had answered', () => {
    const early = begun();
    const model = { ...early.model, operations: { [GRAPH_ID]: graphs('completed') } };
    const answered = answerOperation({ ...early, model }, 'o_1', graphs('running'), 2);
    expect(operationsOf(answered)).toMatchObject([{ status: 'completed' }]);
  });

  it('fails with the leg that it was asked of, also when the call is joined again', () => {
    const { wanted: _, ...attempt } = firstAttempt(0, { mayRepeat: true });
    const running = answerOperation(withService(begun(), { attempt }), 'o_1', graphs('running'), 2);
    const rejoining = endCall(running, localEnd('media_failed', 3));
    expect(serviceState(rejoining).attempt?.wanted).toBeDefined();
    expect(operationsOf(rejoining)).toMatchObject([{ status: 'failed', reason: 'call_ended' }]);
    expect(serviceState(rejoining).pendingEvents.map(({ type }) => type)).toContain(
      'call.operation',
    );
  });

  it('pushes out the oldest that is over; when all wait, there is no room for ten minutes', () => {
    let record = call();
    for (let i = 0; i < 64; i += 1) record = begin(record, `o_${i}`, i) ?? record;
    expect(begin(record, 'o_64', 100)).toBeUndefined();
    const settled = answerOperation(record, 'o_7', 'done', 101);
    const next = operationsOf(begin(settled, 'o_64', 102) ?? settled).map(({ id }) => id);
    expect(next).toHaveLength(64);
    expect(next).not.toContain('o_7');
    const later = operationsOf(begin(record, 'o_64', 100 + 10 * MINUTE_MS) ?? record);
    expect(later.map(({ id }) => id)).not.toContain('o_0');
    expect(later.at(-1)?.id).toBe('o_64');
  });
});

function graphs(status: Operation['status'], more: Partial<Operation> = {}): Operation {
  return { id: GRAPH_ID, status, ...more };
}

function begin(record: CallRecord, id: string, atMs: number): CallRecord | undefined {
  return beginOperation(record, { id, kind: 'mute' }, atMs);
}

function begun(): CallRecord {
  const record = begin(call(), 'o_1', 1);
  if (record === undefined) throw new Error('no room');
  return record;
}

function call(): CallRecord {
  return {
    callId: 'c_1',
    version: 0,
    createdAtMs: 0,
    joinUrl: 'https://teams.microsoft.com/meet/1',
    tenantId: 't',
    attemptKey: 'k',
    model: initialCallModel,
    signalingPosition: 0,
    service: { joinUrlHost: '', graph: 'present', hostHeld: false, pendingEvents: [] },
  };
}

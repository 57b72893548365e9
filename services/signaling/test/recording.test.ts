import { VirtualClock } from '@earshot/async';
import { connect, createClient, disconnect } from '@earshot/redis-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WATCHDOG_MS } from '../src/calls/duties.js';
import { recordingOf } from '../src/recording/recording-changes.js';
import { GATE_SETTLE_MS, LEAVE_EFFORT_MS } from '../src/recording/recording-duties.js';
import type { CallView } from '../src/rest/schemas.js';
import type { GraphLeg } from './support/graph-server.js';
import type { Answer, Problem } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { answeredCall } from './support/incoming.js';
import { endItem, stateItem } from './support/notifications.js';

const DECLARATION = {
  basis: 'All who take part have agreed, see the ticket.',
  reference: 'LEGAL-17',
  declaredBy: 'operator-7',
};

let harness: Harness;
let clock: VirtualClock;

beforeEach(async () => {
  harness = await Harness.open();
  clock = new VirtualClock();
});
afterEach(() => harness.close());

async function start(environment: Record<string, string> = {}): Promise<void> {
  await harness.start({ clock, environment: { EARSHOT_INCOMING: 'all', ...environment } });
  await harness.host();
  await harness.consume();
}

type Changed = Answer<CallView & Problem>;

const status = (id: string, word: string): Promise<Changed> =>
  harness.request('POST', `/v1/calls/${id}/recording-status`, { status: word });
const declare = (id: string, body: object = DECLARATION): Promise<Changed> =>
  harness.request('POST', `/v1/calls/${id}/recording-declaration`, body);

/** What Graph was told of the recording, in order. */
const told = (leg: GraphLeg) =>
  harness.graph.requests
    .filter(({ path }) => path.endsWith(`${leg.id}/updateRecordingStatus`))
    .map(({ body }) => body?.['status']);

const gateOf = async (id: string) => (await harness.registry.recordingGate(id))?.state ?? 'closed';

/** Waits until the gate is closed, and recorders know: Graph's time to hear of it runs from then on. */
async function closedForAll(id: string): Promise<void> {
  await vi.waitUntil(async () => {
    const record = await harness.registry.readCall(id);
    const { gate, shared } = record === undefined ? {} : recordingOf(record);
    return gate?.state === 'closed' && gate.changes === shared;
  }, WAIT);
  expect(await gateOf(id)).toBe('closed');
}

/** What was told of a call's recording. */
const recordingEvents = (id: string) =>
  harness
    .eventsOf(id)
    .flatMap((event) =>
      event.type === 'recording.gateChanged'
        ? [`${event.data.state} ${event.data.reason}`]
        : event.type === 'recording.statusChanged'
          ? [`${event.data.status} ${event.data.accepted ? 'accepted' : 'refused'}`]
          : [],
    );

/** From now on nothing can be added to the audit log. */
async function breakAuditLog(): Promise<void> {
  const raw = createClient(harness.redis.url, { maxRetriesPerRequest: 1 });
  await connect(raw);
  await raw.set('earshot:audit', 'no stream');
  await disconnect(raw);
}

/** An established call that was joined by its URL. */
async function joinedCall(): Promise<{ id: string; leg: GraphLeg }> {
  const { id } = (await harness.join()).body;
  const leg = harness.graph.lastLeg;
  await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
  await harness.reaches(id, 'established');
  return { id, leg };
}

describe('the gate of a policy-recording call', () => {
  it('is closed until Graph has accepted that it is recorded', async () => {
    await start();
    const { id, leg } = await answeredCall(harness, 'policyRecording');
    expect((await harness.call(id)).recording).toEqual({
      gate: 'closed',
      opensBy: 'graph',
      basis: null,
      reason: 'default',
    });
    expect(await gateOf(id)).toBe('closed');
    const answer = await status(id, 'recording');
    expect(answer.status).toBe(200);
    expect(answer.body.recording).toMatchObject({ gate: 'open', basis: 'graph' });
    expect(told(leg)).toEqual(['recording']);
    expect(await gateOf(id)).toBe('open');
  });

  it('stays closed when Graph refuses', async () => {
    await start();
    const { id } = await answeredCall(harness, 'policyRecording');
    harness.graph.answerNext('updateRecordingStatus', {
      status: 403,
      body: { error: { code: '8506', message: 'API call not allowed' } },
    });
    const answer = await status(id, 'recording');
    expect(answer.status).toBe(502);
    expect(answer.body).toMatchObject({ code: 'graph_refused' });
    expect((await harness.call(id)).recording).toMatchObject({ gate: 'closed', reason: 'refused' });
    expect(await gateOf(id)).toBe('closed');
    await vi.waitUntil(() => recordingEvents(id).length > 0, WAIT);
    expect(recordingEvents(id)).toEqual(['recording refused']);
  });

  it('stays closed when the operation that Graph answers with has failed', async () => {
    await start();
    const { id } = await answeredCall(harness, 'policyRecording');
    const resultInfo = { code: 403, subcode: 8506 };
    harness.graph.answerNext('updateRecordingStatus', {
      status: 200,
      body: { id: 'op-1', status: 'failed', resultInfo },
    });
    const answer = await status(id, 'recording');
    expect(answer.status).toBe(502);
    expect(answer.body).toMatchObject({ code: 'graph_refused' });
    expect((await harness.call(id)).recording).toMatchObject({ gate: 'closed', reason: 'refused' });
    expect(await gateOf(id)).toBe('closed');
  });

  it('opens only once the operation is completed', async () => {
    await start();
    const { id, leg } = await answeredCall(harness, 'policyRecording');
    harness.graph.answerNext('updateRecordingStatus', {
      status: 200,
      body: { id: 'op-1', status: 'running' },
    });
    expect((await status(id, 'recording')).status).toBe(202);
    expect((await harness.call(id)).recording).toMatchObject({
      gate: 'closed',
      pendingStatus: 'recording',
    });
    expect(await gateOf(id)).toBe('closed');
    clock.advance(2_000);
    await vi.waitUntil(async () => (await gateOf(id)) === 'open', WAIT);
    expect(told(leg)).toEqual(['recording', 'recording']);
  });

  it('closes first, and Graph is told when all recorders have stopped', async () => {
    await start();
    const { id, leg } = await answeredCall(harness, 'policyRecording');
    await status(id, 'recording');
    const answer = await status(id, 'notRecording');
    expect(answer.status).toBe(202);
    expect(answer.body.recording).toMatchObject({
      gate: 'closed',
      reason: 'notRecording',
      status: 'recording',
      pendingStatus: 'notRecording',
    });
    expect(await gateOf(id)).toBe('closed');
    expect(told(leg)).toEqual(['recording']);
    clock.advance(GATE_SETTLE_MS);
    await vi.waitUntil(() => told(leg).length === 2, WAIT);
    await vi.waitUntil(() => recordingEvents(id).length === 4, WAIT);
    expect(recordingEvents(id)).toEqual([
      'open recording',
      'recording accepted',
      'closed notRecording',
      'notRecording accepted',
    ]);
    expect((await harness.call(id)).recording).toMatchObject({ status: 'notRecording' });
  });

  it('opens by itself where that is configured, and closes before the call is left', async () => {
    await start({ EARSHOT_RECORD_AT_ONCE: 'true' });
    const { id, leg } = await answeredCall(harness, 'policyRecording');
    await vi.waitUntil(async () => (await harness.call(id)).recording.gate === 'open', WAIT);
    await vi.waitUntil(async () => (await gateOf(id)) === 'open', WAIT);
    await harness.request('DELETE', `/v1/calls/${id}`);
    await closedForAll(id);
    expect(told(leg)).toEqual(['recording']);
    expect(harness.graph.count('DELETE', leg.id)).toBe(0);
    clock.advance(GATE_SETTLE_MS);
    await vi.waitUntil(() => harness.graph.count('DELETE', leg.id) === 1, WAIT);
    const kinds = harness.graph.requests
      .filter(({ path }) => path.includes(leg.id))
      .map(({ method, body }) => body?.['status'] ?? method);
    expect(kinds.slice(-2)).toEqual(['notRecording', 'DELETE']);
  });

  it('does not keep the call for a Graph that does not answer', async () => {
    await start({ EARSHOT_RECORD_AT_ONCE: 'true' });
    const { id, leg } = await answeredCall(harness, 'policyRecording');
    await vi.waitUntil(async () => (await gateOf(id)) === 'open', WAIT);
    for (let n = 0; n < 50; n += 1) {
      harness.graph.answerNext('updateRecordingStatus', { status: 503 });
    }
    await harness.request('DELETE', `/v1/calls/${id}`);
    await closedForAll(id);
    clock.advance(GATE_SETTLE_MS);
    await vi.waitUntil(() => told(leg).length === 2, WAIT);
    expect(harness.graph.count('DELETE', leg.id)).toBe(0);
    clock.advance(LEAVE_EFFORT_MS);
    await vi.waitUntil(() => harness.graph.count('DELETE', leg.id) === 1, WAIT);
  });

  it('closes when Teams ends the call', async () => {
    await start({ EARSHOT_RECORD_AT_ONCE: 'true' });
    await harness.worker();
    const { id, leg } = await answeredCall(harness, 'policyRecording');
    await vi.waitUntil(async () => (await harness.call(id)).media.attached, WAIT);
    await vi.waitUntil(async () => (await gateOf(id)) === 'open', WAIT);
    await harness.graph.notify([endItem(leg.id, 200, 5002)], { leg });
    await vi.waitUntil(async () => (await gateOf(id)) === 'closed', WAIT);
    const events = await harness.endOf(id);
    const types = events.map(({ type }) => type);
    expect(types.lastIndexOf('recording.gateChanged')).toBeLessThan(types.indexOf('call.ended'));
    expect((await harness.call(id)).recording).toMatchObject({
      gate: 'closed',
      reason: 'callEnded',
    });
    expect(told(leg)).toEqual(['recording']);
    await harness.closed(id);
  });

  it('takes no declaration', async () => {
    await start();
    const { id } = await answeredCall(harness, 'policyRecording');
    const answer = await declare(id);
    expect(answer.status).toBe(409);
    expect(answer.body.code).toBe('declaration_not_applicable');
    expect(answer.body.fix).toContain('recording-status');
    expect(await gateOf(id)).toBe('closed');
  });
});

describe('the gate of another call', () => {
  it('opens by a declaration, which stands in the audit log, and closes when it is taken back', async () => {
    await start();
    const { id } = await joinedCall();
    const answer = await declare(id);
    expect(answer.status).toBe(200);
    expect(answer.body.recording).toMatchObject({
      gate: 'open',
      basis: 'declaration',
      declaration: DECLARATION,
    });
    expect(await gateOf(id)).toBe('open');
    const { body } = await harness.get<{ records: Record<string, unknown>[] }>('/v1/audit');
    expect(body.records.find(({ action }) => action === 'recording.declare')).toMatchObject({
      callId: id,
      outcome: 'ok',
      detail: { declaredBy: 'operator-7', reference: 'LEGAL-17' },
    });
    const taken: Changed = await harness.request('DELETE', `/v1/calls/${id}/recording-declaration`);
    expect(taken.body.recording).toMatchObject({ gate: 'closed', reason: 'withdrawn' });
    expect(await gateOf(id)).toBe('closed');
  });

  it('stays closed when the audit log cannot take the declaration', async () => {
    await start();
    const { id } = await joinedCall();
    await breakAuditLog();
    const answer = await declare(id);
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect((await harness.call(id)).recording).toMatchObject({ gate: 'closed', reason: 'default' });
    expect(await gateOf(id)).toBe('closed');
  });

  it('is declared once for an Idempotency-Key', async () => {
    await start();
    const { id } = await joinedCall();
    const path = `/v1/calls/${id}/recording-declaration`;
    const headers = { 'idempotency-key': 'declared' };
    const ids = new Set<unknown>();
    for (const _ of [1, 2]) {
      const answer = await harness.request<CallView>('POST', path, DECLARATION, headers);
      ids.add(answer.body.recording?.declaration?.id);
    }
    expect(ids.size).toBe(1);
    expect([...ids][0]).toMatch(/^d_/);
  });

  it('is nothing that Graph would be asked about', async () => {
    await start();
    const { id, leg } = await joinedCall();
    const answer = await status(id, 'recording');
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'not_policy_recording' });
    expect(answer.body.detail).toContain('8506');
    expect(answer.body.fix).toContain('recording-declaration');
    expect(told(leg)).toEqual([]);
  });

  it('takes no names where ids belong, and nothing for a call that is over', async () => {
    await start();
    const { id, leg } = await joinedCall();
    expect((await declare(id, { ...DECLARATION, declaredBy: 'Ada Lovelace' })).status).toBe(400);
    await harness.graph.notify([endItem(leg.id, 200, 5002)], { leg });
    await harness.reaches(id, 'terminated');
    expect((await declare(id)).body.code).toBe('call_not_live');
    expect(await gateOf(id)).toBe('closed');
  });

  it('is closed before a call that we give up is left', async () => {
    await start();
    const { id } = (await harness.join()).body;
    const leg = harness.graph.lastLeg;
    await declare(id);
    expect(await gateOf(id)).toBe('open');
    await harness.pass(clock, WATCHDOG_MS);
    const call = await harness.reaches(id, 'terminated');
    expect(call.result?.cause).toBe('not_established');
    expect(call.recording).toMatchObject({ gate: 'closed', reason: 'callEnded' });
    await vi.waitUntil(() => harness.graph.count('DELETE', leg.id) === 1, WAIT);
    expect(await gateOf(id)).toBe('closed');
  });
});

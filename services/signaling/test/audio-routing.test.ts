import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from './support/harness.js';
import { Harness } from './support/harness.js';

const GROUP = { routingMode: 'oneToOne', sources: ['p_1'], receivers: ['p_2'] };
const KNOWN = { '@odata.type': '#microsoft.graph.audioRoutingGroup', id: 'g/1', ...GROUP };
const SHOWN = { id: 'g/1', ...GROUP };

describe('audio routing groups', () => {
  let harness: Harness;
  let groups: string;
  let atGraph: string;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host();
    await harness.worker();
    const { id, graphCallId } = await harness.attachedCall();
    groups = `/v1/calls/${id}/audio-routing-groups`;
    atGraph = `/v1.0/communications/calls/${graphCallId}/audioRoutingGroups`;
  });

  afterAll(() => harness.close());

  it('are made once for a key', async () => {
    const { actions } = harness.graph;
    actions.answerNext('audioRoutingGroups', { status: 201, body: KNOWN });
    const headers = { 'idempotency-key': 'group' };
    const first = await harness.request('POST', groups, GROUP, headers);
    const second = await harness.request('POST', groups, GROUP, headers);
    expect(first.status).toBe(201);
    expect(first.headers.get('location')).toBe(`${groups}/g%2F1`);
    expect(second.body).toEqual(SHOWN);
    expect(harness.graph.count('POST', '/audioRoutingGroups')).toBe(1);
    expect(harness.graph.requests.at(-1)).toMatchObject({ path: atGraph, body: GROUP });
  });

  it('are listed, read, changed and removed', async () => {
    const { actions } = harness.graph;
    actions.answerNext('audioRoutingGroups', { status: 200, body: { value: [KNOWN] } });
    expect((await harness.get(groups)).body).toEqual({ groups: [SHOWN] });
    for (const method of ['GET', 'PUT']) {
      actions.answerNext('g%2F1', { status: 200, body: KNOWN });
      const body = method === 'PUT' ? GROUP : undefined;
      const answer = await harness.request(method, `${groups}/g%2F1`, body);
      expect(answer).toMatchObject({ status: 200, body: SHOWN });
    }
    actions.answerNext('g%2F1', { status: 204 });
    expect((await harness.request('DELETE', `${groups}/g%2F1`)).status).toBe(204);
    const methods = harness.graph.requests.slice(-3).map(({ method, path }) => [method, path]);
    expect(methods).toEqual(['GET', 'PATCH', 'DELETE'].map((m) => [m, `${atGraph}/g%2F1`]));
  });

  it('that Graph does not know are refused with its status', async () => {
    harness.graph.actions.answerNext('none', { status: 404 });
    const answer = await harness.get<Problem>(`${groups}/none`);
    expect(answer.body).toMatchObject({ status: 404, code: 'graph_refused' });
  });

  it('must be whole', async () => {
    const answer = await harness.request<Problem>('POST', groups, { ...GROUP, sources: [] });
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

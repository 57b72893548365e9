import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OperationListView, OperationView } from '../src/rest/operation-schemas.js';
import { operationListView, operationView } from '../src/rest/operation-schemas.js';
import { operationItem } from './support/graph-actions.js';
import type { Answer, Problem } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

const ADA = { id: '3f2b0d5c-0000-4000-8000-00000000000a' };

describe('operations on a call', () => {
  let harness: Harness;
  let call: { id: string; graphCallId: string };

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host({ capacity: 100 });
    await harness.worker();
    await harness.consume();
  });

  beforeEach(async () => {
    call = await harness.attachedCall();
  });

  afterAll(() => harness.close());

  it.each([
    ['mute', undefined, 'mute', {}],
    ['unmute', undefined, 'unmute', {}],
    [
      'tones',
      { tones: ['1', '#', 'A'], delayMs: 300 },
      'sendDtmfTones',
      {
        tones: ['tone1', 'pound', 'a'],
        delayBetweenTonesMs: 300,
      },
    ],
    ['screen-sharing-role', { role: 'sharer' }, 'changeScreenSharingRole', { role: 'sharer' }],
    ['large-gallery-view', undefined, 'addLargeGalleryView', {}],
  ])('POST …/%s asks Graph', async (path, body, action, sent) => {
    const answer = await post<OperationView>(path, body);
    expect(answer.status).toBe(202);
    expect(operationView.parse(answer.body)).toEqual(answer.body);
    expect(answer.headers.get('location')).toBe(
      `/v1/calls/${call.id}/operations/${answer.body.operationId}`,
    );
    const request = harness.graph.requests.at(-1);
    expect(request?.path).toBe(`/v1.0/communications/calls/${call.graphCallId}/${action}`);
    expect(request?.body).toMatchObject(sent);
    const read = await harness.get<OperationView>(answer.headers.get('location') ?? '');
    expect(read.body).toEqual(answer.body);
  });

  it('is over at once when Graph says so, and tells of it', async () => {
    const { body } = await post<OperationView>('mute');
    expect(body).toMatchObject({ kind: 'mute', status: 'completed' });
    expect(harness.graph.actions.last.clientContext).toBe(body.operationId);
    expect(await told(1)).toMatchObject([
      { data: { operationId: body.operationId, kind: 'mute', status: 'completed' } },
    ]);
  });

  it('is completed by its notification', async () => {
    const { body } = await post<OperationView>('tones', { tones: ['5'] });
    expect(body.status).toBe('running');
    await harness.graph.notify([
      operationItem(call.graphCallId, harness.graph.actions.last, 'completed'),
    ]);
    const over = await reaches(body.operationId, 'completed');
    expect(over).toMatchObject({ kind: 'sendTones', resultCode: 200, resultSubcode: 0 });
    expect(JSON.stringify(await harness.registry.readCall(call.id))).not.toContain('tone5');
  });

  it('says why it failed, and what to do', async () => {
    const { body } = await post<OperationView>('tones', { tones: ['5'] });
    const result = { code: 403, subcode: 7504 };
    await harness.graph.notify([
      operationItem(call.graphCallId, harness.graph.actions.last, 'failed', result),
    ]);
    const over = await reaches(body.operationId, 'failed');
    expect(over).toMatchObject({ resultCode: 403, resultSubcode: 7504 });
    expect(over.sentence).toBeTruthy();
    expect(over.fix).toBeTruthy();
    expect(await told(1)).toMatchObject([{ data: { status: 'failed', resultSubcode: 7504 } }]);
  });

  it('passes a refusal of Graph on, with its numbers', async () => {
    harness.graph.actions.answerNext('mute', {
      status: 409,
      body: { error: { code: '8519', message: 'Conflict.' } },
    });
    const answer = await post<Problem & { resultSubcode: number; operationId: string }>('mute');
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'graph_refused', resultSubcode: 8519 });
    const { body } = await operation(answer.body.operationId);
    expect(body).toMatchObject({ status: 'failed', reason: 'graph_refused', resultSubcode: 8519 });
  });

  it('passes on how long Graph asks to wait, and leaves the key free', async () => {
    const headers = { 'idempotency-key': 'throttled' };
    harness.graph.actions.answerNext('mute', { status: 429, headers: { 'retry-after': '7' } });
    const refused = await post<Problem>('mute', undefined, headers);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('7');
    expect(refused.body.code).toBe('graph_throttled');
    expect((await post<Problem>('mute', undefined, headers)).status).toBe(202);
  });

  it('that Graph never answered is sent once for its key, and told of when a notification comes', async () => {
    const headers = { 'idempotency-key': 'lost' };
    harness.graph.actions.answerNext('sendDtmfTones', 'cut');
    const body = { tones: ['1'] };
    const first = await post<Problem & { operationId: string }>('tones', body, headers);
    expect(first.body).toMatchObject({ code: 'graph_unreachable' });
    const sent = harness.graph.count('POST', '/sendDtmfTones');
    const again = await post<Problem>('tones', body, headers);
    expect(again.body).toEqual(first.body);
    expect(harness.graph.count('POST', '/sendDtmfTones')).toBe(sent);
    const id = first.body.operationId;
    expect((await operation(id)).body.status).toBe('unknown');
    await harness.graph.notify([
      operationItem(call.graphCallId, { id: 'of-graph', clientContext: id }, 'completed'),
    ]);
    expect(await reaches(id, 'completed')).toMatchObject({ kind: 'sendTones' });
  });

  it('is one for all requests with one key that come at once', async () => {
    const headers = { 'idempotency-key': 'at once' };
    const before = harness.graph.count('POST', '/mute');
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => post<{ code: string }>('mute', undefined, headers)),
    );
    const last = await post<OperationView>('mute', undefined, headers);
    expect(last.status).toBe(202);
    expect(harness.graph.count('POST', '/mute')).toBe(before + 1);
    for (const { status, body } of answers) {
      if (status === 202) expect(body).toEqual(last.body);
      else expect(body.code).toBe('request_in_progress');
    }
    const others = await post<Problem>('tones', { tones: ['1'] }, headers);
    expect(others.status).toBe(202);
    const reused = await post<Problem>('tones', { tones: ['2'] }, headers);
    expect(reused.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('lists them page by page, newest first', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1)
      ids.unshift((await post<OperationView>('mute')).body.operationId);
    const seen: string[] = [];
    let cursor = '';
    do {
      const path = `/v1/calls/${call.id}/operations?limit=2${cursor}`;
      const { body } = await harness.get<OperationListView>(path);
      expect(operationListView.parse(body)).toEqual(body);
      seen.push(...body.operations.map(({ operationId }) => operationId));
      cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids);
  });

  it('a transfer is completed by the state of the call, or fails with it', async () => {
    const target = { kind: 'user', id: ADA.id };
    const failing = await post<OperationView>('transfer', { target });
    expect(failing.body.status).toBe('running');
    for (const state of ['transferring', 'established']) {
      await harness.graph.notify([stateItem(call.graphCallId, state)]);
    }
    await reaches(failing.body.operationId, 'failed');
    const { body } = await post<OperationView>('transfer', { target });
    for (const state of ['transferring', 'transferAccepted']) {
      await harness.graph.notify([stateItem(call.graphCallId, state)]);
    }
    await reaches(body.operationId, 'completed');
    expect(harness.graph.requests.at(-1)?.body).toMatchObject({
      transferTarget: { identity: { user: { id: ADA.id } } },
    });
  });

  it('that still waits fails with the end of the call, and is told of before it', async () => {
    const { body } = await post<OperationView>('tones', { tones: ['5'] });
    await harness.graph.notify([endItem(call.graphCallId, 200, 4521)]);
    const types = (await harness.endOf(call.id)).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(['call.operation', 'call.ended']);
    expect((await operation(body.operationId)).body).toMatchObject({
      status: 'failed',
      reason: 'call_ended',
    });
    const late = await post<Problem>('mute');
    expect(late.body).toMatchObject({ status: 409, code: 'call_not_live' });
  });

  it('needs a call that is established', async () => {
    const { id } = (await harness.join()).body;
    const before = harness.graph.requests.length;
    const answer = await harness.request<Problem>('POST', `/v1/calls/${id}/mute`);
    expect(answer.body).toMatchObject({ status: 409, code: 'call_not_live' });
    expect(harness.graph.requests).toHaveLength(before);
  });

  it('prompts are refused, with the way that is open', async () => {
    const answer = await post<Problem>('prompts', { prompts: [] });
    expect(answer.body).toMatchObject({ status: 409, code: 'needs_service_hosted_media' });
    expect(answer.body.fix).toContain('/play');
  });

  it.each([
    ['tones', { tones: [] }],
    ['tones', { tones: ['E'] }],
    ['tones', { delayMs: -1, tones: ['1'] }],
    ['screen-sharing-role', { role: 'presenter' }],
    ['transfer', { target: { kind: 'phone', id: '12' } }],
    ['participants', { participants: [] }],
  ])('refuses %s %j', async (path, body) => {
    const answer = await post<Problem>(path, body);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(answer.body.detail).toContain(Object.keys(body)[0]);
  });

  it.each(['mute', 'tones', 'participants/x/mute'])('knows no other call for %s', async (path) => {
    const body = path === 'tones' ? { tones: ['1'] } : undefined;
    const answer = await harness.request<Problem>('POST', `/v1/calls/c_none/${path}`, body);
    expect(answer.body).toMatchObject({ status: 404, code: 'call_not_found' });
  });

  function post<T>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>> {
    return harness.request('POST', `/v1/calls/${call.id}/${path}`, body, headers);
  }

  function operation(id: string): Promise<Answer<OperationView>> {
    return harness.get(`/v1/calls/${call.id}/operations/${id}`);
  }

  function reaches(id: string, status: string): Promise<OperationView> {
    return vi.waitUntil(async () => {
      const { body } = await operation(id);
      return body.status === status && body;
    }, WAIT);
  }

  function told(count: number) {
    return vi.waitUntil(() => {
      const events = harness.eventsOf(call.id).filter(({ type }) => type === 'call.operation');
      return events.length === count && events;
    }, WAIT);
  }
});

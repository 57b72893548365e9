import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostBehaviour, TestHost } from './support/harness.js';
import { Harness, JOIN_URL, TENANT, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

describe('a join that fails', () => {
  let harness: Harness;
  let host: TestHost;
  let made: number;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
  });

  async function connectHost(behaviour?: HostBehaviour): Promise<void> {
    host = await harness.host(behaviour);
    made = creations();
  }

  afterEach(() => harness.disconnect(host));

  afterAll(() => harness.close());

  /** Calls that Graph was asked to make; what earlier calls still ask of it is not counted. */
  const creations = () => harness.graph.count('POST', '/calls');

  async function expectNothingLeft(): Promise<void> {
    const [callId = ''] = host.allocated;
    await vi.waitUntil(() => host.released.length > 0, WAIT);
    expect(host.released).toEqual([`m-${callId}`]);
    expect(await harness.registry.openCalls()).not.toContain(callId);
  }

  it.each([
    ['not a url', 400, 'not_a_url'],
    ['https://example.com/l/meetup-join/x', 422, 'not_a_teams_url'],
    ['https://teams.live.com/meet/9312345678901?p=abc', 422, 'consumer_meeting'],
    ['https://teams.microsoft.com/l/meetup-join/x/0', 422, 'malformed_join_url'],
    ['https://teams.microsoft.com/meet/2345678901234?p=abc', 422, 'missing_tenant'],
  ])('refuses %s', async (joinUrl, status, code) => {
    await connectHost();
    const answer = await harness.join({ joinUrl });
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(answer.body).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toMatch(/^Cannot /);
    expect(host.allocated).toEqual([]);
    expect(creations()).toBe(made);
  });

  it('takes a short link with its tenant', async () => {
    await connectHost();
    const joinUrl = 'https://teams.microsoft.com/meet/2345678901234?p=abc';
    expect((await harness.join({ joinUrl, tenantId: TENANT })).status).toBe(201);
    expect(harness.graph.requests.at(-1)?.body).toMatchObject({
      tenantId: TENANT,
      meetingInfo: { joinMeetingId: '2345678901234', passcode: 'abc' },
    });
  });

  it('refuses a tenant that is not that of the URL', async () => {
    await connectHost();
    const tenantId = '00000000-0000-0000-0000-000000000001';
    const answer = await harness.join({ joinUrl: JOIN_URL, tenantId });
    expect(answer.body).toMatchObject({ status: 422, code: 'tenant_mismatch' });
  });

  it('says so when no media host is connected', async () => {
    await harness.disconnect(host);
    const answer = await harness.join();
    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('no_media_host');
    expect(answer.body.fix).toBeDefined();
    expect(answer.headers.get('retry-after')).toBe('5');
  });

  it('says so when the host refuses', async () => {
    await connectHost({
      allocate: () => Promise.reject(new Error('no media port left')),
    });
    const answer = await harness.join();
    expect(answer.body).toMatchObject({ status: 502, code: 'host_refused' });
    expect(await harness.registry.openCalls()).not.toContain(host.allocated[0]);
    expect(host.released).toEqual([]);
    expect(creations()).toBe(made);
  });

  it('says so when the host goes away in the middle', async () => {
    await connectHost({
      allocate: () => {
        void host.close();
        return new Promise(() => {});
      },
    });
    const answer = await harness.join();
    expect(answer.body).toMatchObject({ status: 503, code: 'host_unavailable' });
    expect(await harness.registry.openCalls()).not.toContain(host.allocated[0]);
  });

  it('gives the reason and the remedy when Graph refuses, and frees the host', async () => {
    await connectHost();
    harness.graph.answerNext('create', {
      status: 403,
      body: { error: { code: '7504', message: 'Insufficient enterprise tenant permissions.' } },
    });
    const answer = await harness.join();
    expect(answer.status).toBe(502);
    expect(answer.body.code).toBe('graph_refused');
    expect(answer.body.detail).toContain('7504');
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(answer.body.fix).toBeDefined();
    await expectNothingLeft();
    const call = await harness.call(host.allocated[0] ?? '');
    expect(call.state).toBe('terminated');
    expect(call.result).toMatchObject({
      cause: 'graph_refused',
      retryClass: 'never',
      resultCode: 403,
      resultSubcode: 7504,
    });
  });

  it('deletes the call that Graph made without saying so, once a callback tells of it', async () => {
    await connectHost();
    harness.graph.answerNext('create', 'cut');
    const answer = await harness.join();
    expect(answer.body).toMatchObject({ status: 502, code: 'graph_unreachable' });
    expect(answer.headers.get('retry-after')).toBe('5');
    await expectNothingLeft();

    const zombie = harness.graph.lastLeg;
    await harness.graph.notify([stateItem(zombie.id, 'establishing')]);
    await vi.waitUntil(() => !zombie.alive, WAIT);
    await harness.graph.notify([endItem(zombie.id, 200, 7000)]);
    expect(harness.graph.count('DELETE', zombie.id)).toBe(1);
  });

  it('keeps a call whose callback was faster than the answer to its creation', async () => {
    await connectHost();
    const answered = harness.graph.holdNextCreate();
    const joining = harness.join();
    const leg = await answered.leg;
    await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
    await harness.reaches(host.allocated[0] ?? '', 'established');
    answered.release();
    const { status, body } = await joining;
    expect([status, body.state]).toEqual([201, 'established']);
    expect(leg.alive).toBe(true);
  });
});

describe('a join whose answer is lost', () => {
  it('is a call all the same when its callback came before', async () => {
    const harness = await Harness.open();
    try {
      await harness.start();
      const { allocated } = await harness.host();
      harness.graph.answerNext('create', 'cut');
      const cut = harness.graph.holdNextCreate();
      const joining = harness.join();
      const leg = await cut.leg;
      await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
      await harness.reaches(allocated[0] ?? '', 'established');
      cut.release();
      const { status, body } = await joining;
      expect([status, body.state]).toEqual([201, 'established']);
      expect(leg.alive).toBe(true);
    } finally {
      await harness.close();
    }
  });
});

describe('a callback', () => {
  let harness: Harness;
  let id: string;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host({ capacity: 100 });
  });

  beforeEach(async () => {
    id = (await harness.join()).body.id;
  });

  afterAll(() => harness.close());

  const established = () => [stateItem(harness.graph.lastLeg.id, 'established')];

  it.each([
    ['no token', { authorization: null }, 401, 'token_missing'],
    ['something that is no token', { authorization: 'Bearer x.y.z' }, 401, 'token_invalid'],
    ['a token of another issuer', { issuer: 'https://example.com' }, 403, 'token_wrong_iss'],
    ['a token for another app', { claims: { aud: 'another' } }, 403, 'token_wrong_aud'],
    ['a token of no tenant', { claims: { tid: undefined } }, 403, 'token_without_tenant'],
    ['a token of another tenant', { claims: { tid: 'another' } }, 403, 'wrong_tenant'],
    ['an expired token', { claims: { exp: 1_600_000_000 } }, 401, 'token_expired'],
  ])('with %s is refused', async (_, options, status, code) => {
    const response = await harness.graph.notify(established(), options);
    expect(await refusalOf(response)).toEqual([status, code]);
    expect((await harness.call(id)).state).toBe('establishing');
  });

  it('for a call that does not exist is refused, without telling the key', async () => {
    const callbackUri = `${harness.signaling.url}/v1/callbacks/${'x'.repeat(32)}`;
    const response = await harness.graph.notify(established(), { callbackUri });
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('xxx');
  });

  it.each(['', '{', '[]', '"text"', 'null'])('with the body %j is refused', async (body) => {
    const response = await harness.graph.post(body);
    expect(await refusalOf(response)).toEqual([400, 'invalid_notification']);
  });

  it('that is too large is refused', async () => {
    const response = await harness.graph.post(`{"value":["${'x'.repeat(4 * 1024 * 1024)}"]}`);
    expect(await refusalOf(response)).toEqual([413, 'body_too_large']);
  });

  it('in another charset is understood', async () => {
    const contentType = 'application/json; charset=Windows-1252';
    expect((await harness.graph.notify(established(), { contentType })).status).toBe(202);
    await harness.reaches(id, 'established');
  });

  it('with items of unknown kinds is taken for what is known of it', async () => {
    const response = await harness.graph.notify([{ resourceUrl: 7 }, null, ...established()]);
    expect(response.status).toBe(202);
    await harness.reaches(id, 'established');
  });
});

async function refusalOf(response: Response): Promise<unknown[]> {
  expect(response.headers.get('content-type')).toMatch('application/problem+json');
  return [response.status, Object(await response.json()).code];
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallView } from '../src/rest/schemas.js';
import type { Problem } from './support/harness.js';
import { API_KEY, Harness, JOIN_URL, TENANT } from './support/harness.js';
import { endItem } from './support/notifications.js';

describe('the REST API', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host({ capacity: 100 });
  });

  afterAll(() => harness.close());

  it.each([undefined, 'Bearer ', 'Bearer wrong', `Basic ${API_KEY}`])(
    'refuses Authorization %j',
    async (authorization) => {
      const response = await fetch(`${harness.signaling.url}/v1/calls`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
    },
  );

  it.each([
    ['POST', '/v1/calls', '{"joinUrl":', 400, 'invalid_request'],
    ['POST', '/v1/calls', '', 400, 'invalid_request'],
    ['POST', '/v1/calls', '{}', 400, 'invalid_request'],
    ['POST', '/v1/calls', { joinUrl: 7 }, 400, 'invalid_request'],
    ['POST', '/v1/calls', { joinUrl: JOIN_URL, tenantId: 'no guid' }, 400, 'invalid_request'],
    ['POST', '/v1/calls', { joinUrl: 'x'.repeat(100_000) }, 413, 'body_too_large'],
    ['GET', '/v1/calls?limit=0', undefined, 400, 'invalid_request'],
    ['GET', '/v1/calls?cursor=x', undefined, 400, 'invalid_cursor'],
    ['GET', '/v1/calls/c_unknown', undefined, 404, 'call_not_found'],
    ['DELETE', '/v1/calls/c_unknown', undefined, 404, 'call_not_found'],
    ['GET', '/v1/nothing', undefined, 404, 'route_not_found'],
    ['PATCH', '/v1/calls', undefined, 404, 'route_not_found'],
    ['GET', '/%zz', undefined, 400, 'invalid_request'],
  ])('answers %s %s with a problem', async (method, path, body, status, code) => {
    const answer = await harness.request<Problem>(method, path, body);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(answer.body).toMatchObject({ status, code, type: `urn:earshot:problem:${code}` });
    expect(answer.status).toBe(status);
  });

  it('refuses a body that is not JSON by its type', async () => {
    const answer = await harness.request<Problem>('POST', '/v1/calls', 'x', {
      'content-type': 'application/xml',
    });
    expect(answer.body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('makes one call for one idempotency key, whatever comes at the same time', async () => {
    const headers = { 'idempotency-key': 'once' };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => harness.join({ joinUrl: JOIN_URL }, headers)),
    );
    const later = await harness.join({ joinUrl: JOIN_URL }, headers);
    expect(later.status).toBe(201);
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    for (const { body } of made) expect(body.id).toBe(later.body.id);
    for (const { status, body } of answers) {
      if (status !== 201) expect(body.code).toBe('request_in_progress');
    }
    expect(harness.graph.legs).toHaveLength(1);
  });

  it('repeats the failure of the first request with a key', async () => {
    const headers = { 'idempotency-key': 'fails' };
    harness.graph.answerNext('create', { status: 403, body: { error: { code: '7503' } } });
    const first = await harness.join({ joinUrl: JOIN_URL }, headers);
    const before = harness.graph.requests.length;
    const second = await harness.join({ joinUrl: JOIN_URL }, headers);
    expect(first.status).toBe(502);
    expect(second.body).toEqual(first.body);
    expect(harness.graph.requests).toHaveLength(before);
  });

  it('refuses a key that stood for another request', async () => {
    const headers = { 'idempotency-key': 'reused' };
    await harness.join({ joinUrl: JOIN_URL }, headers);
    const other = JOIN_URL.replace('meeting_M2', 'meeting_M3');
    const answer = await harness.join({ joinUrl: other }, headers);
    expect(answer.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('refuses a key that came with another name', async () => {
    const headers = { 'idempotency-key': 'as a guest' };
    await harness.join({ joinUrl: JOIN_URL }, headers);
    const answer = await harness.join({ joinUrl: JOIN_URL, displayName: 'Guest' }, headers);
    expect(answer.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('lists calls by state, time and tenant', async () => {
    const { body: kept } = await harness.join();
    const { body: ended } = await harness.join();
    await harness.request('DELETE', `/v1/calls/${ended.id}`);
    await harness.graph.notify([endItem(harness.graph.lastLeg.id, 200, 0)]);
    await harness.reaches(ended.id, 'terminated');
    const ids = async (query: string): Promise<readonly string[]> =>
      (await harness.get<Page>(`/v1/calls?limit=100&${query}`)).body.calls.map(({ id }) => id);
    expect(await ids('state=terminated')).toContain(ended.id);
    expect(await ids('state=terminated')).not.toContain(kept.id);
    expect(await ids('state=establishing')).toContain(kept.id);
    const since = encodeURIComponent(kept.createdAt);
    expect(await ids(`since=${since}`)).toEqual(expect.arrayContaining([kept.id, ended.id]));
    expect(await ids(`since=${since}&state=establishing`)).not.toContain(ended.id);
    expect(await ids('since=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await ids(`tenantId=${TENANT.replaceAll('-', '').toUpperCase()}`)).toContain(kept.id);
    expect(await ids('tenantId=00000000-0000-0000-0000-000000000000')).toEqual([]);
  });

  it.each(['state=over', 'since=yesterday', 'tenantId=x', 'limit=101'])(
    'refuses a list by %s',
    async (query) => {
      const answer = await harness.get<Problem>(`/v1/calls?${query}`);
      expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(answer.body.detail).toContain(query.split('=', 1)[0]);
    },
  );

  it('lists calls newest first, page by page', async () => {
    while (harness.graph.legs.length < 5) await harness.join();
    const all = (await harness.get<Page>('/v1/calls?limit=100')).body.calls;
    const paged: string[] = [];
    let path: string | undefined = '/v1/calls?limit=2';
    while (path !== undefined) {
      const page: Page = (await harness.get<Page>(path)).body;
      expect(page.calls.length).toBeLessThanOrEqual(2);
      paged.push(...page.calls.map(({ id }) => id));
      path =
        page.nextCursor === undefined
          ? undefined
          : `/v1/calls?limit=2&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
    expect(paged).toEqual(all.map(({ id }) => id));
    const times = all.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('describes what it checks', async () => {
    const { body: document } = await harness.get<Document>('/openapi.json');
    const post = document.paths['/v1/calls']?.['post'];
    expect(post?.requestBody?.content['application/json']?.schema.oneOf).toEqual([
      { required: ['joinUrl'] },
      { required: ['meetingId'] },
    ]);
    expect(document.components.schemas['Call']?.properties['state']?.type).toBe('string');
  });

  it('tells probes and scrapers how it is, without a key', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await fetch(harness.signaling.url + path)).status).toBe(200);
    }
    await harness.redis.kill();
    const answer = await harness.get<Problem>('/v1/calls');
    expect(answer.body).toMatchObject({ status: 503, code: 'redis_unreachable' });
    await harness.redis.restart();
  });
});

interface Page {
  readonly calls: readonly CallView[];
  readonly nextCursor?: string;
}

interface Document {
  readonly paths: Record<
    string,
    Record<
      string,
      { readonly requestBody?: { content: Record<string, { schema: { oneOf: unknown } }> } }
    >
  >;
  readonly components: {
    readonly schemas: Record<string, { readonly properties: Record<string, { type?: string }> }>;
  };
}

import { RateLimiter } from '@earshot/rate-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from './support/harness.js';
import { API_KEY, Harness } from './support/harness.js';
import { stateItem } from './support/notifications.js';

const BUSY = 'key-of-somebody-busy';
const SLOW = 'key-of-somebody-slow';
const KEYS = [
  { id: 'busy', key: BUSY, scopes: 'all', rateLimit: 'off' },
  { id: 'slow', key: SLOW, scopes: ['calls:read'], rateLimit: '2/600s' },
];

describe('rate limits of the REST API', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({
      environment: {
        EARSHOT_API_KEYS: JSON.stringify(KEYS),
        EARSHOT_RATE_LIMIT: '1000/600s',
        EARSHOT_AUTH_FAILURE_LIMIT: '3/600s',
        EARSHOT_TRUSTED_PROXIES: '127.0.0.1/32',
      },
    });
  });

  afterAll(() => harness.close());

  function get(key: string, from?: string, path = '/v1/calls') {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(from === undefined ? {} : { 'x-forwarded-for': from }),
    };
    return harness.request<Problem>('GET', path, undefined, headers);
  }

  it('tells what is left, and refuses a key that asks too often, until its window ends', async () => {
    const answers = [];
    for (let i = 0; i < 4; i += 1) answers.push(await get(SLOW));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"key";q=2;w=600');
    expect(answers[0]?.headers.get('ratelimit')).toMatch(/^"key";r=1;t=(600|59\d)$/);
    const refused = answers[2];
    expect(refused?.headers.get('content-type')).toContain('application/problem+json');
    expect(refused?.body).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(refused?.headers.get('ratelimit')).toMatch(/^"key";r=0;/);
    const seconds = Number(refused?.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(500);
    expect(seconds).toBeLessThanOrEqual(600);
    // Also for what its scopes would refuse, and nobody else's.
    expect((await get(SLOW, undefined, '/v1/hosts')).status).toBe(429);
    expect((await get(BUSY)).status).toBe(200);
    expect((await get(API_KEY)).headers.get('ratelimit-policy')).toBe('"key";q=1000;w=600');
  });

  it('takes as much as it likes from a key without a limit', async () => {
    const { status, headers } = await get(BUSY);
    expect([status, headers.get('ratelimit')]).toEqual([200, null]);
  });

  it('refuses an address that has no key too often, and nobody with one behind it', async () => {
    const statuses = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await get('guess', '192.0.2.1')).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const refused = await get('guess', '192.0.2.1');
    expect(refused.body.code).toBe('rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await get('guess', '192.0.2.2')).status).toBe(401);
    expect((await get(BUSY, '192.0.2.1')).status).toBe(200);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
    ['2001:db8::1', '2001:db8:0:0:1::', '2001:db8:0:1::1'],
  ])('counts the network of %s together', async (one, same, other) => {
    for (let i = 0; i < 3; i += 1) expect((await get('guess', one)).status).toBe(401);
    expect((await get('guess', same)).status).toBe(429);
    expect((await get('guess', other)).status).toBe(401);
  });

  it('counts for all pods together', async () => {
    const elsewhere = { requests: 3, windowS: 600 };
    const pod = new RateLimiter({ redisUrl: harness.redis.url });
    await pod.ready();
    for (let i = 0; i < 2; i += 1) await pod.take('address', '192.0.2.3', elsewhere);
    await pod.close();
    expect((await get('guess', '192.0.2.3')).status).toBe(401);
    expect((await get('guess', '192.0.2.3')).status).toBe(429);
  });

  it('never refuses callbacks of Graph', async () => {
    await harness.host();
    const { id } = (await harness.join()).body;
    expect(id).toBeDefined();
    for (let i = 0; i < 5; i += 1) {
      const response = await fetch(harness.callbackUriNow(), { method: 'POST', body: '{}' });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'token_missing' });
    }
    await harness.graph.notify([stateItem(harness.graph.lastLeg.id, 'established')]);
    await harness.reaches(id, 'established');
    expect(await harness.metric('earshot_requests_rate_limited_total')).toBeGreaterThan(0);
  });

  it('counts by itself while Redis is away', async () => {
    await harness.redis.kill();
    const statuses = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await get('guess', '192.0.2.4')).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    await harness.redis.restart();
  });
});

it('believes no X-Forwarded-For of an address that is not a trusted proxy', async () => {
  const harness = await Harness.open();
  await harness.start({ environment: { EARSHOT_AUTH_FAILURE_LIMIT: '1/600s' } });
  const statuses = [];
  for (const from of ['192.0.2.1', '192.0.2.2']) {
    const headers = { authorization: 'Bearer guess', 'x-forwarded-for': from };
    statuses.push((await harness.request('GET', '/v1/calls', undefined, headers)).status);
  }
  expect(statuses).toEqual([401, 429]);
  await harness.close();
});

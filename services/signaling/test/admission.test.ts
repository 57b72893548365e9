import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reconcilePlaces } from '../src/admission/place-keeper.js';
import type { TestHost } from './support/harness.js';
import { API_KEY, Harness, JOIN_URL } from './support/harness.js';
import { endItem } from './support/notifications.js';

const LIMITS = { EARSHOT_MAX_CALLS: '3', EARSHOT_CALLS_RESERVE: '1' };

describe('admission', () => {
  let harness: Harness;
  let host: TestHost;

  beforeEach(async () => {
    harness = await Harness.open();
  });

  afterEach(() => harness.close());

  async function start(environment: Record<string, string> = LIMITS): Promise<void> {
    await harness.start({ environment });
    host = await harness.host();
  }

  async function end(id: string): Promise<void> {
    const leg = harness.graph.legs.find(({ blob }) => blob === `blob-${id}`);
    if (leg === undefined) throw new Error('no leg');
    leg.alive = false;
    await harness.graph.notify([endItem(leg.id, 200, 5001)], { leg });
    await harness.closed(id);
  }

  it('takes as many calls at once as there are places, and says when to ask again', async () => {
    await start();
    const made = [await harness.join(), await harness.join()];
    expect(made.map(({ status }) => status)).toEqual([201, 201]);
    const refused = await harness.join();
    expect(refused.body).toMatchObject({ status: 429, code: 'too_many_calls' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(host.allocated).toHaveLength(2);
    expect(await harness.metric('earshot_admission_refusals_total')).toBe(1);

    await end(made[0]?.body.id ?? '');
    expect((await harness.join()).status).toBe(201);
    expect((await harness.join()).status).toBe(429);
    expect(await harness.admission()).toMatchObject({
      calls: { used: 2, limit: 2 },
      month: { used: 3, limit: 10_000, closedByGraph: false },
    });
  });

  it('counts the calls of all processes', async () => {
    await start();
    await harness.join();
    await harness.start({ environment: LIMITS });
    await harness.host({ hostId: 'another' });
    expect((await harness.join()).status).toBe(201);
    expect((await harness.join()).status).toBe(429);
  });

  it('gives the place of a call back that came to nothing, and counts it for no month', async () => {
    await harness.start({ environment: LIMITS });
    await harness.host({ allocate: () => Promise.reject(new Error('full')) });
    for (let n = 0; n < 3; n += 1) {
      expect((await harness.join()).body.code).toBe('host_refused');
    }
    expect(await harness.admission()).toMatchObject({ calls: { used: 0 }, month: { used: 0 } });
  });

  it('lets a refused request be tried again with its key', async () => {
    await start();
    const first = (await harness.join()).body;
    await harness.join();
    const headers = { 'idempotency-key': 'again' };
    expect((await harness.join({ joinUrl: JOIN_URL }, headers)).status).toBe(429);
    await end(first.id);
    expect((await harness.join({ joinUrl: JOIN_URL }, headers)).status).toBe(201);
  });

  it('ends with the month, until the next one begins', async () => {
    await start({ EARSHOT_MAX_CALLS_PER_MONTH: '1' });
    await end((await harness.join()).body.id);
    const refused = await harness.join();
    expect(refused.body).toMatchObject({ status: 429, code: 'monthly_limit_reached' });
    const { month } = await harness.admission();
    const leftS = (Date.parse(month.endsAt) - Date.now()) / 1000;
    expect(Math.abs(Number(refused.headers.get('retry-after')) - leftS)).toBeLessThan(60);
    expect(new Date(month.endsAt).getUTCDate()).toBe(1);
  });

  it('is closed for the month on all processes once Graph says so', async () => {
    await start();
    harness.graph.answerNext('create', refusal(403, '8529'));
    const first = await harness.join();
    expect(first.body).toMatchObject({ status: 429, code: 'monthly_limit_reached' });
    await harness.start({ environment: LIMITS });
    await harness.host({ hostId: 'another' });
    const asked = harness.graph.legs.length;
    expect((await harness.join()).body.code).toBe('monthly_limit_reached');
    expect(harness.graph.legs).toHaveLength(asked);
    const { month, calls } = await harness.admission();
    expect([month.closedByGraph, calls.used]).toEqual([true, 0]);
  });

  it.each([
    ['429', { status: 429, headers: { 'retry-after': '170' } }, 503, 'graph_throttled'],
    ['8516', refusal(400, '8516', '170'), 503, 'graph_throttled'],
    ['8530', refusal(400, '8530', '170'), 429, 'too_many_calls'],
  ])(
    'pauses on all processes for as long as Graph asks with %s',
    async (_, answer, status, code) => {
      await start();
      harness.graph.answerNext('create', answer);
      for (const asks of [1, 1]) {
        const refused = await harness.join();
        expect(refused.body).toMatchObject({ status, code });
        const retryAfterS = Number(refused.headers.get('retry-after'));
        expect(retryAfterS).toBeGreaterThan(100);
        expect(retryAfterS).toBeLessThanOrEqual(170);
        expect(harness.graph.count('POST', '/calls')).toBe(asks);
      }
      const { paused, calls } = await harness.admission();
      expect(Date.parse(paused?.until ?? '')).toBeGreaterThan(Date.now());
      expect(calls.used).toBe(0);
      expect(await harness.metric('earshot_admission_pause_seconds')).toBeGreaterThan(100);
    },
  );

  it('learns from how Teams ends a call', async () => {
    await start();
    const { id } = (await harness.join()).body;
    const leg = harness.graph.lastLeg;
    leg.alive = false;
    await harness.graph.notify([endItem(leg.id, 500, 8530)]);
    await harness.closed(id);
    expect((await harness.admission()).paused?.cause).toBe('too_many_calls');
  });

  it('takes back the place of a process that died before there was a call', async () => {
    await start();
    const store = harness.registry.admission(harness.graph.clientId);
    await store.take('c_died', 1, { calls: 2, callsPerMonth: 10 });
    const { registry } = harness;
    expect(await reconcilePlaces({ registry, store })).toBe(0);
    expect(await reconcilePlaces({ registry, store }, -1)).toBe(1);
    expect(await harness.admission()).toMatchObject({ calls: { used: 0 }, month: { used: 0 } });
  });

  it('is shown to keys with its scope only', async () => {
    const reader = '0123456789abcdef0123456789abcdef';
    const keys = JSON.stringify([{ id: 'reader', key: reader, scopes: ['calls:read'] }]);
    await start({ EARSHOT_API_KEYS: keys });
    const ask = (key: string) =>
      fetch(`${harness.signaling.url}/v1/admission`, {
        headers: { authorization: `Bearer ${key}` },
      });
    expect((await ask(API_KEY)).status).toBe(200);
    expect((await ask(reader)).status).toBe(403);
  });
});

function refusal(status: number, code: string, retryAfterS?: string) {
  const headers = retryAfterS === undefined ? {} : { 'retry-after': retryAfterS };
  return { status, headers, body: { error: { code, message: 'No.' } } };
}

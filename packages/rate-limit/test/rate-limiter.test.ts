import type { TestCluster, TestRedis } from '@earshot/test-kit';
import { startTestCluster, startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRateLimit } from '../src/rate-limit.js';
import type { RateVerdict } from '../src/rate-limiter.js';
import { RateLimiter } from '../src/rate-limiter.js';

const LIMIT = { requests: 3, windowS: 600 };
/** Redis is here: however slow the machine, it is waited for. */
const PATIENT = { commandTimeoutMs: 60_000 };

async function allowed(limiter: RateLimiter, key: string, times: number): Promise<boolean[]> {
  const verdicts: RateVerdict[] = [];
  for (let i = 0; i < times; i += 1) verdicts.push(await limiter.take('test', key, LIMIT));
  return verdicts.map(({ isAllowed }) => isAllowed);
}

describe('RateLimiter', () => {
  let redis: TestRedis;
  const open: RateLimiter[] = [];

  async function limiter(): Promise<RateLimiter> {
    const made = new RateLimiter({ redisUrl: redis.url, ...PATIENT });
    open.push(made);
    await made.ready();
    return made;
  }

  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => {
    await Promise.all(open.map((each) => each.close()));
    await redis.close();
  });

  it('lets through so many of a key, tells how many are left and when there are more', async () => {
    const one = await limiter();
    const first = await one.take('test', 'a', LIMIT);
    expect(first).toMatchObject({ isAllowed: true, remaining: 2 });
    expect(first.resetMs).toBeGreaterThan(0);
    expect(first.resetMs).toBeLessThanOrEqual(600_000);
    expect(await allowed(one, 'a', 3)).toEqual([true, true, false]);
    const refused = await one.take('test', 'a', LIMIT);
    expect(refused).toMatchObject({ isAllowed: false, remaining: 0 });
    expect(refused.resetMs).toBeGreaterThan(0);
    expect(await allowed(one, 'b', 1)).toEqual([true]);
    expect((await one.take('other', 'a', LIMIT)).isAllowed).toBe(true);
  });

  it('counts for all processes together', async () => {
    const [one, two] = [await limiter(), await limiter()];
    const verdicts = await Promise.all(
      [one, two, one, two, one, two].map((each) => each.take('test', 'shared', LIMIT)),
    );
    expect(verdicts.filter(({ isAllowed }) => isAllowed)).toHaveLength(3);
  });

  it('counts by itself while Redis is away, and with the others again after', async () => {
    const one = await limiter();
    await redis.kill();
    expect(await allowed(one, 'away', 4)).toEqual([true, true, true, false]);
    await redis.restart();
    await one.ready();
    expect(await allowed(one, 'back', 4)).toEqual([true, true, true, false]);
    expect(await allowed(await limiter(), 'back', 1)).toEqual([false]);
  });
});

describe('on a Redis Cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.close());

  it('counts for all processes together', async () => {
    const one = new RateLimiter({ redisUrl: cluster.url, ...PATIENT });
    const two = new RateLimiter({ redisUrl: cluster.url, ...PATIENT });
    await Promise.all([one.ready(), two.ready()]);
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      expect(await allowed(one, key, 2)).toEqual([true, true]);
      expect(await allowed(two, key, 2)).toEqual([true, false]);
    }
    await Promise.all([one.close(), two.close()]);
  });
});

describe('parseRateLimit', () => {
  it.each([
    ['2000/10s', { requests: 2000, windowS: 10 }],
    ['100/5m', { requests: 100, windowS: 300 }],
    ['off', undefined],
  ])('reads %s', (text, limit) => {
    expect(parseRateLimit(text)).toEqual(limit);
  });

  it.each(['', '10', '0/10s', '10/0s', '10/10', '10/2h', '-1/5s', '1/99999m', '1.5/2s'])(
    'refuses %j',
    (text) => {
      expect(() => parseRateLimit(text)).toThrow(/requests\/seconds/);
    },
  );
});

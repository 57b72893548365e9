import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../src/graph-error.js';
import type { AccessToken, TokenCacheOptions } from '../src/token-cache.js';
import { TokenCache } from '../src/token-cache.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A cache, and what it asked its giver for. */
function setUp(options: Partial<TokenCacheOptions> = {}) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const giver: {
    answer(tenantId: string): Promise<AccessToken> | AccessToken;
  } = {
    answer: (tenantId) => ({ token: `${tenantId}/${asked.length}`, lifetimeMs: HOUR_MS }),
  };
  const cache = new TokenCache({
    async acquire(tenantId) {
      asked.push(tenantId);
      return giver.answer(tenantId);
    },
    clock,
    random: () => 0,
    ...options,
  });
  return {
    clock,
    asked,
    giver,
    cache,
    /** Lets time pass, and what falls due then settle. */
    async pass(durationMs: number): Promise<void> {
      clock.advance(durationMs);
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
    },
  };
}

describe('TokenCache', () => {
  it('gives one token of each tenant, in whatever case its id is written', async () => {
    const { cache, asked } = setUp();
    expect(await cache.token('a')).toBe('a/1');
    expect(await cache.token('A')).toBe('a/1');
    expect(await cache.token('b')).toBe('b/2');
    expect(asked).toEqual(['a', 'b']);
  });

  it('asks once for all who ask at the same time', async () => {
    const { cache, asked } = setUp();
    const all = await Promise.all(Array.from({ length: 50 }, () => cache.token('a')));
    expect(new Set(all)).toEqual(new Set(['a/1']));
    expect(asked).toHaveLength(1);
  });

  it('renews in the background before the token expires, and asks nobody to wait', async () => {
    const { cache, asked, giver, pass } = setUp();
    await cache.token('a');
    await pass(44 * MINUTE_MS);
    expect(asked).toHaveLength(1);
    let give: (token: AccessToken) => void = () => {};
    giver.answer = () =>
      new Promise((resolve) => {
        give = resolve;
      });
    await pass(MINUTE_MS);
    expect(asked).toHaveLength(2);
    expect(await cache.token('a')).toBe('a/1');
    give({ token: 'new', lifetimeMs: HOUR_MS });
    await pass(0);
    expect(await cache.token('a')).toBe('new');
    await pass(45 * MINUTE_MS);
    expect(asked).toHaveLength(3);
  });

  it('renews when its giver would have it, and processes not all at once', async () => {
    const { cache, asked, giver, pass } = setUp({ random: () => 0.5 });
    giver.answer = () => ({ token: 'x', lifetimeMs: 24 * HOUR_MS, refreshInMs: 10 * HOUR_MS });
    await cache.token('a');
    await pass(9.4 * HOUR_MS);
    expect(asked).toHaveLength(1);
    await pass(0.1 * HOUR_MS);
    expect(asked).toHaveLength(2);
  });

  it('keeps the old token while renewals fail, and tries again until it has a new one', async () => {
    const failed: string[] = [];
    const { cache, asked, giver, pass } = setUp({
      onRenewalFailed: (tenantId, error) => void failed.push(`${tenantId}: ${error}`),
    });
    await cache.token('a');
    const { answer } = giver;
    giver.answer = () => Promise.reject(new Error('away'));
    await pass(45 * MINUTE_MS);
    expect(await cache.token('a')).toBe('a/1');
    expect(failed).toEqual(['a: Error: away']);
    const before = asked.length;
    await pass(5_000);
    expect(asked.length).toBeGreaterThan(before);
    expect(await cache.token('a')).toBe('a/1');
    giver.answer = answer;
    await pass(5_000);
    expect(await cache.token('a')).toBe(`a/${asked.length}`);
  });

  it('does not give a token that expires on its way', async () => {
    const { cache, giver, pass } = setUp();
    await cache.token('a');
    giver.answer = () => Promise.reject(new Error('away'));
    await pass(58 * MINUTE_MS);
    expect(await cache.token('a')).toBe('a/1');
    await pass(MINUTE_MS);
    await expect(cache.token('a')).rejects.toThrow('away');
    giver.answer = () => ({ token: 'back', lifetimeMs: HOUR_MS });
    expect(await cache.token('a')).toBe('back');
  });

  it('waits as long as it is asked to', async () => {
    const { cache, asked, giver, pass } = setUp();
    await cache.token('a');
    giver.answer = () =>
      Promise.reject(
        new GraphError('graph_token_unavailable', 'busy', { retryAfterMs: 4 * MINUTE_MS }),
      );
    await pass(45 * MINUTE_MS);
    expect(asked).toHaveLength(2);
    await pass(3 * MINUTE_MS);
    await cache.token('a');
    expect(asked).toHaveLength(2);
    await pass(MINUTE_MS);
    expect(asked).toHaveLength(3);
  });

  it('does not keep warm what nobody has used for long, but serves it as long as it is good', async () => {
    const { cache, asked, pass } = setUp({ warmForMs: HOUR_MS });
    await cache.token('a');
    await pass(45 * MINUTE_MS);
    expect(asked).toHaveLength(2);
    await pass(45 * MINUTE_MS);
    expect(asked).toHaveLength(2);
    expect(await cache.token('a')).toBe('a/2');
    await pass(0);
    expect(asked).toHaveLength(3);
    expect(await cache.token('a')).toBe('a/3');
  });

  it('keeps only so many warm, those used last', async () => {
    const { cache, asked, pass } = setUp({ maxWarm: 2 });
    for (const tenantId of ['a', 'b', 'c', 'a']) await cache.token(tenantId);
    asked.length = 0;
    await pass(45 * MINUTE_MS);
    expect([...asked].sort()).toEqual(['a', 'c']);
  });

  it('remembers only so many, and none of its timers stays behind', async () => {
    const { cache, asked, pass } = setUp({ maxTenants: 2 });
    for (const tenantId of ['a', 'b', 'c']) await cache.token(tenantId);
    await cache.token('a');
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
    cache.close();
    await pass(10 * HOUR_MS);
    expect(asked).toHaveLength(4);
    expect(await cache.token('z')).toBe('z/5');
    await pass(10 * HOUR_MS);
    expect(asked).toHaveLength(5);
  });

  it('tells all who wait that it failed, and asks again for the next', async () => {
    const { cache, asked, giver } = setUp();
    giver.answer = () => Promise.reject(new Error('away'));
    const both = await Promise.allSettled([cache.token('a'), cache.token('a')]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked).toHaveLength(1);
    await expect(cache.token('a')).rejects.toThrow('away');
    expect(asked).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';
import { callRecord, useRedis } from './support.js';

const redis = useRedis();

describe('requests with a key', () => {
  const first = { digest: 'd', token: 't1', atMs: 7 };

  it('belong to one of all that come at once, also when its reply was lost', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    const tokens = ['a', 'b', 'c', 'd'];
    const held = await Promise.all(
      tokens.map((token, i) => pods[i % 2]?.requests.claim('k', { ...first, token })),
    );
    const [winner] = new Set(held.map((request) => request?.token));
    expect(new Set(held.map((request) => request?.token)).size).toBe(1);
    const again = await pods[0].requests.claim('k', { ...first, token: winner ?? '' });
    expect(again).toEqual({ ...first, token: winner, answer: undefined });
  });

  it('keep their first answer, and what they were about', async () => {
    const { requests } = await redis.registry();
    await requests.claim('k', first);
    await requests.answer('k', 'someone else', 'no');
    await requests.answer('k', 't1', 'yes');
    const other = await requests.claim('k', { digest: 'other', token: 't2', atMs: 9 });
    expect(other).toEqual({ ...first, answer: 'yes' });
    await requests.giveUp('k', 't1');
    expect((await requests.claim('k', { ...first, token: 't3' })).answer).toBe('yes');
  });

  it('are free again once given up by whoever has them', async () => {
    const { requests } = await redis.registry();
    await requests.claim('k', first);
    await requests.giveUp('k', 't2');
    expect((await requests.claim('k', { ...first, token: 't2' })).token).toBe('t1');
    await requests.giveUp('k', 't1');
    expect((await requests.claim('k', { ...first, token: 't2' })).token).toBe('t2');
  });

  it('are forgotten after a day', async () => {
    const { requests } = await redis.registry();
    await requests.claim('k', first);
    await requests.answer('k', 't1', 'yes');
    const ttlMs = await redis.raw.pttl('earshot:request:{k}');
    expect(ttlMs).toBeGreaterThan(23 * 3_600_000);
    expect(ttlMs).toBeLessThanOrEqual(24 * 3_600_000);
  });
});

describe('lists of some calls', () => {
  it('hold each that matches once, whatever the page', async () => {
    const registry = await redis.registry();
    for (let i = 0; i < 25; i += 1) {
      const id = `c_${String(i).padStart(2, '0')}`;
      await registry.createCall(
        callRecord(id, { createdAtMs: 1_700_000_000_000 + i, tenantId: i % 3 === 0 ? 'a' : 'b' }),
      );
    }
    for (const limit of [1, 2, 4, 9, 100]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await registry.listCalls({
          limit,
          ...(cursor === undefined ? {} : { cursor }),
          sinceMs: 1_700_000_000_003,
          matches: ({ tenantId }) => tenantId === 'a',
        });
        expect(page.calls.length).toBeLessThanOrEqual(limit);
        seen.push(...page.calls.map(({ callId }) => callId));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(['c_24', 'c_21', 'c_18', 'c_15', 'c_12', 'c_09', 'c_06', 'c_03']);
    }
  });

  it('go on behind calls that have expired', async () => {
    const registry = await redis.registry();
    for (let i = 0; i < 6; i += 1) {
      await registry.createCall(callRecord(`c_${i}`, { createdAtMs: 1_700_000_000_000 + i }));
    }
    for (const i of [5, 4, 3]) await redis.raw.del(`earshot:{c_${i}}:record`);
    const { calls } = await registry.listCalls({ limit: 2 });
    expect(calls.map(({ callId }) => callId)).toEqual(['c_2', 'c_1']);
  });
});

import { describe, expect, it } from 'vitest';
import { AUDIT_TTL_MS, MAX_AUDIT_RECORDS } from '../src/audit-store.js';
import { useRedis } from './support.js';

const redis = useRedis();
const AUDIT_KEY = 'earshot:audit';

function entry(action: string) {
  return { action, actor: 'key', outcome: 'ok' } as const;
}

describe('the audit log', () => {
  it('keeps entries with the time of Redis, and lists them newest first, page by page', async () => {
    const { audit } = await redis.registry();
    const full = {
      ...entry('POST /v1/calls'),
      callId: 'c_1',
      status: 201,
      code: 'x',
      detail: { a: 1, b: true, c: 'd' },
    };
    const [seconds] = await redis.raw.time();
    const first = await audit.append(full);
    for (let i = 0; i < 4; i += 1) await audit.append(entry(`act ${i}`));
    expect(first).toEqual({ ...full, id: first.id, atMs: first.atMs });
    expect(first.atMs).toBeGreaterThanOrEqual(Number(seconds) * 1000);

    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await audit.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      pages.push(page.records.map(({ action }) => action));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(pages).toEqual([['act 3', 'act 2'], ['act 1', 'act 0'], ['POST /v1/calls']]);
    expect((await audit.list({ limit: 10 })).records.at(-1)).toEqual(first);
  });

  it.each(['', 'x', '1', '1-', '+', '1-2-3', '0-0', '00-0'])(
    'refuses the cursor %j',
    async (cursor) => {
      const { audit } = await redis.registry();
      const listing = audit.list({ limit: 2, cursor });
      await expect(listing).rejects.toMatchObject({ code: 'invalid_cursor' });
    },
  );

  it('forgets those that are too old', async () => {
    const { audit } = await redis.registry();
    const recentMs = await aMinuteAgoMs();
    const old = JSON.stringify(entry('old'));
    await redis.raw.xadd(AUDIT_KEY, `${recentMs - AUDIT_TTL_MS}-1`, 'entry', old);
    await redis.raw.xadd(AUDIT_KEY, `${recentMs}-1`, 'entry', JSON.stringify(entry('recent')));
    await audit.append(entry('new'));
    const kept = (await audit.list({ limit: 1000 })).records.map(({ action }) => action);
    expect(kept).toEqual(['new', 'recent']);
    expect(await redis.raw.pttl(AUDIT_KEY)).toBeGreaterThan(AUDIT_TTL_MS - 60_000);
  });

  it('holds no more than its bound', async () => {
    const { audit } = await redis.registry();
    // One script: adding them one by one would take seconds.
    const fill = `for i = 1, ${MAX_AUDIT_RECORDS} do redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. i, 'entry', 'x') end`;
    const recentMs = await aMinuteAgoMs();
    await redis.raw.eval(fill, 1, AUDIT_KEY, recentMs);
    await audit.append(entry('new'));
    expect(await redis.raw.xlen(AUDIT_KEY)).toBe(MAX_AUDIT_RECORDS);
    const [oldest] = await redis.raw.xrange(AUDIT_KEY, '-', '+', 'COUNT', 1);
    expect(oldest?.[0]).toBe(`${recentMs}-2`);
    expect((await audit.list({ limit: 1 })).records[0]?.action).toBe('new');
  });

  async function aMinuteAgoMs(): Promise<number> {
    const [seconds] = await redis.raw.time();
    return Number(seconds) * 1000 - 60_000;
  }
});

import { VirtualClock } from '@earshot/async';
import { startTestRedis } from '@earshot/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Registry } from '../src/registry.js';
import { callRecord, useRedis } from './support.js';

const redis = useRedis();

describe('call records', () => {
  it('are read as they are now, whoever changed them, also by a pod that knew them before', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await a.createCall(callRecord());
    for (let n = 0; n < 3; n += 1) {
      await a.updateCall('c_1', (record) => ({ ...record, mediaId: `a-${n}` }));
      expect((await b.readCall('c_1'))?.mediaId).toBe(`a-${n}`);
      await b.updateCall('c_1', (record) => ({ ...record, mediaId: `b-${n}` }));
      expect(await a.readCall('c_1')).toMatchObject({ mediaId: `b-${n}`, version: 2 * n + 2 });
    }
    await redis.raw.del('earshot:{c_1}:record');
    expect(await a.readCall('c_1')).toBeUndefined();
    // A call that was made anew is not the one that was known.
    await b.createCall(callRecord());
    expect((await a.readCall('c_1'))?.mediaId).toBeUndefined();
  });

  it('come back as they were stored, with the fields of the service', async () => {
    const registry = await redis.registry();
    const record = callRecord('c_1', { hostId: 'h', service: { pending: [{ a: [1, null] }] } });
    await registry.createCall(record);
    expect(await registry.readCall('c_1')).toEqual(record);
    expect(await registry.readCall('c_2')).toBeUndefined();
  });

  it('are created once', async () => {
    const registry = await redis.registry();
    const outcomes = await Promise.allSettled([
      registry.createCall(callRecord()),
      registry.createCall(callRecord()),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'call_exists' },
    });
  });

  it('lose no change when two pods change at once', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    await pods[0].createCall(callRecord());
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        pods[i % 2]?.updateCall('c_1', (record) => ({
          ...record,
          signalingPosition: record.signalingPosition + 1,
        })),
      ),
    );
    const record = await pods[1].readCall('c_1');
    expect(record).toMatchObject({ signalingPosition: 60, version: 60 });
  });

  it('give the change the newest record each time', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await a.createCall(callRecord());
    const seen: (string | undefined)[] = [];
    let interfered: Promise<unknown> = Promise.resolve();
    await a.updateCall('c_1', (record) => {
      seen.push(record.hostId);
      if (seen.length === 1) {
        interfered = b.updateCall('c_1', (other) => ({ ...other, hostId: 'from b' }));
      }
      return { ...record, mediaId: 'from a' };
    });
    await interfered;
    expect(await b.readCall('c_1')).toMatchObject({ hostId: 'from b', mediaId: 'from a' });
  });

  it('are not written when the change returns its argument', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    expect(await registry.updateCall('c_1', (record) => record)).toMatchObject({ version: 0 });
  });

  it('can not be changed when there are none, nor by a change that throws', async () => {
    const registry = await redis.registry();
    const change = registry.updateCall('c_9', (record) => ({ ...record }));
    await expect(change).rejects.toMatchObject({ code: 'call_not_found' });
    await registry.createCall(callRecord());
    const failing = registry.updateCall('c_1', () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await registry.readCall('c_1')).toMatchObject({ version: 0 });
  });

  it('keep their id and version whatever a change says', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await registry.updateCall('c_1', (record) => ({ ...record, callId: 'c_2', version: 99 }));
    expect(await registry.readCall('c_1')).toMatchObject({ callId: 'c_1', version: 1 });
  });

  it('are found by the callbacks of every attempt', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord('c_1', { attemptKey: 'first' }));
    await registry.updateCall('c_1', (record) => ({ ...record, attemptKey: 'second' }));
    expect(await registry.callIdOfAttempt('first')).toBe('c_1');
    expect(await registry.callIdOfAttempt('second')).toBe('c_1');
    expect(await registry.callIdOfAttempt('third')).toBeUndefined();
  });

  it('are kept for a day after the end', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await registry.bindSources(
      'c_1',
      new Map([['7', [{ participantId: 'p1', displayName: 'Ada', fromMs: 0 }]]]),
    );
    await registry.updateCall('c_1', (record) => ({ ...record, endedAtMs: 1 }));
    for (const key of ['earshot:{c_1}:record', 'earshot:{c_1}:sources']) {
      const ttlMs = await redis.raw.pttl(key);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(24 * 3_600_000);
    }
  });
});

describe('openCalls', () => {
  it('are those that have not ended', async () => {
    const registry = await redis.registry();
    for (const callId of ['c_1', 'c_2', 'c_3']) await registry.createCall(callRecord(callId));
    await registry.updateCall('c_2', (record) => ({ ...record, endedAtMs: 5 }));
    expect((await registry.openCalls()).sort()).toEqual(['c_1', 'c_3']);
  });

  it('forget calls whose record expired', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await redis.raw.pexpire('earshot:{c_1}:record', 0);
    expect(await registry.openCalls()).toEqual([]);
    expect(await redis.raw.scard('earshot:open-calls')).toBe(0);
  });
});

describe('listCalls', () => {
  it('pages through all calls once, newest first', async () => {
    const registry = await redis.registry();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (ages, limit) => {
          await redis.raw.flushall();
          const startMs = callRecord().createdAtMs;
          const created = ages.map((age, i) =>
            callRecord(`c_${i}`, { createdAtMs: startMs + age }),
          );
          for (const record of created) await registry.createCall(record);
          const listed = await allPages(registry, limit);
          expect(listed.map(({ callId }) => callId).sort()).toEqual(
            created.map(({ callId }) => callId).sort(),
          );
          const times = listed.map(({ createdAtMs }) => createdAtMs);
          expect(times).toEqual([...times].sort((a, b) => b - a));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('goes on after a call that has expired meanwhile', async () => {
    const registry = await redis.registry();
    for (let i = 0; i < 4; i += 1) {
      const createdAtMs = callRecord().createdAtMs + i;
      await registry.createCall(callRecord(`c_${i}`, { createdAtMs }));
    }
    const first = await registry.listCalls({ limit: 2 });
    await redis.raw.del('earshot:{c_2}:record');
    await redis.raw.zrem('earshot:calls', 'c_2');
    const cursor = first.cursor ?? '';
    const second = await registry.listCalls({ limit: 2, cursor });
    expect(second.calls.map(({ callId }) => callId)).toEqual(['c_1', 'c_0']);
  });

  it('refuses a cursor that is none', async () => {
    const registry = await redis.registry();
    const listing = registry.listCalls({ limit: 2, cursor: 'x' });
    await expect(listing).rejects.toMatchObject({ code: 'invalid_cursor' });
  });
});

async function allPages(registry: Registry, limit: number) {
  const calls = [];
  let cursor: string | undefined;
  do {
    const page = await registry.listCalls({ limit, ...(cursor !== undefined && { cursor }) });
    calls.push(...page.calls);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return calls;
}

describe('idempotent', () => {
  it('gives all callers the first call id', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, i) => pods[i % 2]?.idempotent('key', `c_${i}`)),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await pods[0].idempotent('other', 'c_other')).toBe('c_other');
  });
});

describe('tryOwn', () => {
  it('has one owner, until that one lets the time pass', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    expect(await a.tryOwn('duty', 'a', 60_000)).toBe(true);
    expect(await b.tryOwn('duty', 'b', 60_000)).toBe(false);
    expect(await a.tryOwn('duty', 'a', 60_000)).toBe(true);
    await redis.raw.pexpire('earshot:own:{duty}', 0);
    expect(await b.tryOwn('duty', 'b', 60_000)).toBe(true);
    expect(await a.tryOwn('duty', 'a', 60_000)).toBe(false);
  });
});

describe('sources', () => {
  it('are bound to participants, and the last word counts', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    expect(await a.participantOfSource('c_1', '7')).toBeUndefined();
    await a.bindSources('c_1', new Map([['7', [{ participantId: 'p1', fromMs: 0 }]]]));
    await b.bindSources(
      'c_1',
      new Map([['7', [{ participantId: 'p2', displayName: 'Ada', fromMs: 0 }]]]),
    );
    const binding = { participantId: 'p2', displayName: 'Ada' };
    expect(await a.participantOfSource('c_1', '7')).toEqual(binding);
    expect(await a.participantOfSource('c_2', '7')).toBeUndefined();
  });
});

describe('without Redis', () => {
  it('refuses an address that is none, without showing it', () => {
    const open = () =>
      new Registry({ redisUrl: 'redis://:secret@host:abc', clock: new VirtualClock() });
    expect(open).toThrow(expect.objectContaining({ code: 'redis_unreachable' }));
    expect(open).not.toThrow(/secret/);
  });

  it('says so in a second, at the start', async () => {
    const registry = new Registry({ redisUrl: '/nowhere/redis.sock', clock: new VirtualClock() });
    await expect(registry.ready()).rejects.toMatchObject({ code: 'redis_unreachable' });
    await registry.close();
    await registry.close();
  });

  it('waits out a restart, says so when it is away for longer, and goes on later', async () => {
    const server = await startTestRedis({ persistent: 'always' });
    const registry = new Registry({ redisUrl: server.url, clock: new VirtualClock() });
    await registry.ready();
    await registry.createCall(callRecord());
    await server.kill();
    const waiting = registry.readCall('c_1');
    await server.restart();
    expect(await waiting).toMatchObject({ callId: 'c_1' });
    await server.kill();
    const reading = registry.readCall('c_1');
    await expect(reading).rejects.toMatchObject({ code: 'redis_unreachable' });
    await server.restart();
    await registry.ready();
    expect(await registry.readCall('c_1')).toMatchObject({ callId: 'c_1' });
    await registry.close();
    await server.close();
  });
});

import { VirtualClock } from '@earshot/async';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../src/call-record.js';
import type { CallbackBody } from '../src/notification.js';
import { Registry } from '../src/registry.js';
import { callRecord, deferred, LOCK_KEY, until, useRedis } from './support.js';

const redis = useRedis();

const WAITING_KEY = 'earshot:{c_1}:notifications';

describe('notifications', () => {
  beforeEach(async () => {
    const registry = await redis.registry();
    for (const callId of ['c_1', 'c_2']) await registry.createCall(callRecord(callId));
  });

  it('are handled in order, one at a time, by whichever pod is first', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    const handled: string[] = [];
    let atOnce = 0;
    let mostAtOnce = 0;
    const handle = async ({ raw }: CallbackBody) => {
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      await redis.raw.ping();
      handled.push(raw);
      atOnce -= 1;
    };
    const expected = Array.from({ length: 200 }, (_, i) => `n${i}`);
    const takers: Promise<void>[] = [];
    for (const [index, raw] of expected.entries()) {
      await pods[index % 2]?.appendNotification('c_1', { raw });
      for (const pod of pods) takers.push(pod.takeNotifications('c_1', handle));
    }
    await Promise.all(takers);
    // No further take is needed: whoever held the lock has seen to everything.
    expect(handled).toEqual(expected);
    expect(mostAtOnce).toBe(1);
    expect(await redis.raw.exists(LOCK_KEY)).toBe(0);
  });

  it('are handled by the one that is at it when they come meanwhile', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await a.appendNotification('c_1', { raw: 'first' });
    const handled: string[] = [];
    const taking = a.takeNotifications('c_1', async ({ raw }) => {
      handled.push(raw);
      if (raw !== 'first') return;
      await b.appendNotification('c_1', { raw: 'second' });
      await b.takeNotifications('c_1', async () => {
        throw new Error('b must not handle');
      });
    });
    await taking;
    expect(handled).toEqual(['first', 'second']);
  });

  it('of one call do not wait for those of another', async () => {
    const registry = await redis.registry();
    await registry.appendNotification('c_1', { raw: 'slow' });
    await registry.appendNotification('c_2', { raw: 'quick' });
    const gate = deferred();
    const slow = registry.takeNotifications('c_1', () => gate.promise);
    const handled: string[] = [];
    await registry.takeNotifications('c_2', async ({ raw }) => void handled.push(raw));
    expect(handled).toEqual(['quick']);
    gate.resolve();
    await slow;
  });

  it('stay first when handling fails, and the lock is given back', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await a.appendNotification('c_1', { raw: 'one' });
    await a.appendNotification('c_1', { raw: 'two' });
    const failing = a.takeNotifications('c_1', async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    const handled: string[] = [];
    await b.takeNotifications('c_1', async ({ raw }) => void handled.push(raw));
    expect(handled).toEqual(['one', 'two']);
  });

  it('of a pod that lost its lock go to the next, which loses none of them', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    for (const raw of ['one', 'two', 'three']) await a.appendNotification('c_1', { raw });
    const started = deferred();
    const gate = deferred();
    const byA: string[] = [];
    const taking = a.takeNotifications('c_1', async ({ raw }) => {
      byA.push(raw);
      started.resolve();
      await gate.promise;
    });
    await started.promise;
    await redis.raw.pexpire(LOCK_KEY, 0);

    const byB: string[] = [];
    const bHasFirst = deferred();
    const bGate = deferred();
    const takingToo = b.takeNotifications('c_1', async ({ raw }) => {
      byB.push(raw);
      bHasFirst.resolve();
      await bGate.promise;
    });
    await bHasFirst.promise;
    gate.resolve();
    // The late one must take nothing off the list that is the other's now.
    await taking;
    bGate.resolve();
    await takingToo;
    expect(byA).toEqual(['one']);
    expect(byB).toEqual(['one', 'two', 'three']);
  });

  it('keep their lock renewed as long as handling takes', async () => {
    const clock = new VirtualClock();
    const options = { redisUrl: redis.url, clock, lockTtlMs: 90_000 };
    const registry = new Registry(options);
    await registry.ready();
    await registry.appendNotification('c_1', { raw: 'slow' });
    const started = deferred();
    const gate = deferred();
    const taking = registry.takeNotifications('c_1', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    await redis.raw.pexpire(LOCK_KEY, 50_000);
    clock.advance(30_000);
    // Nothing else makes it longer.
    await until(async () => (await redis.raw.pttl(LOCK_KEY)) > 50_000);
    expect(await redis.raw.pttl(LOCK_KEY)).toBeGreaterThan(60_000);
    gate.resolve();
    await taking;
    expect(clock.pending).toBe(0);
    await registry.close();
  });

  it('are refused beyond a bound', async () => {
    const registry = await redis.registry();
    await redis.raw.rpush(WAITING_KEY, ...new Array<string>(10_000).fill('x'));
    const appending = registry.appendNotification('c_1', { raw: 'one more' });
    await expect(appending).rejects.toMatchObject({ code: 'too_many_notifications' });
    expect(await redis.raw.llen(WAITING_KEY)).toBe(10_000);
  });

  it('are refused for a call that nobody knows', async () => {
    const registry = await redis.registry();
    const appending = registry.appendNotification('c_3', { raw: 'x' });
    await expect(appending).rejects.toMatchObject({ code: 'call_not_found' });
    expect(await redis.raw.keys('*c_3*')).toEqual([]);
  });

  it('say which address they came to, also those that an older version stored', async () => {
    const registry = await redis.registry();
    await redis.raw.rpush(WAITING_KEY, '{"value":\n[]}');
    await registry.appendNotification('c_1', { raw: '{\n}', attemptKey: 'a-_1' });
    const handled: CallbackBody[] = [];
    await registry.takeNotifications('c_1', async (body) => void handled.push(body));
    expect(handled).toEqual([{ raw: '{"value":\n[]}' }, { raw: '{\n}', attemptKey: 'a-_1' }]);
  });
});

describe('a notification that comes again', () => {
  beforeEach(async () => {
    await (await redis.registry()).createCall(callRecord());
  });

  const append = (registry: Registry, raw: string, messageId?: string) =>
    registry.appendNotification('c_1', { raw, ...(messageId === undefined ? {} : { messageId }) });

  it('is stored once when id and bytes are those of one before, on any pod', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    expect(await append(a, 'one', 'm1')).toBe('stored');
    expect(await append(a, 'two', 'm2')).toBe('stored');
    expect(await append(b, 'one', 'm1')).toBe('duplicate');
    // An id given twice, and bytes sent again on purpose, are no repetitions.
    expect(await append(b, 'other', 'm1')).toBe('stored');
    expect(await append(b, 'one', 'm3')).toBe('stored');
    expect(await redis.raw.llen(WAITING_KEY)).toBe(4);
  });

  it('is known by its bytes alone only right after itself: a state may come back', async () => {
    const registry = await redis.registry();
    expect(await append(registry, 'established')).toBe('stored');
    expect(await append(registry, 'established')).toBe('duplicate');
    expect(await append(registry, 'hold')).toBe('stored');
    expect(await append(registry, 'established')).toBe('stored');
  });

  it('is known also after it was handled', async () => {
    const registry = await redis.registry();
    await append(registry, 'one', 'm1');
    await registry.takeNotifications('c_1', async () => {});
    expect(await append(registry, 'one', 'm1')).toBe('duplicate');
    expect(await redis.raw.exists(WAITING_KEY)).toBe(0);
  });

  it('is remembered among the newest 256, for an hour', async () => {
    const registry = await redis.registry();
    for (let i = 0; i <= 256; i += 1) await append(registry, 'x', `m${i}`);
    expect(await redis.raw.zcard('earshot:{c_1}:seen')).toBe(256);
    expect(await append(registry, 'x', 'm1')).toBe('duplicate');
    expect(await append(registry, 'x', 'm0')).toBe('stored');
    const ttlMs = await redis.raw.pttl('earshot:{c_1}:seen');
    expect(ttlMs).toBeGreaterThan(55 * 60_000);
    expect(ttlMs).toBeLessThanOrEqual(60 * 60_000);
  });
});

describe('a notification of a call that is over', () => {
  const over = (record: CallRecord): CallRecord => ({ ...record, endedAtMs: 1 });

  it('has the call among the open ones until it was handled', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await registry.updateCall('c_1', over);
    expect(await registry.openCalls()).toEqual([]);
    await registry.appendNotification('c_1', { raw: 'late' });
    // Looked at twice: what waits is not forgotten by being looked at.
    expect(await registry.openCalls()).toEqual(['c_1']);
    expect(await registry.openCalls()).toEqual(['c_1']);
    await registry.takeNotifications('c_1', async () => {});
    expect(await registry.openCalls()).toEqual([]);
  });

  it('that came before the end is not left behind by it', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await registry.appendNotification('c_1', { raw: 'early' });
    await registry.updateCall('c_1', over);
    expect(await registry.openCalls()).toEqual(['c_1']);
  });

  it('may reopen it', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await registry.updateCall('c_1', over);
    await registry.updateCall('c_1', (record) => ({ ...record, reopened: true }));
    expect(await registry.openCalls()).toEqual(['c_1']);
    await registry.updateCall('c_1', ({ reopened: _, ...record }) => record);
    expect(await registry.openCalls()).toEqual([]);
  });
});

describe('notifications set aside', () => {
  it('are bounded in number, size and time', async () => {
    const registry = await redis.registry();
    for (let i = 0; i < 20; i += 1) {
      await registry.setNotificationAside('c_1', { raw: `${i}${'x'.repeat(70_000)}`, code: 'bad' });
    }
    const kept = await registry.notificationsAside('c_1');
    expect(kept).toHaveLength(16);
    expect(kept[0]).toEqual({ raw: `19${'x'.repeat(65_534)}`, code: 'bad' });
    expect(await redis.raw.pttl('earshot:{c_1}:aside')).toBeLessThanOrEqual(24 * 3_600_000);
  });
});

import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import { Registry } from '../src/registry.js';
import { deferred, LOCK_KEY, useRedis } from './support.js';

const redis = useRedis();

describe('notifications', () => {
  it('are handled in order, one at a time, by whichever pod is first', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    const handled: string[] = [];
    let atOnce = 0;
    let mostAtOnce = 0;
    const handle = async (raw: string) => {
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      await redis.raw.ping();
      handled.push(raw);
      atOnce -= 1;
    };
    const expected = Array.from({ length: 200 }, (_, i) => `n${i}`);
    const takers: Promise<void>[] = [];
    for (const [index, raw] of expected.entries()) {
      await pods[index % 2]?.appendNotification('c_1', raw);
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
    await a.appendNotification('c_1', 'first');
    const handled: string[] = [];
    const taking = a.takeNotifications('c_1', async (raw) => {
      handled.push(raw);
      if (raw !== 'first') return;
      await b.appendNotification('c_1', 'second');
      await b.takeNotifications('c_1', async () => {
        throw new Error('b must not handle');
      });
    });
    await taking;
    expect(handled).toEqual(['first', 'second']);
  });

  it('of one call do not wait for those of another', async () => {
    const registry = await redis.registry();
    await registry.appendNotification('c_1', 'slow');
    await registry.appendNotification('c_2', 'quick');
    const gate = deferred();
    const slow = registry.takeNotifications('c_1', () => gate.promise);
    const handled: string[] = [];
    await registry.takeNotifications('c_2', async (raw) => void handled.push(raw));
    expect(handled).toEqual(['quick']);
    gate.resolve();
    await slow;
  });

  it('stay first when handling fails, and the lock is given back', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await a.appendNotification('c_1', 'one');
    await a.appendNotification('c_1', 'two');
    const failing = a.takeNotifications('c_1', async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    const handled: string[] = [];
    await b.takeNotifications('c_1', async (raw) => void handled.push(raw));
    expect(handled).toEqual(['one', 'two']);
  });

  it('of a pod that lost its lock go to the next, which loses none of them', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    for (const raw of ['one', 'two', 'three']) await a.appendNotification('c_1', raw);
    const started = deferred();
    const gate = deferred();
    const byA: string[] = [];
    const taking = a.takeNotifications('c_1', async (raw) => {
      byA.push(raw);
      started.resolve();
      await gate.promise;
    });
    await started.promise;
    await redis.raw.pexpire(LOCK_KEY, 0);

    const byB: string[] = [];
    const bHasFirst = deferred();
    const bGate = deferred();
    const takingToo = b.takeNotifications('c_1', async (raw) => {
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
    await registry.appendNotification('c_1', 'slow');
    const started = deferred();
    const gate = deferred();
    const taking = registry.takeNotifications('c_1', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    await redis.raw.pexpire(LOCK_KEY, 50_000);
    clock.advance(30_000);
    // Commands of one connection are answered in order: this one after the renewal.
    await registry.callIdOfAttempt('none');
    expect(await redis.raw.pttl(LOCK_KEY)).toBeGreaterThan(80_000);
    gate.resolve();
    await taking;
    expect(clock.pending).toBe(0);
    await registry.close();
  });

  it('are refused beyond a bound', async () => {
    const registry = await redis.registry();
    const key = 'earshot:{c_1}:notifications';
    await redis.raw.rpush(key, ...new Array<string>(10_000).fill('x'));
    const appending = registry.appendNotification('c_1', 'one more');
    await expect(appending).rejects.toMatchObject({ code: 'too_many_notifications' });
    expect(await redis.raw.llen(key)).toBe(10_000);
  });
});

import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import { BatchLock } from '../src/batch-lock.js';

/** Renewals are answered by hand. */
function lockOf(leftMs = 3_000) {
  const clock = new VirtualClock();
  const asked: { answer(isOurs: boolean): Promise<void>; fail(): Promise<void> }[] = [];
  const lock = new BatchLock({
    clock,
    leftMs,
    durationMs: 3_000,
    renewEveryMs: 750,
    renew: () =>
      new Promise((resolve, reject) => {
        asked.push({
          answer: async (isOurs) => resolve(isOurs),
          fail: async () => reject(new Error('away')),
        });
      }),
  });
  return { clock, asked, lock };
}

/** Lets what was answered be seen. */
async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe('BatchLock', () => {
  it('is held from when its last renewal was sent, not from when it was answered', async () => {
    const { clock, asked, lock } = lockOf();
    clock.advance(750);
    clock.advance(1_000);
    await asked[0]?.answer(true);
    await settle();
    clock.advance(1_999);
    expect(lock.isHeld()).toBe(true);
    clock.advance(1);
    expect(lock.isHeld()).toBe(false);
    expect(lock.signal.aborted).toBe(true);
  });

  it('asks for one renewal at a time, and again after a failure', async () => {
    const { clock, asked, lock } = lockOf();
    clock.advance(2_000);
    expect(asked.length).toBe(1);
    await asked[0]?.fail();
    await settle();
    clock.advance(400);
    expect(asked.length).toBe(2);
    await asked[1]?.answer(true);
    await settle();
    clock.advance(1_500);
    expect(lock.isHeld()).toBe(true);
  });

  it('tells at once when it is somebody else’s', async () => {
    const { clock, asked, lock } = lockOf();
    clock.advance(750);
    await asked[0]?.answer(false);
    await settle();
    expect(lock.signal.aborted).toBe(true);
    expect(lock.isHeld()).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('tells by itself when nobody answers', () => {
    const { clock, lock } = lockOf();
    clock.advance(2_999);
    expect(lock.signal.aborted).toBe(false);
    clock.advance(1);
    expect(lock.signal.aborted).toBe(true);
  });

  it('is not held by a renewal that is answered too late', async () => {
    const { clock, asked, lock } = lockOf();
    clock.advance(3_500);
    await asked[0]?.answer(true);
    await settle();
    expect(lock.isHeld()).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('that came too late is none; a released one renews no more', () => {
    expect(lockOf(0).lock.isHeld()).toBe(false);
    const { clock, asked, lock } = lockOf();
    lock.release();
    clock.advance(10_000);
    expect(asked).toEqual([]);
  });
});

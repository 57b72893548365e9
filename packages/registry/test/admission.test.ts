import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { MONTH_OF_NOW } from '../src/admission-script.js';
import type { AdmissionStore } from '../src/admission-store.js';
import { useRedis } from './support.js';

const redis = useRedis();
const LIMITS = { calls: 2, callsPerMonth: 3 };
const STATE = 'earshot:{admission}:state:app';
const MONTHS = 'earshot:{admission}:months:app';

describe('admission', () => {
  let pod: AdmissionStore;
  let other: AdmissionStore;

  beforeEach(async () => {
    const [first, second] = await Promise.all([redis.registry(), redis.registry()]);
    pod = first.admission('app');
    other = second.admission('app');
  });

  async function take(store: AdmissionStore, callId: string, creation = 1): Promise<string> {
    return (await store.take(callId, creation, LIMITS)).outcome;
  }

  it('gives as many places as there are, to all pods together', async () => {
    const calls = ['c_1', 'c_2', 'c_3', 'c_4'];
    const outcomes = await Promise.all(calls.map((id, n) => take(n % 2 ? pod : other, id)));
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'too_many_calls')).toHaveLength(2);
    expect(await pod.standing()).toMatchObject({ calls: 2, callsThisMonth: 2 });
  });

  it('keeps apps apart', async () => {
    const registry = await redis.registry();
    await Promise.all(['c_1', 'c_2'].map((id) => take(pod, id)));
    expect(await take(registry.admission('another'), 'c_3')).toBe('ok');
  });

  it('counts a place and a creation once, however often they are asked for', async () => {
    for (let n = 0; n < 3; n += 1) expect(await take(pod, 'c_1')).toBe('ok');
    expect(await pod.standing()).toMatchObject({ calls: 1, callsThisMonth: 1 });
    for (let n = 0; n < 2; n += 1) expect(await take(other, 'c_1', 2)).toBe('ok');
    expect(await pod.standing()).toMatchObject({ calls: 1, callsThisMonth: 2 });
  });

  it('takes a place back once, and frees it for another', async () => {
    await Promise.all(['c_1', 'c_2'].map((id) => take(pod, id)));
    const given = await Promise.all([pod.giveBack('c_1'), other.giveBack('c_1')]);
    expect(given.filter(Boolean)).toHaveLength(1);
    expect(await take(other, 'c_3')).toBe('ok');
    expect(await take(other, 'c_4')).not.toBe('ok');
  });

  it('counts what never came to Graph for no month', async () => {
    await take(pod, 'c_1');
    await pod.giveBack('c_1', { isUnused: true });
    await pod.giveBack('c_1', { isUnused: true });
    expect(await pod.standing()).toMatchObject({ calls: 0, callsThisMonth: 0 });
  });

  it('gives no place beyond the month, and says when the next begins', async () => {
    for (const callId of ['c_1', 'c_2', 'c_3']) {
      expect(await take(pod, callId)).toBe('ok');
      await pod.giveBack(callId);
    }
    const { outcome, standing } = await other.take('c_4', 1, LIMITS);
    expect(outcome).toBe('monthly_limit_reached');
    const end = new Date(standing.monthEndsAtMs);
    expect([end.getUTCDate(), end.getUTCHours(), end.getUTCMilliseconds()]).toEqual([1, 0, 0]);
    expect(standing.monthEndsAtMs).toBeGreaterThan(standing.nowMs);
    expect(standing.monthEndsAtMs - standing.nowMs).toBeLessThanOrEqual(31 * 86_400_000);
    expect(new Date(standing.nowMs).toISOString().slice(0, 7)).toBe(standing.month);
  });

  it('forgets a month when another begins', async () => {
    for (const callId of ['c_1', 'c_2', 'c_3']) {
      await take(pod, callId);
      await pod.giveBack(callId);
    }
    await pod.closeMonth();
    const { month } = await pod.standing();
    await redis.raw.hset(MONTHS, '2001-02', (await redis.raw.hget(MONTHS, month)) ?? '');
    await redis.raw.hdel(MONTHS, month);
    await redis.raw.hset(STATE, 'closedMonth', '2001-02');
    expect(await take(pod, 'c_5')).toBe('ok');
    await pod.giveBack('c_5');
    expect(await redis.raw.hkeys(MONTHS)).toEqual([month]);
  });

  it('is closed for the month when Graph says so, on all pods', async () => {
    await pod.closeMonth();
    const { outcome, standing } = await other.take('c_1', 1, LIMITS);
    expect([outcome, standing.monthClosed]).toEqual(['monthly_limit_reached', true]);
  });

  it('pauses on all pods until the latest time named', async () => {
    await pod.pause(60_000, 'throttled');
    await other.pause(1_000, 'too_many_calls');
    const { outcome, standing } = await other.take('c_1', 1, LIMITS);
    expect(outcome).toBe('paused');
    expect(standing.pause?.cause).toBe('throttled');
    expect((standing.pause?.untilMs ?? 0) - standing.nowMs).toBeGreaterThan(30_000);
    await redis.raw.hset(STATE, 'pausedUntilMs', String(standing.nowMs));
    expect(await take(pod, 'c_1')).toBe('ok');
    expect((await pod.standing()).pause).toBeUndefined();
  });

  it('lets nobody drop a place that was asked for again', async () => {
    await take(pod, 'c_1');
    const [seen] = await other.places();
    if (seen === undefined) throw new Error('no place');
    await take(pod, 'c_1');
    expect(await other.drop(seen)).toBe(false);
    const [newer] = await other.places();
    if (newer === undefined) throw new Error('no place');
    expect(await other.drop(newer, { isUnused: true })).toBe(true);
    expect(await pod.standing()).toMatchObject({ calls: 0, callsThisMonth: 0 });
  });

  it('gives an open call the place that it ought to have, beyond the limit too', async () => {
    await Promise.all(['c_1', 'c_2'].map((id) => take(pod, id)));
    expect(await pod.adopt('c_3')).toBe(true);
    expect(await pod.adopt('c_3')).toBe(false);
    expect(await pod.standing()).toMatchObject({ calls: 3, callsThisMonth: 2 });
    expect(await take(pod, 'c_3')).toBe('ok');
    expect(await pod.standing()).toMatchObject({ calls: 3, callsThisMonth: 3 });
  });

  it('has a time to live on all that it keeps', async () => {
    await take(pod, 'c_1');
    const keys = await redis.raw.keys('*admission*');
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(await redis.raw.pttl(key)).toBeGreaterThan(0);
  });
});

describe('the month of a time', () => {
  const script = `local now = tonumber(ARGV[1])${MONTH_OF_NOW}\nreturn month`;
  const day = 86_400_000;

  it('is that of the calendar', async () => {
    const edges = [Date.UTC(2000, 1, 29), Date.UTC(2100, 2, 1), Date.UTC(2027, 0, 1)];
    const times = edges.flatMap((edge) => [edge - 1, edge]);
    const anyTime = fc.integer({ min: 0, max: 60_000 * day });
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyTime, fc.constantFrom(...times)), async (atMs) => {
        const month = await redis.raw.eval(script, 0, String(atMs));
        expect(month).toBe(new Date(atMs).toISOString().slice(0, 7));
      }),
      { numRuns: 300 },
    );
  });
});

import { closedGate, reduceGate } from '@earshot/recording-gate';
import { describe, expect, it } from 'vitest';
import { useRedis } from './support.js';

const redis = useRedis();
const GATE_KEY = 'earshot:{c_1}:recording-gate';

const CLOSED = closedGate('declaration');
const OPEN = reduceGate(CLOSED, { kind: 'declared' });
const CLOSED_AGAIN = reduceGate(OPEN, { kind: 'closed', reason: 'withdrawn' });

describe('the recording gate', () => {
  it('is told by one pod and known to all', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    expect(await b.recordingGate('c_1')).toBeUndefined();
    await a.setRecordingGate('c_1', OPEN);
    expect(await b.recordingGate('c_1')).toEqual(OPEN);
    expect(await b.recordingGate('c_2')).toBeUndefined();
  });

  it('stays closed when an older word comes late', async () => {
    const registry = await redis.registry();
    await registry.setRecordingGate('c_1', CLOSED_AGAIN);
    await registry.setRecordingGate('c_1', OPEN);
    expect(await registry.recordingGate('c_1')).toEqual(CLOSED_AGAIN);
  });

  it('counts for a limited time, and the key does not stay for ever', async () => {
    const registry = await redis.registry();
    await registry.setRecordingGate('c_1', OPEN);
    expect(await redis.raw.pttl(GATE_KEY)).toBeGreaterThan(0);
    const until = Number(await redis.raw.hget(GATE_KEY, 'until'));
    const [seconds = 0] = await redis.raw.time();
    expect(until - Number(seconds) * 1000).toBeLessThanOrEqual(61_000);
    await redis.raw.hset(GATE_KEY, 'until', Number(seconds) * 1000 - 1);
    expect(await registry.recordingGate('c_1')).toBeUndefined();
    await registry.setRecordingGate('c_1', OPEN);
    expect(await registry.recordingGate('c_1')).toEqual(OPEN);
  });

  it('is closed for who cannot read it', async () => {
    const registry = await redis.registry();
    await registry.setRecordingGate('c_1', OPEN);
    await redis.raw.hset(GATE_KEY, 'gate', '{"state":"open"}');
    expect(await registry.recordingGate('c_1')).toBeUndefined();
  });
});

describe('participants recorded under a policy', () => {
  it('are taken up to the capacity, over all pods, each once', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    const asked = ['a', 'b', 'c', 'd', 'a', 'b', 'c', 'd'];
    const taken = await Promise.all(
      asked.map((id, at) => pods[at % 2 === 0 ? 0 : 1].joinRecorded('c_1', id, 3)),
    );
    const members = new Set(asked.filter((_, at) => taken[at]));
    expect(members.size).toBe(3);
    for (const id of members) expect(await pods[0].joinRecorded('c_1', id, 3)).toBe(true);
  });

  it('free their place when they leave, however often that is told', async () => {
    const registry = await redis.registry();
    expect(await registry.joinRecorded('c_1', 'a', 1)).toBe(true);
    expect(await registry.joinRecorded('c_1', 'b', 1)).toBe(false);
    await registry.leaveRecorded('c_1', 'a');
    await registry.leaveRecorded('c_1', 'a');
    expect(await registry.joinRecorded('c_1', 'b', 1)).toBe(true);
    expect(await registry.joinRecorded('c_1', 'c', 1)).toBe(false);
  });
});

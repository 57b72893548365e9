import { describe, expect, it } from 'vitest';
import type { Registry } from '../src/registry.js';
import type { WorkerInfo } from '../src/worker-pool.js';
import { LEASE_KEY, useRedis } from './support.js';

const redis = useRedis();
const TTL_MS = 60_000;

function worker(workerId: string, more: Partial<WorkerInfo> = {}): WorkerInfo {
  return { workerId, url: `ws://${workerId}`, load: 0, streams: 0, draining: false, ...more };
}

async function withWorkers(registry: Registry, ...workers: WorkerInfo[]): Promise<void> {
  for (const each of workers) await registry.heartbeatWorker(each, TTL_MS);
}

/** Puts a worker's expiry into the past, as if no heartbeat had come for long. */
async function letDie(workerId: string): Promise<void> {
  await redis.raw.zadd('earshot:{workers}:expiry', 1, workerId);
}

describe('workers', () => {
  it('are those that sent a heartbeat lately', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    const full = worker('w1', { load: 0.5, streams: 12, draining: true });
    await withWorkers(a, full, worker('w2'), worker('w3'));
    expect(await b.workers()).toEqual([full, worker('w2'), worker('w3')]);
    await letDie('w2');
    await a.removeWorker('w3');
    expect(await b.workers()).toEqual([full]);
  });
});

describe('placeCall', () => {
  it('finds nobody where nobody takes calls', async () => {
    const registry = await redis.registry();
    expect(await registry.placeCall('c_1')).toBeUndefined();
    await withWorkers(registry, worker('w1', { draining: true }), worker('w2'), worker('w3'));
    await letDie('w2');
    expect(await registry.placeCall('c_1', { excludeWorkers: ['w3'] })).toBeUndefined();
    expect(await registry.leaseOf('c_1')).toBeUndefined();
  });

  it('prefers the least loaded', async () => {
    const registry = await redis.registry();
    await withWorkers(registry, worker('w1', { load: 0.4 }), worker('w2', { load: 0.1 }));
    expect(await registry.placeCall('c_1')).toEqual({ workerId: 'w2', url: 'ws://w2', epoch: 1 });
    const elsewhere = await registry.placeCall('c_1', { excludeWorkers: ['w2'] });
    expect(elsewhere).toEqual({ workerId: 'w1', url: 'ws://w1', epoch: 2 });
  });

  it('takes nearly full workers only when there is no other, and full ones never', async () => {
    const registry = await redis.registry();
    await withWorkers(
      registry,
      worker('w1', { load: 0.9 }),
      worker('w2', { load: 0.84 }),
      worker('w3', { load: 1 }),
    );
    const first = await registry.placeCall('c_1', { excludeWorkers: [] });
    expect(first?.workerId).toBe('w2');
    await withWorkers(registry, worker('w2', { load: 0.95 }));
    expect((await registry.placeCall('c_2'))?.workerId).toBe('w1');
    await withWorkers(registry, worker('w1', { load: 1 }), worker('w2', { load: 1 }));
    expect(await registry.placeCall('c_3')).toBeUndefined();
  });

  it('spreads calls that come between two heartbeats', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    await withWorkers(pods[0], worker('w1'), worker('w2'), worker('w3'));
    const placed = await Promise.all(
      Array.from({ length: 30 }, (_, i) => pods[i % 2]?.placeCall(`c_${i}`)),
    );
    const perWorker = new Map<string | undefined, number>();
    for (const place of placed) {
      perWorker.set(place?.workerId, (perWorker.get(place?.workerId) ?? 0) + 1);
    }
    expect(Object.fromEntries(perWorker)).toEqual({ w1: 10, w2: 10, w3: 10 });
  });

  it('gives each placement of a call an epoch of its own, over all pods', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    await withWorkers(pods[0], worker('w1'), worker('w2'));
    const placed = await Promise.all(
      Array.from({ length: 20 }, (_, i) => pods[i % 2]?.placeCall('c_1')),
    );
    const epochs = placed.map((place) => place?.epoch ?? 0).sort((a, b) => a - b);
    expect(epochs).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

describe('the epoch of a placement', () => {
  it('is above what the caller knows of, though Redis has lost it', async () => {
    const pod = await redis.registry();
    await withWorkers(pod, worker('w1'));
    expect((await pod.placeCall('c_1', { aboveEpoch: 7 }))?.epoch).toBe(8);
    expect((await pod.placeCall('c_1', { aboveEpoch: 3 }))?.epoch).toBe(9);
    await redis.raw.flushall();
    await withWorkers(pod, worker('w1'));
    expect((await pod.placeCall('c_1', { aboveEpoch: 9 }))?.epoch).toBe(10);
    expect(await pod.claimLease('c_1', 'w1', 10, 10_000)).toBe('ok');
  });
});

describe('leases', () => {
  it('are claimed by the worker that was placed, with its epoch', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await withWorkers(a, worker('w1'));
    await a.placeCall('c_1');
    expect(await b.claimLease('c_1', 'w1', 1, TTL_MS)).toBe('ok');
    expect(await b.claimLease('c_1', 'w2', 1, TTL_MS)).toBe('stale');
    expect(await b.claimLease('c_1', 'w1', 2, TTL_MS)).toBe('stale');
    expect(await b.claimLease('c_2', 'w1', 1, TTL_MS)).toBe('stale');
    expect(await a.leaseOf('c_1')).toEqual({ callId: 'c_1', workerId: 'w1', epoch: 1 });
  });

  it('are lost to a newer placement, for good', async () => {
    const registry = await redis.registry();
    await withWorkers(registry, worker('w1'), worker('w2'));
    await registry.placeCall('c_1', { excludeWorkers: ['w2'] });
    await registry.claimLease('c_1', 'w1', 1, TTL_MS);
    await registry.placeCall('c_1', { excludeWorkers: ['w1'] });
    expect(await registry.claimLease('c_1', 'w1', 1, TTL_MS)).toBe('stale');
    expect(await registry.renewLease('c_1', 'w1', 1, TTL_MS)).toBe(false);
    expect(await registry.releaseLease('c_1', 'w1', 1)).toBe(false);
    expect(await registry.claimLease('c_1', 'w2', 2, TTL_MS)).toBe('ok');
    // The newer one stays the newer one after its lease has run out.
    await redis.raw.pexpire(LEASE_KEY, 0);
    expect(await registry.claimLease('c_1', 'w1', 1, TTL_MS)).toBe('stale');
  });

  it('run out unless renewed, and may then be claimed again by the same', async () => {
    const registry = await redis.registry();
    await withWorkers(registry, worker('w1'));
    await registry.placeCall('c_1');
    await registry.claimLease('c_1', 'w1', 1, 1_000);
    expect(await registry.renewLease('c_1', 'w1', 1, TTL_MS)).toBe(true);
    expect(await redis.raw.pttl(LEASE_KEY)).toBeGreaterThan(50_000);
    await redis.raw.pexpire(LEASE_KEY, 0);
    expect(await registry.leaseOf('c_1')).toBeUndefined();
    expect(await registry.renewLease('c_1', 'w1', 1, TTL_MS)).toBe(false);
    expect(await registry.claimLease('c_1', 'w1', 1, TTL_MS)).toBe('ok');
  });

  it('are given back', async () => {
    const registry = await redis.registry();
    await withWorkers(registry, worker('w1'));
    await registry.placeCall('c_1');
    await registry.claimLease('c_1', 'w1', 1, TTL_MS);
    expect(await registry.releaseLease('c_1', 'w1', 1)).toBe(true);
    expect(await registry.releaseLease('c_1', 'w1', 1)).toBe(false);
    expect(await registry.leaseOf('c_1')).toBeUndefined();
  });
});

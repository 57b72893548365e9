import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamPosition } from '../src/position-store.js';
import type { Registry } from '../src/registry.js';
import type { Lease } from '../src/worker-pool.js';
import { callRecord, useRedis } from './support.js';

const redis = useRedis();
const TTL_MS = 60_000;
const KEY = 'earshot:{workers}:positions:c_1';

function position(streamId: number, durable: number, more?: Partial<StreamPosition>) {
  const sourceId = String(200 + streamId);
  const fixed = { kind: 'unmixed', codec: 'opus', closed: false } as const;
  return { ...fixed, streamId, sourceId, durable, ...more };
}

/** Places the call on a worker of this name, and claims it there. */
async function claimed(registry: Registry, workerId: string): Promise<Lease> {
  await registry.heartbeatWorker(
    { workerId, url: 'ws://w', load: 0, streams: 0, draining: false },
    TTL_MS,
  );
  const others = (await registry.workers()).map((worker) => worker.workerId);
  const excludeWorkers = others.filter((other) => other !== workerId);
  const placed = await registry.placeCall('c_1', { excludeWorkers });
  const lease = { callId: 'c_1', workerId, epoch: placed?.epoch ?? 0 };
  expect(await registry.claimLease('c_1', workerId, lease.epoch, TTL_MS)).toBe('ok');
  return lease;
}

describe('positions', () => {
  it('are found by the next worker as they were stored', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    const lease = await claimed(a, 'w1');
    const checkpoint = { position: 75, endMs: null, state: [1.5, null, -3] };
    const mixed = position(9, 7, { kind: 'mixed', sourceId: null, codec: 'pcm16', closed: true });
    await a.storePositions(lease, 'm_1', [position(1, 50, { checkpoint }), mixed]);
    await a.storePositions(lease, 'm_1', [position(2, 4_294_967_295)]);
    const next = await claimed(b, 'w2');
    const stored = await b.positions('c_1', 'm_1');
    expect(stored).toEqual([position(1, 50, { checkpoint }), mixed, position(2, 4_294_967_295)]);
    expect(await redis.raw.pttl(KEY)).toBeGreaterThan(3_600_000);
    await b.storePositions(next, 'm_1', [position(1, 51)]);
    expect((await a.positions('c_1', 'm_1')).at(-1)).toEqual(position(1, 51));
  });

  it('are left out, and the memory with them, when their text was spoiled', async () => {
    const registry = await redis.registry();
    const lease = await claimed(registry, 'w1');
    await registry.storePositions(lease, 'm_1', [position(1, 50), position(2, 60)], { version: 1 });
    expect(await registry.callMemory('c_1', 'm_1')).toEqual({ version: 1 });
    await redis.raw.hset(KEY, '2', '60 2 0 {"kind":', 'memory', '{"version"');
    expect(await registry.positions('c_1', 'm_1')).toEqual([position(1, 50)]);
    expect(await registry.callMemory('c_1', 'm_1')).toBeUndefined();
  });

  it('are moved by who claimed the call last, until the next one claims it', async () => {
    const registry = await redis.registry();
    const first = await claimed(registry, 'w1');
    await registry.releaseLease('c_1', 'w1', first.epoch);
    await registry.placeCall('c_1');
    // Placed elsewhere, and not taken there yet: what the first has heard is still worth knowing.
    expect(await registry.storePositions(first, 'm_1', [position(1, 5)])).toBe('ok');
    await claimed(registry, 'w2');
    expect(await registry.storePositions(first, 'm_1', [position(1, 6)])).toBe('stale');
    expect(await registry.forgetPositions(first)).toBe('stale');
    expect(await registry.positions('c_1', 'm_1')).toEqual([position(1, 5)]);
  });

  it('of one worker are not those of another with its epoch', async () => {
    const registry = await redis.registry();
    const lease = await claimed(registry, 'w1');
    const forged = { ...lease, workerId: 'w2' };
    expect(await registry.storePositions(forged, 'm_1', [position(1, 5)])).toBe('stale');
    const unclaimed = { ...lease, callId: 'c_2' };
    expect(await registry.storePositions(unclaimed, 'm_1', [position(1, 5)])).toBe('stale');
  });

  it('do not go back, also where sequences wrap', async () => {
    const registry = await redis.registry();
    const lease = await claimed(registry, 'w1');
    const store = async (durable: number): Promise<number | undefined> => {
      await registry.storePositions(lease, 'm_1', [position(1, durable)]);
      return (await registry.positions('c_1', 'm_1'))[0]?.durable;
    };
    expect(await store(4_294_967_290)).toBe(4_294_967_290);
    expect(await store(4_294_967_289)).toBe(4_294_967_290);
    expect(await store(3)).toBe(3);
    expect(await store(4_294_967_295)).toBe(3);
    expect(await store(4)).toBe(4);
  });

  it('of another media session are forgotten', async () => {
    const registry = await redis.registry();
    const lease = await claimed(registry, 'w1');
    await registry.storePositions(lease, 'm_1', [position(1, 500), position(2, 5)]);
    expect(await registry.positions('c_1', 'm_2')).toEqual([]);
    await registry.storePositions(lease, 'm_2', [position(1, 3)]);
    expect(await registry.positions('c_1', 'm_2')).toEqual([position(1, 3)]);
    expect(await registry.positions('c_1', 'm_1')).toEqual([]);
  });

  it('are bounded: those closed longest go', async () => {
    const registry = await redis.registry();
    const lease = await claimed(registry, 'w1');
    const many = Array.from({ length: 1024 }, (_, n) => position(n + 1, 1, { closed: n > 0 }));
    for (let n = 0; n < many.length; n += 64) {
      await registry.storePositions(lease, 'm_1', many.slice(n, n + 64));
    }
    await registry.storePositions(lease, 'm_1', [position(2, 2, { closed: true })]);
    await registry.storePositions(lease, 'm_1', [position(2001, 1), position(2002, 1)]);
    const ids = (await registry.positions('c_1', 'm_1')).map(({ streamId }) => streamId);
    expect(ids).toHaveLength(1024);
    // The first is open; the second was written again.
    expect(ids).toEqual(expect.arrayContaining([1, 2, 2001, 2002]));
    expect(ids.filter((id) => id < 6)).toEqual([1, 5, 2]);
  });

  it('end with the call', async () => {
    const registry = await redis.registry();
    const lease = await claimed(registry, 'w1');
    await registry.storePositions(lease, 'm_1', [position(1, 5)]);
    expect(await registry.forgetPositions(lease)).toBe('ok');
    expect(await redis.raw.exists(KEY)).toBe(0);
    await registry.storePositions(lease, 'm_1', [position(1, 5)]);
    await registry.createCall(callRecord());
    await registry.updateCall('c_1', (call) => ({ ...call, endedAtMs: 5 }));
    expect(await redis.raw.exists(KEY)).toBe(0);
  });
});

type Step =
  | { readonly do: 'place'; readonly worker: number }
  | { readonly do: 'claim'; readonly lease: number }
  | { readonly do: 'release'; readonly lease: number }
  | { readonly do: 'forget'; readonly lease: number }
  | { readonly do: 'store'; readonly lease: number; readonly by: number };

const leaseIndex = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('place' as const), worker: fc.nat({ max: 1 }) }),
  fc.record({ do: fc.constant('claim' as const), lease: leaseIndex }),
  fc.record({ do: fc.constant('release' as const), lease: leaseIndex }),
  fc.record({ do: fc.constant('forget' as const), lease: leaseIndex }),
  fc.record({
    do: fc.constant('store' as const),
    lease: leaseIndex,
    by: fc.integer({ min: -40, max: 40 }),
  }),
);

describe('whatever two workers do in whatever order', () => {
  it('no epoch moves the positions of a newer one, and no position goes back', async () => {
    const registry = await redis.registry();
    const workers = ['w1', 'w2'];
    for (const workerId of workers) {
      const idle = { workerId, url: 'ws://w', load: 0, streams: 0, draining: false };
      await registry.heartbeatWorker(idle, 10 * TTL_MS);
    }
    let run = 0;
    const steps = fc.array(step, { minLength: 4, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 0, max: 0xffff_ffff }), async (order, start) => {
        const callId = `c_run${run++}`;
        const leases: Lease[] = [];
        let claimedEpoch = 0;
        let held: { epoch: number; durable: number } | undefined;
        for (const each of order) {
          if (each.do === 'place') {
            const excludeWorkers = [workers[each.worker] ?? ''];
            const placed = await registry.placeCall(callId, { excludeWorkers });
            if (placed !== undefined) leases.push({ callId, ...placed });
            continue;
          }
          const lease = leases[each.lease];
          if (lease === undefined) continue;
          const { workerId, epoch } = lease;
          const isNewest = epoch === leases.length;
          if (each.do === 'claim') {
            const result = await registry.claimLease(callId, workerId, epoch, TTL_MS);
            expect(result).toBe(isNewest ? 'ok' : 'stale');
            if (isNewest) claimedEpoch = epoch;
          } else if (each.do === 'release') {
            await registry.releaseLease(callId, workerId, epoch);
          } else if (each.do === 'forget') {
            const result = await registry.forgetPositions(lease);
            expect(result).toBe(epoch === claimedEpoch ? 'ok' : 'stale');
            if (result === 'ok') held = undefined;
          } else {
            const durable = ((held?.durable ?? start) + each.by) >>> 0;
            const result = await registry.storePositions(lease, 'm', [position(1, durable)]);
            expect(result).toBe(epoch === claimedEpoch ? 'ok' : 'stale');
            const moves = held === undefined || each.by >= 0;
            if (result === 'ok' && moves) held = { epoch, durable };
          }
          const [stored] = await registry.positions(callId, 'm');
          expect(stored?.durable).toBe(held?.durable);
        }
      }),
      { numRuns: 150 },
    );
  });
});

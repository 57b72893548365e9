import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Registry } from '../src/registry.js';
import { useRedis } from './support.js';

const redis = useRedis();
const TTL_MS = 600_000;
const LOAD_PER_PLACEMENT = 0.02;
const WORKERS = ['w1', 'w2', 'w3'] as const;
const CALLS = ['c_1', 'c_2'] as const;

type Worker = (typeof WORKERS)[number];
type Call = (typeof CALLS)[number];

/** Who was ever told to take a call; any of them may come at any time. */
interface Holder {
  readonly workerId: Worker;
  readonly epoch: number;
}

interface CallModel {
  readonly holders: Holder[];
  /** Who the lease names while it has not run out. */
  lease: Holder | undefined;
  /** Who claimed last: others may store nothing. */
  claimed: Holder | undefined;
}

interface Model {
  readonly alive: Map<Worker, { load: number; draining: boolean; placed: number }>;
  readonly calls: Record<Call, CallModel>;
}

type Command = fc.AsyncCommand<Model, Registry>;

function newestOf({ holders }: CallModel): Holder | undefined {
  return holders.at(-1);
}

/** Asks for each that ever had the call; nothing but times to live is changed. */
async function whoMay(
  call: CallModel,
  ask: (holder: Holder) => Promise<boolean>,
): Promise<Holder[]> {
  const answers = await Promise.all(call.holders.map(ask));
  return call.holders.filter((_, index) => answers[index]);
}

/** However the others came here: one at most holds the call, in each sense of it. */
async function expectOneHolder(model: Model, registry: Registry): Promise<void> {
  for (const callId of CALLS) {
    const call = model.calls[callId];
    const renewing = await whoMay(call, ({ workerId, epoch }) =>
      registry.renewLease(callId, workerId, epoch, TTL_MS),
    );
    expect(renewing).toEqual(call.lease === undefined ? [] : [call.lease]);
    const storing = await whoMay(call, async (holder) => {
      const stored = await registry.storePositions({ callId, ...holder }, 'm', []);
      return stored === 'ok';
    });
    expect(storing).toEqual(call.claimed === undefined ? [] : [call.claimed]);
    const lease = await registry.leaseOf(callId);
    expect(lease).toEqual(call.lease && { callId, ...call.lease });
  }
}

function command(
  name: string,
  act: (model: Model, registry: Registry) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return {
    check,
    async run(model, registry) {
      await act(model, registry);
      await expectOneHolder(model, registry);
    },
    toString: () => name,
  };
}

const beat = (workerId: Worker, load: number, draining: boolean): Command =>
  command(`beat ${workerId} ${load} ${draining ? 'draining' : ''}`, async (model, registry) => {
    const info = { workerId, url: `ws://${workerId}`, load, streams: 0, draining };
    await registry.heartbeatWorker(info, TTL_MS);
    model.alive.set(workerId, { load, draining, placed: 0 });
  });

const die = (workerId: Worker, how: 'expires' | 'removed'): Command =>
  command(
    `${workerId} ${how}`,
    async (model, registry) => {
      if (how === 'removed') await registry.removeWorker(workerId);
      else await redis.raw.zadd('earshot:{workers}:expiry', 1, workerId);
      model.alive.delete(workerId);
    },
    ({ alive }) => alive.has(workerId),
  );

/** The least loaded that is alive, stays, has room and is not excluded. */
function expectedWorker({ alive }: Model, excluded: readonly Worker[]): Worker | undefined {
  const weight = (id: Worker): number => {
    const { load, placed } = alive.get(id) ?? { load: 1, placed: 0 };
    return load + placed * LOAD_PER_PLACEMENT;
  };
  return WORKERS.filter((id) => {
    const info = alive.get(id);
    return info !== undefined && !info.draining && info.load < 1 && !excluded.includes(id);
  }).sort((a, b) => weight(a) - weight(b) || (a < b ? -1 : 1))[0];
}

const place = (callId: Call, excludeWorkers: readonly Worker[]): Command =>
  command(`place ${callId} without ${excludeWorkers}`, async (model, registry) => {
    const call = model.calls[callId];
    const workerId = expectedWorker(model, excludeWorkers);
    const placement = await registry.placeCall(callId, { excludeWorkers });
    if (workerId === undefined) {
      expect(placement).toBeUndefined();
      return;
    }
    const epoch = (newestOf(call)?.epoch ?? 0) + 1;
    expect(placement).toEqual({ workerId, url: `ws://${workerId}`, epoch });
    call.holders.push({ workerId, epoch });
    call.lease = { workerId, epoch };
    const info = model.alive.get(workerId);
    if (info !== undefined) info.placed += 1;
  });

/** One of those that ever had the call does something as if it still had. */
function byHolder(
  name: string,
  [callId, pick]: readonly [Call, number],
  act: (registry: Registry, callId: Call, holder: Holder, call: CallModel) => Promise<void>,
): Command {
  return command(
    `${name} ${callId} #${pick}`,
    async (model, registry) => {
      const call = model.calls[callId];
      const holder = call.holders[pick % call.holders.length];
      if (holder !== undefined) await act(registry, callId, holder, call);
    },
    ({ calls }) => calls[callId].holders.length > 0,
  );
}

const claim = (who: readonly [Call, number]): Command =>
  byHolder('claim', who, async (registry, callId, holder, call) => {
    const { workerId, epoch } = holder;
    const isNewest = holder === newestOf(call);
    const outcome = await registry.claimLease(callId, workerId, epoch, TTL_MS);
    expect(outcome).toBe(isNewest ? 'ok' : 'stale');
    if (!isNewest) return;
    call.claimed = { workerId, epoch };
    call.lease = { workerId, epoch };
  });

const release = (who: readonly [Call, number]): Command =>
  byHolder('release', who, async (registry, callId, { workerId, epoch }, call) => {
    const isHeld = call.lease?.epoch === epoch;
    expect(await registry.releaseLease(callId, workerId, epoch)).toBe(isHeld);
    if (isHeld) call.lease = undefined;
  });

/** All that ever had the call claim it at once, as after a break of Redis. */
const claimAtOnce = (callId: Call): Command =>
  command(`all claim ${callId}`, async (model, registry) => {
    const call = model.calls[callId];
    const newest = newestOf(call);
    const winners = await whoMay(call, async ({ workerId, epoch }) => {
      const outcome = await registry.claimLease(callId, workerId, epoch, TTL_MS);
      return outcome === 'ok';
    });
    expect(winners).toEqual(newest === undefined ? [] : [newest]);
    if (newest === undefined) return;
    call.claimed = newest;
    call.lease = newest;
  });

const expire = (callId: Call): Command =>
  command(
    `lease of ${callId} runs out`,
    async (model) => {
      await redis.raw.pexpire(`earshot:{workers}:lease:${callId}`, 0);
      model.calls[callId].lease = undefined;
    },
    ({ calls }) => calls[callId].lease !== undefined,
  );

const anyWorker = fc.constantFrom(...WORKERS);
const anyCall = fc.constantFrom(...CALLS);
const anyHolder = fc.tuple(anyCall, fc.nat(50));
const anyLoad = fc.constantFrom(0, 0.01, 0.02, 0.5, 0.84, 0.86, 0.99, 1);

const anyCommand = [
  fc.tuple(anyWorker, anyLoad, fc.boolean()).map(([id, load, leaves]) => beat(id, load, leaves)),
  fc.tuple(anyWorker, anyLoad).map(([id, load]) => beat(id, load, false)),
  fc
    .tuple(anyWorker, fc.constantFrom('expires' as const, 'removed' as const))
    .map((one) => die(...one)),
  fc.tuple(anyCall, fc.subarray([...WORKERS], { maxLength: 2 })).map((one) => place(...one)),
  fc.tuple(anyCall, fc.constant([])).map((one) => place(...one)),
  anyHolder.map(claim),
  anyHolder.map(release),
  anyCall.map(claimAtOnce),
  anyCall.map(expire),
];

describe('placements and leases', () => {
  it('have one holder at most, whoever comes when', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.commands(anyCommand, { maxCommands: 60, size: 'max' }),
        async (commands) => {
          runs += 1;
          await redis.raw.flushall();
          const fresh = (): CallModel => ({ holders: [], lease: undefined, claimed: undefined });
          const model: Model = { alive: new Map(), calls: { c_1: fresh(), c_2: fresh() } };
          const real = pods[runs % 2];
          if (real === undefined) throw new Error('there must be two pods');
          // Most runs need workers for anything to happen.
          for (const id of WORKERS) await beat(id, 0.5, false).run(model, real);
          await fc.asyncModelRun(() => ({ model, real }), commands);
        },
      ),
      { numRuns: 50 },
    );
  });
});

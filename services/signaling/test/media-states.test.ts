import { systemClock } from '@earshot/async/system';
import { initialCallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { Registry } from '@earshot/registry';
import { createLog } from '@earshot/telemetry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MediaCalls } from '../src/calls/media-calls.js';
import { confirmAttached } from '../src/calls/media-changes.js';
import { MediaStates } from '../src/calls/media-states.js';
import type { ServiceState } from '../src/calls/service-state.js';
import { serviceState } from '../src/calls/service-state.js';
import { WAIT } from './support/harness.js';

const OPEN_CALLS = 1_000;
const HOST = 'host-1';

let redis: TestRedis;
let registry: Registry;

/** An attached call. */
function newRecord(n: number): CallRecord {
  const service: ServiceState = {
    joinUrlHost: 'teams.microsoft.com',
    graph: 'present',
    hostHeld: true,
    establishedAtMs: 1,
    attachedAtMs: 2,
    pendingEvents: [],
  };
  return {
    callId: `c_${n}`,
    version: 0,
    createdAtMs: n,
    joinUrl: '',
    tenantId: 't',
    hostId: HOST,
    mediaId: `m_${n}`,
    attemptKey: `k_${n}`,
    model: initialCallModel,
    signalingPosition: 0,
    workerId: 'worker-1',
    epoch: 1,
    service,
  };
}

beforeAll(async () => {
  redis = await startTestRedis({ persistent: true });
  registry = new Registry({ redisUrl: redis.url, clock: systemClock });
  await registry.ready();
  const records = Array.from({ length: OPEN_CALLS }, (_, n) => newRecord(n));
  await Promise.all(records.map((record) => registry.createCall(record)));
});

afterAll(async () => {
  await registry.close();
  await redis.close();
});

afterEach(() => vi.restoreAllMocks());

describe('MediaCalls', () => {
  it('looks at the open calls once, however many sessions are asked for at once', async () => {
    const scans = vi.spyOn(registry, 'openCalls');
    const calls = new MediaCalls(registry);
    const found = await Promise.all(
      Array.from({ length: OPEN_CALLS }, (_, n) => calls.find({ hostId: HOST, mediaId: `m_${n}` })),
    );
    expect(found).toEqual(found.map((_, n) => `c_${n}`));
    expect(scans).toHaveBeenCalledTimes(1);
    expect(await calls.find({ hostId: HOST, mediaId: 'm_7' })).toBe('c_7');
    expect(scans).toHaveBeenCalledTimes(1);
  });

  it('asks nobody about a call that it has seen, and forgets it', async () => {
    const scans = vi.spyOn(registry, 'openCalls');
    const calls = new MediaCalls(registry);
    const record = await registry.readCall('c_3');
    if (record === undefined) throw new Error('no call');
    calls.remember({ ...record, callId: 'c_other', mediaId: 'm_other' });
    const media = { hostId: HOST, mediaId: 'm_other' };
    expect(await calls.find(media)).toBe('c_other');
    expect(scans).not.toHaveBeenCalled();
    calls.forget('c_other');
    expect(await calls.find(media)).toBeUndefined();
    expect(await calls.find({ hostId: 'host-2', mediaId: 'm_3' })).toBeUndefined();
  });

  it('finds a call that came after a look had begun', async () => {
    const calls = new MediaCalls(registry);
    const early = calls.find({ hostId: HOST, mediaId: 'm_late' });
    const record = await registry.readCall('c_3');
    if (record === undefined) throw new Error('no call');
    const late = { ...record, callId: 'c_late', mediaId: 'm_late', attemptKey: 'k_late' };
    await registry.createCall({ ...late, version: 0 });
    expect(await calls.find({ hostId: HOST, mediaId: 'm_late' })).toBe('c_late');
    await early;
  });
});

describe('MediaStates', () => {
  const woken: string[] = [];

  function open(): MediaStates {
    return new MediaStates({
      registry,
      mediaCalls: new MediaCalls(registry),
      clock: systemClock,
      log: createLog({ service: 'test', level: 'silent' }),
      wake: (callId) => woken.push(callId),
    });
  }

  /** Confirms the next attachment, as whoever asked for it does. */
  async function confirm(states: MediaStates, n: number): Promise<void> {
    await states.inOrder({ hostId: HOST, mediaId: `m_${n}` }, () =>
      registry.updateCall(`c_${n}`, (record) =>
        confirmAttached(record, { workerId: 'worker-2', url: '', epoch: 2 }, 3),
      ),
    );
  }

  async function moveOf(n: number): Promise<string | undefined> {
    const record = await registry.readCall(`c_${n}`);
    if (record === undefined) throw new Error('no call');
    return serviceState(record).move?.cause;
  }

  const drain = (n: number) =>
    ({ hostId: HOST, mediaId: `m_${n}`, state: 'active', detail: 'drain_requested' }) as const;

  it('puts what was said before an attachment before it', async () => {
    const states = open();
    states.told(drain(20));
    states.attached({ hostId: HOST, mediaId: 'm_20' });
    await confirm(states, 20);
    await states.close();
    expect(await moveOf(20)).toBeUndefined();
    expect(woken).toContain('c_20');
  });

  it('puts what was said right after an attachment after it', async () => {
    const states = open();
    states.attached({ hostId: HOST, mediaId: 'm_21' });
    states.told(drain(21));
    await confirm(states, 21);
    await states.close();
    expect(await moveOf(21)).toBe('drain');
  });

  it('waits for nobody where an attachment is nobody’s any more', async () => {
    const states = open();
    states.attached({ hostId: HOST, mediaId: 'm_25' });
    states.attached({ hostId: HOST, mediaId: 'm_25' });
    states.told(drain(25));
    await new Promise(setImmediate);
    await states.close();
    expect(await moveOf(25)).toBe('drain');
  });

  it('keeps the last word of a host that says more than can be stored', async () => {
    const states = open();
    const updates = vi.spyOn(registry, 'updateCall');
    for (let n = 0; n < 200; n += 1) {
      states.told({ hostId: HOST, mediaId: 'm_22', state: 'failed', detail: 'connect_failed' });
      states.told({ hostId: HOST, mediaId: 'm_22', state: 'active' });
    }
    states.told(drain(22));
    await new Promise(setImmediate);
    await states.close();
    expect(await moveOf(22)).toBe('drain');
    expect(updates.mock.calls.length).toBeLessThanOrEqual(33);
  });

  it('has nothing to say of sessions that no call has', async () => {
    const states = open();
    states.told({ hostId: HOST, mediaId: 'm_nobody', state: 'failed', detail: 'media_lost' });
    states.told({ hostId: HOST, mediaId: 'm_23', state: 'ended' });
    await new Promise(setImmediate);
    await states.close();
    expect(await moveOf(23)).toBeUndefined();
  });

  it('stores what was said while Redis was away once it is back', async () => {
    const states = open();
    await redis.kill();
    const looks = vi.spyOn(registry, 'openCalls');
    states.told(drain(24));
    const hasFailed = () => looks.mock.settledResults.some(({ type }) => type === 'rejected');
    await vi.waitUntil(hasFailed, WAIT);
    await redis.restart();
    await vi.waitUntil(async () => (await moveOf(24)) === 'drain', WAIT);
    await states.close();
  });
});

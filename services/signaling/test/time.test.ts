import { VirtualClock } from '@earshot/async';
import { GraphError } from '@earshot/graph';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KEEP_ALIVE_OWNERSHIP_MS } from '../src/calls/call-work.js';
import { HANG_UP_GRACE_MS, KEEP_ALIVE_INTERVAL_MS, WATCHDOG_MS } from '../src/calls/duties.js';
import type { ServiceState } from '../src/calls/service-state.js';
import { serviceState } from '../src/calls/service-state.js';
import type { TestHost } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

const MINUTE_MS = 60_000;

describe('as time passes', () => {
  let harness: Harness;
  let clock: VirtualClock;
  let host: TestHost;

  beforeEach(async () => {
    harness = await Harness.open();
    clock = new VirtualClock();
    await harness.start({ clock });
    host = await harness.host();
  });

  afterEach(() => harness.close());

  /** An established call whose audio is attached, so that it needs its host no more. */
  async function attached(): Promise<{ id: string; graphCallId: string }> {
    await harness.worker();
    return harness.attachedCall();
  }

  async function established(): Promise<{ id: string; graphCallId: string }> {
    const { id } = (await harness.join()).body;
    const graphCallId = harness.graph.lastLeg.id;
    await harness.graph.notify([stateItem(graphCallId, 'established')]);
    await harness.reaches(id, 'established');
    return { id, graphCallId };
  }

  const keepAlives = () => harness.graph.count('POST', '/keepAlive');

  const pass = (durationMs: number) => harness.pass(clock, durationMs);

  it('an established call is kept alive every twelve minutes', async () => {
    await attached();
    clock.advance(KEEP_ALIVE_INTERVAL_MS - MINUTE_MS);
    await harness.get('/v1/calls');
    expect(keepAlives()).toBe(0);
    for (let n = 1; n <= 3; n += 1) {
      clock.advance(n === 1 ? MINUTE_MS : KEEP_ALIVE_INTERVAL_MS);
      await vi.waitUntil(() => keepAlives() === n, WAIT);
      await keptAliveAt(clock.wallclockMs());
    }
  });

  it('a keepAlive that fails is tried again soon', async () => {
    await attached();
    harness.graph.answerNext('keepAlive', { status: 503 });
    clock.advance(KEEP_ALIVE_INTERVAL_MS);
    await vi.waitUntil(() => keepAlives() === 1, WAIT);
    await vi.waitUntil(async () => {
      await pass(1_000);
      return keepAlives() === 2;
    }, WAIT);
    expect(
      (await harness.get<{ calls: { state: string }[] }>('/v1/calls')).body.calls[0]?.state,
    ).toBe('established');
  });

  it('a call that Graph no longer knows ends with its keepAlive', async () => {
    const { id, graphCallId } = await attached();
    harness.graph.lastLeg.alive = false;
    clock.advance(KEEP_ALIVE_INTERVAL_MS);
    const call = await harness.reaches(id, 'terminated');
    expect(call.result).toMatchObject({ cause: 'call_gone', retryClass: 'backOff' });
    expect(harness.graph.count('DELETE', graphCallId)).toBe(0);
  });

  it('a call outlives an authority that answers 404', async () => {
    const { id } = await attached();
    harness.tokenFailures.push(new GraphError('graph_token_refused', 'none', { status: 404 }));
    clock.advance(KEEP_ALIVE_INTERVAL_MS);
    await vi.waitUntil(async () => {
      await pass(1_000);
      return keepAlives() === 1;
    }, WAIT);
    expect((await harness.call(id)).state).toBe('established');
  });

  it('a call that is not established in time is deleted and ended, and its host freed', async () => {
    const { id } = (await harness.join()).body;
    const leg = harness.graph.lastLeg;
    await pass(WATCHDOG_MS - 1_000);
    expect((await harness.call(id)).state).toBe('establishing');
    await pass(1_000);
    const call = await harness.reaches(id, 'terminated');
    expect(call.result).toMatchObject({ cause: 'not_established', retryClass: 'backOff' });
    await vi.waitUntil(() => !leg.alive, WAIT);
    await vi.waitUntil(() => host.released.length > 0, WAIT);
    await vi.waitUntil(async () => (await harness.registry.openCalls()).length === 0, WAIT);
  });

  it('a call that was hung up ends even when Teams never says so', async () => {
    const { id } = await attached();
    await harness.request('DELETE', `/v1/calls/${id}`);
    await vi.waitUntil(() => !harness.graph.lastLeg.alive, WAIT);
    await vi.waitUntil(async () => {
      const state = await harness.registry.readCall(id);
      return JSON.stringify(state?.service).includes('"graph":"deleteSent"');
    }, WAIT);
    await pass(HANG_UP_GRACE_MS);
    expect((await harness.reaches(id, 'terminated')).result?.cause).toBe('hung_up');
    await vi.waitUntil(() => host.released.length > 0, WAIT);
  });

  it('hosts are listed and counted with the time that their pings take', async () => {
    const listed = async (): Promise<{ rttMs?: number }[]> =>
      (await harness.get<{ hosts: { rttMs?: number }[] }>('/v1/hosts')).body.hosts;
    await vi.waitUntil(async () => (await listed()).length === 1, WAIT);
    expect((await listed())[0]).not.toHaveProperty('rttMs');
    clock.advance(5_000);
    await vi.waitUntil(async () => (await listed())[0]?.rttMs === 0, WAIT);
    const metrics = await (await fetch(`${harness.signaling.url}/metrics`)).text();
    expect(metrics).toMatch(/^earshot_host_link_rtt_seconds_count\{[^}]*\} 1$/m);
  });

  it('a call whose host went away before its audio was attached ends', async () => {
    const { id, graphCallId } = await established();
    await harness.disconnect(host);
    await vi.waitUntil(async () => {
      clock.advance(5_000);
      return (await harness.call(id)).state === 'terminated';
    }, WAIT);
    expect((await harness.call(id)).result?.cause).toBe('host_lost');
    await vi.waitUntil(() => harness.graph.count('DELETE', graphCallId) === 1, WAIT);
  });

  it('a hanging up that Graph does not answer is tried again', async () => {
    const { id, graphCallId } = await established();
    harness.graph.answerNext('delete', 'cut');
    await harness.request('DELETE', `/v1/calls/${id}`);
    await vi.waitUntil(() => harness.graph.count('DELETE', graphCallId) === 1, WAIT);
    await vi.waitUntil(async () => {
      await pass(1_000);
      return harness.graph.count('DELETE', graphCallId) === 2;
    }, WAIT);
    expect(harness.graph.lastLeg.alive).toBe(false);
  });

  it('a call whose keepAlive a process began that died is kept alive by another within a minute', async () => {
    const { id } = await attached();
    const atMs = (await keptAlive())?.keptAliveAtMs;
    const claim = `keepAlive:${id}:${atMs}`;
    // Redis' own time does not pass with ours: the claim is taken away below.
    await harness.registry.tryOwn(claim, 'a-process-that-died', 10 * MINUTE_MS);
    clock.advance(KEEP_ALIVE_INTERVAL_MS);
    await harness.call(id);
    await pass(KEEP_ALIVE_OWNERSHIP_MS);
    expect(keepAlives()).toBe(0);
    expect(await harness.redis.ask('DEL', `earshot:own:{${claim}}`)).toBe(1);
    await pass(MINUTE_MS - KEEP_ALIVE_OWNERSHIP_MS);
    await vi.waitUntil(() => keepAlives() === 1, WAIT);
  });

  it('a leg that calls back long after it was deleted is deleted again, three times at most', async () => {
    const { id, graphCallId } = await attached();
    const leg = harness.graph.lastLeg;
    await harness.request('DELETE', `/v1/calls/${id}`);
    await vi.waitUntil(() => !leg.alive, WAIT);
    await harness.graph.notify([endItem(graphCallId, 200, 7000)]);
    await harness.closed(id);
    const deletions = () => harness.graph.count('DELETE', graphCallId);
    const before = deletions();

    // At first it may just have been long on its way.
    await harness.graph.notify([stateItem(graphCallId, 'established')]);
    await harness.folded(id);
    expect(deletions()).toBe(before);
    for (let recall = 1; recall <= 3; recall += 1) {
      clock.advance(MINUTE_MS);
      leg.alive = true;
      await harness.graph.notify([stateItem(graphCallId, recall % 2 ? 'hold' : 'established')]);
      await vi.waitUntil(() => !leg.alive, WAIT);
      await vi.waitUntil(async () => (await harness.registry.openCalls()).length === 0, WAIT);
      expect(deletions()).toBe(before + recall);
    }
    clock.advance(MINUTE_MS);
    await harness.graph.notify([stateItem(graphCallId, 'established')]);
    await harness.folded(id);
    await vi.waitUntil(async () => (await harness.registry.openCalls()).length === 0, WAIT);
    expect(deletions()).toBe(before + 3);
  });

  async function keptAlive(): Promise<ServiceState | undefined> {
    const [callId = ''] = await harness.registry.openCalls();
    const record = await harness.registry.readCall(callId);
    return record === undefined ? undefined : serviceState(record);
  }

  async function keptAliveAt(wallclockMs: number): Promise<void> {
    await vi.waitUntil(async () => {
      const [callId = ''] = await harness.registry.openCalls();
      const record = await harness.registry.readCall(callId);
      return JSON.stringify(record?.service).includes(`"keptAliveAtMs":${wallclockMs}`);
    }, WAIT);
  }
});

describe('two processes', () => {
  it('keep a call alive once between them, and one goes on when the other is gone', async () => {
    const harness = await Harness.open();
    try {
      const clock = new VirtualClock();
      const first = await harness.start({ clock });
      await harness.host();
      await harness.worker();
      const { id } = await harness.attachedCall();
      const second = await harness.start({ clock });
      await harness.call(id);

      const keepAlives = () => harness.graph.count('POST', '/keepAlive');
      clock.advance(KEEP_ALIVE_INTERVAL_MS);
      await vi.waitUntil(() => keepAlives() > 0, WAIT);
      await Promise.all([first, second].map(async ({ url }) => fetch(`${url}/livez`)));
      clock.advance(KEEP_ALIVE_INTERVAL_MS / 2);
      await harness.call(id);
      expect(keepAlives()).toBe(1);

      await first.close();
      await vi.waitUntil(async () => {
        clock.advance(MINUTE_MS);
        await harness.call(id);
        return keepAlives() === 2;
      }, WAIT);
    } finally {
      await harness.close();
    }
  });
});

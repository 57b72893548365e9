import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { START_PATIENCE_MS } from '../src/calls/call-starter.js';
import { JOIN_EFFORT_MS } from '../src/calls/duties.js';
import type { Signaling } from '../src/signaling.js';
import type { Answer, HostBehaviour, Problem, TestHost } from './support/harness.js';
import { Harness, JOIN_URL, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

interface HostEntry {
  readonly hostId: string;
  readonly isHere: boolean;
  readonly activeCalls: number;
}

describe('several processes', () => {
  let harness: Harness;
  let clock: VirtualClock;
  /** The one that is asked. */
  let asked: Signaling;
  let other: Signaling;

  beforeEach(async () => {
    harness = await Harness.open();
    clock = new VirtualClock();
  });

  afterEach(async () => {
    await asked.close();
    await harness.close();
  });

  /** Both know of the other's hosts then. */
  async function start({ otherClock = clock }: { otherClock?: VirtualClock } = {}): Promise<void> {
    asked = await harness.start({ clock });
    other = await harness.start({ clock: otherClock });
  }

  async function hostOf(process: Signaling, behaviour: HostBehaviour): Promise<TestHost> {
    const host = await harness.hostAt(process, behaviour);
    await vi.waitUntil(async () => (await hostsOf(asked)).some(isOf(behaviour)), WAIT);
    return host;
  }

  async function hostsOf(process: Signaling): Promise<HostEntry[]> {
    return (await harness.requestAt<{ hosts: HostEntry[] }>(process, 'GET', '/v1/hosts')).body
      .hosts;
  }

  function join(): Promise<Answer<{ id: string } & Problem>> {
    return harness.requestAt(asked, 'POST', '/v1/calls', { joinUrl: JOIN_URL });
  }

  /** The answer, for which no more time passes than is given, once the call has begun. */
  async function answeredWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
    await vi.waitUntil(async () => (await harness.registry.openCalls()).length === 1, WAIT);
    for (let passedMs = 0; passedMs < limitMs; passedMs += 1_000) {
      clock.advance(1_000);
      // Both get their turn.
      for (const process of [asked, other]) await hostsOf(process);
    }
    let settled: T | undefined;
    void answer.then((value) => {
      settled = value;
    });
    return vi.waitUntil(() => settled, WAIT);
  }

  it('make a call on a host of any of them, and each shows all hosts', async () => {
    await start();
    const host = await hostOf(other, { hostId: 'there' });
    expect(await hostsOf(asked)).toMatchObject([{ hostId: 'there', isHere: false }]);
    expect(await hostsOf(other)).toMatchObject([{ hostId: 'there', isHere: true }]);

    const { status, body } = await join();
    expect(status).toBe(201);
    expect(host.allocated).toEqual([body.id]);
    expect(harness.graph.lastLeg.callbackUri.startsWith(other.url)).toBe(true);
  });

  it('answer with the failure that another one met', async () => {
    await start();
    await hostOf(other, {
      hostId: 'there',
      allocate: () => Promise.reject(new Error('no media port left')),
    });
    const { status, body } = await join();
    expect([status, body.code]).toEqual([502, 'host_refused']);
  });

  it('pass over hosts elsewhere that are full or drain', async () => {
    await start();
    const host = await hostOf(other, { hostId: 'there', capacity: 1 });
    expect((await join()).status).toBe(201);
    host.link.sendHealth({ activeCalls: 1, level: 'normal' });
    await vi.waitUntil(async () => {
      clock.advance(5_000);
      await hostsOf(other);
      return (await hostsOf(asked)).some(({ activeCalls }) => activeCalls === 1);
    }, WAIT);
    expect((await join()).body.code).toBe('no_media_host');
  });

  it('join again on a host of another one', async () => {
    await start();
    const here = await hostOf(asked, { hostId: 'here' });
    const there = await hostOf(other, { hostId: 'there' });
    const { id } = (await join()).body;
    expect(here.allocated).toEqual([id]);
    await harness.graph.notify([endItem(harness.graph.lastLeg.id, 500, 7112)]);
    await vi.waitUntil(() => harness.graph.legs.length === 2, WAIT);
    expect(there.allocated).toEqual([id]);
    await harness.graph.notify([stateItem(harness.graph.lastLeg.id, 'established')]);
    await harness.reaches(id, 'established');
    await vi.waitUntil(() => here.released.length === 1, WAIT);
  });

  it('do not wait for one that died before it could begin', async () => {
    await start();
    const host = { hostId: 'gone', capacity: 5, activeCalls: 0, level: 'normal', draining: false };
    await harness.registry.hosts.announce('died', [{ ...host, level: 'normal' }], 600_000);
    const { status, body } = await answeredWithin(JOIN_EFFORT_MS + 5_000, join());
    expect([status, body.code]).toEqual([503, 'no_media_host']);
    expect(await harness.registry.openCalls()).toEqual([]);
  });

  it('do not wait for one that hangs in the middle, and leave nothing of the call', async () => {
    // Its time stands still: it never gives up on its host.
    await start({ otherClock: new VirtualClock() });
    let answer = (_: { mediaId: string; blob: string }): void => {};
    const host = await hostOf(other, {
      hostId: 'there',
      allocate: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const joining = join();
    await vi.waitUntil(() => host.allocated.length === 1, WAIT);
    const { status, body } = await answeredWithin(START_PATIENCE_MS + 5_000, joining);
    expect([status, body.code]).toEqual([504, 'start_timeout']);
    answer({ mediaId: 'm-late', blob: 'late' });
    await vi.waitUntil(() => host.released.length === 1, WAIT);
    expect(harness.graph.legs).toEqual([]);
    const { calls } = await harness.registry.listCalls({ limit: 1 });
    expect(calls[0]?.service).toMatchObject({ graph: 'none', hostHeld: false });
    expect((await harness.admission()).calls.used).toBe(0);
  });
});

function isOf({ hostId }: HostBehaviour): (entry: HostEntry) => boolean {
  return (entry) => entry.hostId === hostId;
}

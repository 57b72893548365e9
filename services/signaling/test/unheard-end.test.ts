import { CodedError, VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LAST_AUDIO_MS } from '../src/calls/duties.js';
import type { TestHost } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

describe('a call that ends before any worker has come', () => {
  let harness: Harness;
  let clock: VirtualClock;
  let host: TestHost;
  let refusal: CodedError | undefined;

  beforeEach(async () => {
    harness = await Harness.open();
    clock = new VirtualClock();
    refusal = undefined;
    await harness.start({ clock });
    host = await connectHost();
  });

  afterEach(() => harness.close());

  function connectHost(): Promise<TestHost> {
    return harness.host({
      hostId: 'host',
      attach: async () => {
        if (refusal !== undefined) throw refusal;
      },
    });
  }

  async function end(state: 'established' | 'establishing' = 'established'): Promise<string> {
    const { id } = (await harness.join()).body;
    const graphCallId = harness.graph.lastLeg.id;
    await harness.graph.notify([stateItem(graphCallId, state), endItem(graphCallId, 200, 5002)]);
    await harness.reaches(id, 'terminated');
    return id;
  }

  /** Lets the pauses between tries pass, and no more: the sound has ten seconds. */
  async function isAttached(): Promise<void> {
    let leftMs = 5_000;
    await vi.waitUntil(() => {
      if (host.attached.length > 0) return true;
      clock.advance(Math.min(leftMs, 100));
      leftMs -= Math.min(leftMs, 100);
      return false;
    }, WAIT);
  }

  it('is heard by the one that comes, and its host let go of once the sound had its time', async () => {
    const id = await end();
    await harness.worker();
    await isAttached();
    expect(host.attached).toMatchObject([{ callId: id, mediaId: `m-${id}`, epoch: 1 }]);
    await vi.waitUntil(async () => (await harness.registry.readCall(id))?.epoch === 1, WAIT);
    expect(host.released).toEqual([]);
    await harness.pass(clock, LAST_AUDIO_MS);
    await harness.closed(id);
    expect(host.released).toEqual([`m-${id}`]);
    expect(host.attached).toHaveLength(1);
    expect((await harness.admission()).calls.used).toBe(0);
  });

  it('is heard though the process that took its end is gone', async () => {
    const id = await end();
    await host.close();
    await harness.stop();
    await harness.start({ clock });
    host = await connectHost();
    await harness.worker();
    await isAttached();
    expect(host.attached).toMatchObject([{ callId: id, epoch: 1 }]);
    await harness.pass(clock, LAST_AUDIO_MS);
    await harness.closed(id);
    expect(host.released).toEqual([`m-${id}`]);
  });

  it('is given up when none comes in time', async () => {
    const id = await end();
    await harness.pass(clock, LAST_AUDIO_MS - 1);
    expect(host.released).toEqual([]);
    clock.advance(1);
    await harness.closed(id);
    expect(host.released).toEqual([`m-${id}`]);
    expect(host.attached).toEqual([]);
  });

  it('is asked about once where the host has nothing of it', async () => {
    refusal = new CodedError('media_ended', 'Cannot attach: the session must go on, got its end');
    await harness.worker();
    const id = await end();
    await harness.closed(id);
    expect(host.attached.length).toBe(1);
    expect(host.released).toEqual([`m-${id}`]);
  });

  it('leaves its host at once when it was never established', async () => {
    await harness.worker();
    const id = await end('establishing');
    await harness.closed(id);
    expect(host.released).toEqual([`m-${id}`]);
    expect(host.attached).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applyMediaState, placeAnew } from '../src/calls/media-changes.js';
import { serviceState } from '../src/calls/service-state.js';
import { WAIT } from './support/harness.js';
import { MovingKit } from './support/moving-kit.js';

describe('a call that is moved', () => {
  let kit: MovingKit;

  beforeEach(async () => {
    kit = await MovingKit.open();
    await kit.harness.worker('worker-2');
  });

  afterEach(() => kit.close());

  /** What the next attach is asked for is never answered. */
  function answerNothing(): void {
    kit.onAttach = () => {
      kit.onAttach = () => {};
      return new Promise(() => {});
    };
  }

  it('is attached by another process when the one that placed it died before it could', async () => {
    const { registry } = kit.harness;
    await kit.host.close();
    await kit.harness.stop();
    const placement = await registry.placeCall(kit.id, { excludeWorkers: ['worker-1'] });
    if (placement === undefined) throw new Error('no worker');
    const atMs = kit.clock.wallclockMs();
    await registry.updateCall(kit.id, (record) => {
      const told = { state: 'active', detail: 'drain_requested' } as const;
      const moving = applyMediaState(record, told, { atMs, isWorkerGone: false });
      const { move } = serviceState(moving);
      if (move === undefined) throw new Error('not moving');
      return placeAnew(moving, placement, move, atMs);
    });

    await kit.harness.start({ clock: kit.clock });
    expect((await kit.attachment()).state).toBe('moving');
    await kit.connectHost();
    // What the host repeats of the attachment before calls nothing off.
    kit.says('active');
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 3 });
  });

  it('is attached by another process when the one that asked its host died unanswered', async () => {
    const first = kit.harness.signaling;
    const firstHost = kit.host;
    await kit.harness.start({ clock: kit.clock });
    answerNothing();
    kit.says('active', 'drain_requested');
    await vi.waitUntil(() => firstHost.attached.length === 2, WAIT);
    expect((await kit.attachment()).state).toBe('moving');

    await first.close();
    await kit.connectHost();
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 3 });
    expect(kit.workersAsked).toEqual([2]);
    await firstHost.close();
  });

  it('is attached once its host is back, when the host link broke unanswered', async () => {
    answerNothing();
    kit.says('active', 'drain_requested');
    await vi.waitUntil(() => kit.host.attached.length === 2, WAIT);
    const before = kit.host;
    await kit.connectHost();
    kit.says('active', 'drain_requested');
    await kit.passUntil(() => kit.host.attached.length === 1);
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 3 });
    await before.close();
  });

  it('is given up only after its host was there for a minute', async () => {
    await kit.harness.registry.removeWorker('worker-1');
    await kit.harness.registry.removeWorker('worker-2');
    kit.says('failed', 'connect_failed');
    await kit.reaches('moving');
    await kit.harness.disconnect(kit.host);
    await kit.pass(5 * 60_000);
    expect(await kit.state()).toBe('established');
    await kit.connectHost();
    await kit.harness.worker('worker-2');
    await kit.passUntil(() => kit.host.attached.length === 1);
    await kit.moved(1);
  });
});

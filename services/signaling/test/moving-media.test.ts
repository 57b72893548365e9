import { CodedError } from '@earshot/async';
import { MediaTokens } from '@earshot/media-token';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LAST_AUDIO_MS } from '../src/calls/duties.js';
import { INTERRUPTION_GRACE_MS, MOVE_EFFORT_MS, MOVE_PAUSE_MS } from '../src/calls/media-move.js';
import type { AttachOrder } from './support/harness.js';
import { WAIT } from './support/harness.js';
import { MovingKit } from './support/moving-kit.js';
import { endItem } from './support/notifications.js';

let kit: MovingKit;

beforeEach(async () => {
  kit = await MovingKit.open();
});

afterEach(() => kit.close());

const nobody = (order: AttachOrder): never => {
  throw new CodedError('connect_failed', `Cannot reach ${order.workerUrl}`);
};

function moves(): Promise<number> {
  return kit.harness.metric('earshot_reattachments_total');
}

describe('a worker that drains', () => {
  it('loses the call at once to another, under a higher epoch and a token of its own', async () => {
    const { registry } = kit.harness;
    expect(await registry.claimLease(kit.id, 'worker-1', 1, 600_000)).toBe('ok');
    await kit.harness.worker('worker-2');
    kit.says('active', 'drain_requested');
    const attachment = await kit.moved(1);
    expect(attachment).toMatchObject({ workerId: 'worker-2', epoch: 2 });
    expect(kit.workersAsked).toEqual([1, 2]);
    const [first, second] = kit.host.attached;
    expect(second).toMatchObject({ callId: kit.id, mediaId: first?.mediaId, epoch: 2 });
    expect(second?.token).not.toBe(first?.token);
    const tokens = new MediaTokens({
      key: Buffer.from(kit.harness.bridgeKey, 'base64url'),
      clock: kit.clock,
    });
    expect(await tokens.verify(second?.token ?? '', { workerId: 'worker-2' })).toMatchObject({
      ok: true,
      callId: kit.id,
      epoch: 2,
    });
    await vi.waitUntil(async () => (await moves()) === 1, WAIT);
    // The lease that the worker before still held was in nobody's way.
    expect(await registry.claimLease(kit.id, 'worker-1', 1, 600_000)).toBe('stale');
    expect(await registry.claimLease(kit.id, 'worker-2', 2, 600_000)).toBe('ok');
  });

  it('keeps the call for as long as it sounds there and no other worker is', async () => {
    await kit.harness.worker('worker-1', { draining: true });
    kit.says('active', 'drain_requested');
    await kit.reaches('moving');
    await kit.pass(2 * MOVE_EFFORT_MS);
    expect(await kit.state()).toBe('established');
    expect((await kit.harness.call(kit.id)).media.attached).toBe(true);
    expect(kit.workersAsked).toEqual([1]);
    await kit.harness.worker('worker-2');
    await kit.passUntil(() => kit.host.attached.length === 2);
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2' });
  });

  it('is not asked again though its registry entry does not say so yet', async () => {
    kit.says('active', 'drain_requested');
    await kit.reaches('moving');
    await kit.passUntil(
      async () => (await kit.harness.metric('earshot_calls_unplaced_total')) >= 3,
    );
    expect(kit.workersAsked).toEqual([1]);
  });

  it('may have the call again once it is new and the audio has stopped', async () => {
    await kit.harness.worker('worker-1', { draining: true });
    kit.says('active', 'drain_requested');
    await kit.reaches('moving');
    kit.says('inactive', 'link_interrupted');
    await vi.waitUntil(async () => !(await kit.harness.call(kit.id)).media.attached, WAIT);
    await kit.harness.worker('worker-1');
    await kit.passUntil(() => kit.host.attached.length === 2);
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-1', epoch: 2 });
  });

  it('loses all its calls promptly: none waits for another', async () => {
    const orders: AttachOrder[] = [];
    let all = (): void => {};
    const isAll = new Promise<void>((resolve) => {
      all = resolve;
    });
    const callIds = [kit.id];
    while (callIds.length < 20) callIds.push((await kit.harness.attachedCall()).id);
    kit.clock.advance(MOVE_PAUSE_MS);
    // Each is answered only when the host has been asked for all of them.
    kit.onAttach = (order) => {
      orders.push(order);
      if (orders.length === callIds.length) all();
      return isAll;
    };
    await kit.harness.worker('worker-1', { draining: true });
    await Promise.all([kit.harness.worker('worker-2'), kit.harness.worker('worker-3')]);
    for (const callId of callIds) {
      const mediaId = `m-${callId}`;
      kit.host.link.sendMediaState({ mediaId, state: 'active', detail: 'drain_requested' });
    }
    await vi.waitUntil(async () => (await moves()) === callIds.length, WAIT);
    expect(orders.map(({ callId }) => callId).sort()).toEqual(callIds.sort());
    // Both take their part.
    const onSecond = orders.filter(({ workerUrl }) => workerUrl.endsWith('worker-2'));
    expect(onSecond).toHaveLength(callIds.length / 2);
  });
});

describe('a media link that breaks', () => {
  it('has its time to come back, then the call goes to another worker', async () => {
    await kit.harness.worker('worker-2');
    kit.says('inactive', 'link_interrupted');
    const { since } = await kit.reaches('interrupted');
    expect(since).toBe(new Date(kit.clock.wallclockMs()).toISOString());
    expect((await kit.harness.call(kit.id)).media.attached).toBe(false);
    await kit.pass(INTERRUPTION_GRACE_MS - 1);
    await kit.reaches('interrupted');
    expect(kit.workersAsked).toEqual([1]);
    kit.clock.advance(1);
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 2 });
  });

  it('goes to the same worker when there is no other', async () => {
    kit.says('inactive', 'link_interrupted');
    await kit.reaches('interrupted');
    kit.clock.advance(INTERRUPTION_GRACE_MS);
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-1', epoch: 2 });
  });

  it('is not waited for when the worker is known to be dead', async () => {
    await kit.harness.worker('worker-2');
    await kit.harness.registry.removeWorker('worker-1');
    kit.says('inactive', 'link_interrupted');
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 2 });
  });

  it('moves nothing as long as it comes back in time, however often', async () => {
    await kit.harness.worker('worker-2');
    for (let n = 0; n < 5; n += 1) {
      kit.says('inactive', 'link_interrupted');
      await kit.reaches('interrupted');
      await kit.pass(INTERRUPTION_GRACE_MS - 1);
      kit.says('active');
      await kit.reaches('attached');
      await kit.pass(1);
    }
    await kit.pass(4 * INTERRUPTION_GRACE_MS);
    expect(kit.workersAsked).toEqual([1]);
    expect(await kit.attachment()).toMatchObject({ state: 'attached', moves: 0, epoch: 1 });
  });

  it('is told of again and again, and moved once', async () => {
    await kit.harness.worker('worker-2');
    for (let n = 0; n < 3; n += 1) kit.says('inactive', 'link_interrupted');
    await kit.reaches('interrupted');
    kit.clock.advance(INTERRUPTION_GRACE_MS);
    await kit.moved(1);
    await kit.pass(4 * INTERRUPTION_GRACE_MS);
    expect(kit.workersAsked).toEqual([1, 2]);
  });
});

describe('a media link that is lost for good', () => {
  it('is replaced at once by one to another worker', async () => {
    await kit.harness.worker('worker-2');
    kit.says('failed', 'closed_4401');
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 2 });
  });

  it('is tried with each worker, with those that failed last', async () => {
    await kit.harness.worker('worker-2');
    await kit.harness.worker('worker-3');
    kit.onAttach = (order) => {
      if (order.workerUrl.endsWith('worker-2')) nobody(order);
    };
    kit.says('failed', 'connect_failed');
    await kit.passUntil(() => kit.host.attached.length === 3);
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-3', epoch: 3 });
    kit.onAttach = () => {};
    kit.clock.advance(MOVE_PAUSE_MS);
    kit.says('failed', 'connect_failed');
    await kit.passUntil(() => kit.host.attached.length === 4);
    expect(await kit.moved(2)).toMatchObject({ workerId: 'worker-1', epoch: 4 });
    expect(kit.workersAsked).toEqual([1, 2, 3, 1]);
  });

  it('is not replaced in a tight loop by a worker that lets go at once', async () => {
    kit.says('failed', 'closed_4400');
    await kit.moved(1);
    kit.says('failed', 'closed_4400');
    await kit.reaches('moving');
    await kit.pass(MOVE_PAUSE_MS - 1);
    expect(kit.workersAsked).toEqual([1, 1]);
    kit.clock.advance(1);
    await kit.moved(2);
  });

  it('ends the call when nothing helps for a minute', async () => {
    kit.onAttach = nobody;
    kit.says('failed', 'connect_failed');
    await kit.reaches('moving');
    const lastMs = kit.clock.wallclockMs() + MOVE_EFFORT_MS;
    await kit.passUntil(() => kit.host.attached.length === 5);
    await kit.pass(lastMs - 1 - kit.clock.wallclockMs());
    expect(await kit.state()).toBe('established');
    kit.clock.advance(1);
    const call = await kit.harness.reaches(kit.id, 'terminated');
    expect(call.result).toMatchObject({ cause: 'media_failed', retryClass: 'onceOnAnotherHost' });
    expect(call.media.attachment).toBeUndefined();
    await vi.waitUntil(() => kit.host.released.length === 1, WAIT);
    expect(kit.harness.graph.lastLeg.alive).toBe(false);
  });

  it('ends the call when there is no worker for a minute', async () => {
    await kit.harness.registry.removeWorker('worker-1');
    kit.says('inactive', 'link_interrupted');
    await kit.reaches('interrupted');
    await kit.pass(MOVE_EFFORT_MS - 1);
    expect(await kit.state()).toBe('established');
    kit.clock.advance(1);
    const call = await kit.harness.reaches(kit.id, 'terminated');
    expect(call.result?.cause).toBe('media_failed');
  });

  it('does not end the call when a worker comes in time', async () => {
    await kit.harness.registry.removeWorker('worker-1');
    kit.says('failed', 'connect_failed');
    await kit.reaches('moving');
    await kit.pass(MOVE_EFFORT_MS - 10_000);
    await kit.harness.worker('worker-2');
    await kit.passUntil(() => kit.host.attached.length === 2);
    await kit.moved(1);
    await kit.pass(MOVE_EFFORT_MS);
    expect(await kit.state()).toBe('established');
  });
});

describe('a call that ends while nobody hears it', () => {
  beforeEach(async () => {
    await kit.harness.worker('worker-2');
    kit.says('inactive', 'link_interrupted');
    await kit.reaches('interrupted');
    const { graph } = kit.harness;
    await graph.notify([endItem(graph.lastLeg.id, 200, 5002)]);
    await kit.harness.reaches(kit.id, 'terminated');
  });

  it('is moved all the same, and its host let go of once the last sound had its time', async () => {
    await kit.pass(INTERRUPTION_GRACE_MS);
    await vi.waitUntil(() => kit.workersAsked.length === 2, WAIT);
    expect(kit.workersAsked).toEqual([1, 2]);
    expect(kit.host.released).toEqual([]);
    await kit.passUntil(() => kit.host.released.length === 1);
    expect(kit.workersAsked).toEqual([1, 2]);
  });

  it('is not moved when its link came back', async () => {
    kit.says('active');
    await vi.waitUntil(() => kit.host.released.length === 1, WAIT);
    expect(kit.workersAsked).toEqual([1]);
  });

  it('is asked about once where the host has nothing left', async () => {
    kit.onAttach = () => {
      throw new CodedError('media_ended', 'Cannot attach: the session must go on, got its end');
    };
    await kit.pass(INTERRUPTION_GRACE_MS);
    await vi.waitUntil(() => kit.host.released.length === 1, WAIT);
    expect(kit.workersAsked).toEqual([1, 2]);
  });

  it('is given up in the end', async () => {
    kit.onAttach = nobody;
    await kit.pass(LAST_AUDIO_MS);
    await vi.waitUntil(() => kit.host.released.length === 1, WAIT);
  });
});

describe('a session that is over', () => {
  it('ends the call, when its host says so', async () => {
    kit.says('failed', 'media_lost');
    const call = await kit.harness.reaches(kit.id, 'terminated');
    expect(call.result?.cause).toBe('media_failed');
    expect(kit.workersAsked).toEqual([1]);
  });

  it.each(['media_ended', 'media_not_found'])(
    'ends the call, when its host refuses another worker with %s',
    async (code) => {
      kit.onAttach = () => {
        throw new CodedError(code, 'Cannot attach: the session must go on, got one that is over');
      };
      await kit.harness.worker('worker-2');
      kit.says('active', 'drain_requested');
      await kit.passUntil(async () => (await kit.state()) === 'terminated');
      expect((await kit.harness.call(kit.id)).result?.cause).toBe('media_failed');
      expect(kit.workersAsked).toEqual([1, 2]);
    },
  );
});

describe('a session that is over just before its call', () => {
  it('leaves it to Teams to say how the call ended', async () => {
    const { graph } = kit.harness;
    kit.onAttach = () => {
      throw new CodedError('media_ended', 'Cannot attach: the session must go on, got its end');
    };
    await kit.harness.worker('worker-2');
    kit.says('active', 'drain_requested');
    await vi.waitUntil(() => kit.workersAsked.length === 2, WAIT);
    await graph.notify([endItem(graph.lastLeg.id, 200, 5002)]);
    const call = await kit.harness.reaches(kit.id, 'terminated');
    expect(call.result?.cause).toBe('ended_by_teams');
    expect(kit.workersAsked).toEqual([1, 2]);
  });
});

describe('states around an attachment', () => {
  it('are those of the one before, when they came before it', async () => {
    await kit.harness.worker('worker-2');
    kit.onAttach = () => {
      kit.says('inactive', 'link_interrupted');
      kit.says('active', 'drain_requested');
    };
    kit.says('active', 'drain_requested');
    await kit.moved(1);
    await kit.pass(4 * INTERRUPTION_GRACE_MS);
    expect(kit.workersAsked).toEqual([1, 2]);
    expect(await kit.attachment()).toMatchObject({ state: 'attached', moves: 1 });
  });

  it('are its own, when they came after it', async () => {
    await kit.harness.worker('worker-2');
    kit.onAttach = () => {
      // `attached` follows in this turn.
      setImmediate(() => kit.says('failed', 'connect_failed'));
      kit.onAttach = () => {};
    };
    kit.says('active', 'drain_requested');
    await kit.passUntil(() => kit.host.attached.length === 3);
    expect(await kit.moved(2)).toMatchObject({ workerId: 'worker-1', epoch: 3 });
  });

  it('do not call an attachment off that has begun', async () => {
    await kit.harness.worker('worker-2');
    let isAnswered = false;
    kit.onAttach = async () => {
      kit.says('active');
      await vi.waitUntil(() => isAnswered, WAIT);
    };
    kit.says('inactive', 'link_interrupted');
    await kit.reaches('interrupted');
    kit.clock.advance(INTERRUPTION_GRACE_MS);
    await vi.waitUntil(() => kit.host.attached.length === 2, WAIT);
    await kit.reaches('moving');
    isAnswered = true;
    expect(await kit.moved(1)).toMatchObject({ workerId: 'worker-2', epoch: 2 });
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withService } from '../src/calls/service-state.js';
import type { GraphLeg } from './support/graph-server.js';
import { Harness, TENANT, WAIT } from './support/harness.js';
import { endItem, rosterItem, stateItem } from './support/notifications.js';

const ADA = { id: 'p-ada', name: 'Ada', sourceId: '101' };

describe('a callback', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host({ capacity: 100 });
  });

  afterAll(() => harness.close());

  async function join(): Promise<{ id: string; leg: GraphLeg }> {
    const { id } = (await harness.join()).body;
    return { id, leg: harness.graph.lastLeg };
  }

  const counted = async (outcome: string): Promise<number> => {
    const text = await (await fetch(`${harness.signaling.url}/metrics`)).text();
    const pattern = new RegExp(
      `^earshot_callbacks_total\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)`,
      'm',
    );
    return Number(pattern.exec(text)?.[1] ?? 0);
  };

  const asideCodes = async (id: string): Promise<string[]> =>
    (await harness.registry.notificationsAside(id)).map(({ code }) => code);

  it('that is sent again is answered 202 again, and counted apart', async () => {
    const { id, leg } = await join();
    const messageId = randomUUID();
    const item = stateItem(leg.id, 'established');
    const before = await counted('duplicate');
    for (let i = 0; i < 3; i += 1) {
      expect((await harness.graph.notify([item], { messageId })).status).toBe(202);
    }
    expect(await counted('duplicate')).toBe(before + 2);
    await harness.reaches(id, 'established');
  });

  it('with the same words on purpose is heard each time', async () => {
    const { id, leg } = await join();
    for (const state of ['established', 'hold', 'established']) {
      await harness.graph.notify([stateItem(leg.id, state)]);
      await harness.reaches(id, state);
    }
  });

  it('of several items is taken for those of its own call', async () => {
    const { id, leg } = await join();
    const other = randomUUID();
    await harness.graph.notify([
      stateItem(leg.id.toUpperCase(), 'Established'),
      endItem(other, 200, 7000),
      rosterItem(leg.id, [ADA]),
      { changeType: 7, resourceUrl: null, resourceData: [[]] },
    ]);
    await vi.waitUntil(() => harness.registry.participantOfSource(id, '101'), WAIT);
    expect((await harness.call(id)).state).toBe('established');
  });

  it('that nobody can read is set aside, and holds up nothing', async () => {
    const { id, leg } = await join();
    const before = await counted('aside');
    await harness.registry.appendNotification(id, { raw: '{"value"' });
    await harness.registry.appendNotification(id, { raw: '{"value":7}' });
    await harness.graph.notify([stateItem(leg.id, 'established')]);
    await harness.reaches(id, 'established');
    expect(await asideCodes(id)).toEqual(['unreadable', 'unreadable']);
    expect(await counted('aside')).toBe(before + 2);
  });

  it('that fails in our own code is set aside too, and those behind it have their turn', async () => {
    const { id, leg } = await join();
    await harness.graph.notify([stateItem(leg.id, 'ringing')]);
    // Answered is not yet folded, nor folded yet told of: it would fail on a spoiled record too.
    await harness.folded(id);
    const { service } = await harness.registry.updateCall(id, (record) => record);
    await harness.registry.updateCall(id, (record) => ({ ...record, service: { graph: 'odd' } }));
    for (const state of ['hold', 'transferring']) {
      expect((await harness.graph.notify([stateItem(leg.id, state)])).status).toBe(202);
    }
    await vi.waitUntil(async () => (await asideCodes(id)).length === 2, WAIT);
    await harness.folded(id);
    expect(await asideCodes(id)).toEqual(['failed', 'failed']);
    await harness.registry.updateCall(id, (record) => ({ ...record, service }));
    await harness.graph.notify([stateItem(leg.id, 'established')]);
    await harness.reaches(id, 'established');
  });

  it('tells of a leg of an earlier attempt, which is deleted; the call goes on', async () => {
    const { id, leg } = await join();
    const earlier = await strayLeg();
    const [attemptKey = ''] = leg.callbackUri.split('/').slice(-1);
    // As when the first attempt was given up, and a second one led to the call.
    const second = `second-${attemptKey}`;
    await harness.registry.updateCall(id, (record) => ({ ...record, attemptKey: second }));
    await harness.graph.notify([stateItem(earlier.id, 'established')], { leg });
    await vi.waitUntil(() => !earlier.alive, WAIT);
    await harness.graph.notify([endItem(earlier.id, 200, 7000)], { leg });

    const callbackUri = leg.callbackUri.replace(attemptKey, second);
    await harness.graph.notify([stateItem(leg.id, 'established')], { leg, callbackUri });
    await harness.reaches(id, 'established');
    expect(leg.alive).toBe(true);
    expect(harness.graph.count('DELETE', earlier.id)).toBe(1);
  });

  it('of a call that nobody knows has its leg deleted, with a token of its tenant', async () => {
    const leg = await strayLeg();
    const callbackUri = `${harness.signaling.url}/v1/callbacks/${'x'.repeat(32)}`;
    const answer = await harness.graph.notify([stateItem(leg.id, 'established')], {
      leg,
      callbackUri,
    });
    expect(answer.status).toBe(404);
    await vi.waitUntil(() => !leg.alive, WAIT);
    const deletion = harness.graph.requests.find(
      ({ method, path }) => method === 'DELETE' && path.endsWith(leg.id),
    );
    expect(deletion?.authorization).toBe(`Bearer token-of-${TENANT}`);
    // Once is enough for a while; and an end needs nothing.
    await harness.graph.notify([stateItem(leg.id, 'established')], { leg, callbackUri });
    const ended = randomUUID();
    await harness.graph.notify([endItem(ended, 200, 7000)], { leg, callbackUri });
    const { id } = await join();
    await harness.request('DELETE', `/v1/calls/${id}`);
    await vi.waitUntil(() => !harness.graph.lastLeg.alive, WAIT);
    expect(harness.graph.count('DELETE', leg.id)).toBe(1);
    expect(harness.graph.count('DELETE', ended)).toBe(0);
  });

  it('of a call whose record expired has its leg deleted', async () => {
    const { id, leg } = await join();
    await harness.graph.notify([stateItem(leg.id, 'establishing')]);
    await harness.redis.ask('DEL', `earshot:{${id}}:record`);
    const answer = await harness.graph.notify([stateItem(leg.id, 'established')]);
    expect(answer.status).toBe(404);
    await vi.waitUntil(() => !leg.alive, WAIT);
  });

  /** A leg that Graph made without our knowing. */
  async function strayLeg(): Promise<GraphLeg> {
    const response = await fetch(`${harness.graph.url}/v1.0/communications/calls`, {
      method: 'POST',
      body: JSON.stringify({
        callbackUri: 'http://127.0.0.1:9/',
        requestedModalities: ['audio'],
        mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig', blob: 'stray' },
        chatInfo: { threadId: '19:stray@thread.v2' },
        tenantId: TENANT,
      }),
    });
    expect(response.status).toBe(201);
    return harness.graph.lastLeg;
  }
});

describe('a process that died between 202 and what follows', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
  });

  afterAll(() => harness.close());

  it('leaves what the next one finds, also of a call that is closed', async () => {
    await harness.start();
    await harness.host();
    harness.graph.answerNext('create', 'cut');
    await harness.join();
    const leg = harness.graph.lastLeg;
    const callId = String(leg.blob).replace('blob-', '');
    await harness.closed(callId);
    await harness.stop();

    const raw = JSON.stringify({ value: [stateItem(leg.id, 'establishing')] });
    await harness.registry.appendNotification(callId, { raw });
    await harness.start();
    await vi.waitUntil(() => !leg.alive, WAIT);
    await vi.waitUntil(async () => (await harness.registry.openCalls()).length === 0, WAIT);
    const record = await harness.registry.readCall(callId);
    expect(record?.endedAtMs).toBeDefined();
    expect(record).not.toHaveProperty('reopened');
  });

  it('leaves a leg that it had found and not deleted', async () => {
    await harness.stop();
    await harness.start();
    await harness.host();
    const { id } = (await harness.join()).body;
    const leg = harness.graph.lastLeg;
    await harness.request('DELETE', `/v1/calls/${id}`);
    await harness.graph.notify([endItem(leg.id, 200, 7000)]);
    await harness.closed(id);
    await harness.stop();
    leg.alive = true;
    await harness.registry.updateCall(id, (record) =>
      withService(
        { ...record, reopened: true },
        { graph: 'present', leg: { foundAtMs: Date.now(), recalls: 1 } },
      ),
    );
    await harness.start();
    await vi.waitUntil(() => !leg.alive, WAIT);
    await vi.waitUntil(async () => (await harness.registry.openCalls()).length === 0, WAIT);
  });
});

describe('while Redis is away', () => {
  it('a callback is not acknowledged', async () => {
    const harness = await Harness.open();
    try {
      await harness.start();
      await harness.host();
      await harness.join();
      const item = stateItem(harness.graph.lastLeg.id, 'established');
      expect((await harness.graph.notify([item])).status).toBe(202);
      await harness.redis.kill();
      expect((await harness.graph.notify([item])).status).toBe(503);
    } finally {
      await harness.close();
    }
  });
});

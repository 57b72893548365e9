import { request } from 'node:http';
import { systemClock } from '@earshot/async/system';
import { HOST_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { MediaTokens } from '@earshot/media-token';
import { Registry } from '@earshot/registry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallView } from '../src/rest/schemas.js';
import type { TestHost } from './support/harness.js';
import { Harness, HOST_KEY, TENANT, WAIT } from './support/harness.js';
import { endItem, rosterItem, stateItem } from './support/notifications.js';

const ADA = { id: 'p-ada', name: 'Ada', sourceId: '101' };
const BOB = { id: 'p-bob', name: 'Bob', sourceId: '102' };

describe('a call', () => {
  let harness: Harness;
  let host: TestHost;

  beforeAll(async () => {
    harness = await Harness.open();
    await Promise.all([harness.start(), harness.consume()]);
  });

  beforeEach(async () => {
    host = await harness.host();
  });

  afterEach(async () => {
    await harness.disconnect(host);
    for (const { workerId } of await harness.registry.workers()) {
      await harness.registry.removeWorker(workerId);
    }
  });

  afterAll(() => harness.close());

  async function establish(): Promise<{ id: string; graphCallId: string }> {
    const { id } = (await harness.join()).body;
    const graphCallId = harness.graph.lastLeg.id;
    await harness.graph.notify([stateItem(graphCallId, 'established')]);
    await harness.reaches(id, 'established');
    return { id, graphCallId };
  }

  /** Established, and heard by a worker: when it ends its host is let go of at once. */
  async function attached(): Promise<{ id: string; graphCallId: string }> {
    await harness.worker();
    return harness.attachedCall();
  }

  it('is joined with a blob of the host, a callback of its own and the token of its tenant', async () => {
    const answer = await harness.join();
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      state: 'establishing',
      joinUrlHost: 'teams.microsoft.com',
      tenantId: TENANT,
      media: { hostId: host.hostId, attached: false },
      participants: [],
    });
    expect(answer.headers.get('location')).toBe(`/v1/calls/${answer.body.id}`);
    expect(host.allocated).toEqual([answer.body.id]);
    const leg = harness.graph.lastLeg;
    expect(leg.blob).toBe(`blob-${answer.body.id}`);
    expect(leg.callbackUri).toMatch(
      new RegExp(`^${harness.signaling.url}/v1/callbacks/[\\w-]{32}$`),
    );
    expect(harness.graph.requests.at(-1)?.authorization).toBe(`Bearer token-of-${TENANT}`);
    expect(JSON.stringify(answer.body)).not.toContain('meetup-join');
  });

  it('gets a callback address that no other call has', async () => {
    await harness.join();
    await harness.join();
    const [first, second] = harness.graph.legs.slice(-2);
    expect(first?.callbackUri).not.toBe(second?.callbackUri);
  });

  it('has its audio attached, with a token that the worker takes, once established', async () => {
    await harness.worker();
    const { id } = await establish();
    const order = await vi.waitUntil(() => host.attached[0], WAIT);
    expect(order).toMatchObject({
      callId: id,
      mediaId: `m-${id}`,
      workerUrl: 'ws://127.0.0.1:9/worker-1',
      epoch: 1,
    });
    const tokens = new MediaTokens({
      key: Buffer.from(harness.bridgeKey, 'base64url'),
      clock: systemClock,
    });
    expect(await tokens.verify(order.token, { workerId: 'worker-1' })).toMatchObject({
      ok: true,
      callId: id,
      epoch: 1,
      use: 'attach',
    });
    const call = await vi.waitUntil(async () => {
      const seen = await harness.call(id);
      return seen.media.attached && seen;
    }, WAIT);
    expect(call.media).toEqual({
      hostId: host.hostId,
      workerId: 'worker-1',
      attached: true,
      attachment: {
        workerId: 'worker-1',
        epoch: 1,
        state: 'attached',
        since: expect.any(String),
        moves: 0,
      },
    });
    expect(host.attached).toHaveLength(1);
  });

  it('waits for a worker when there is none', async () => {
    const before = await harness.metric('earshot_calls_unplaced_total');
    await establish();
    await vi.waitUntil(
      async () => (await harness.metric('earshot_calls_unplaced_total')) > before,
      WAIT,
    );
    expect(host.attached).toEqual([]);
    await harness.worker();
    await vi.waitUntil(() => host.attached.length === 1, WAIT);
  });

  it('tries another worker after one that its host could not reach', async () => {
    await harness.disconnect(host);
    const picky = await harness.host({
      attach: async ({ workerUrl }) => {
        if (workerUrl.endsWith('worker-1')) throw new Error('connection refused');
      },
    });
    await harness.worker('worker-1');
    await harness.worker('worker-2');
    const { id } = await establish();
    await vi.waitUntil(async () => (await harness.call(id)).media.attached, WAIT);
    expect(picky.attached.map(({ workerUrl }) => workerUrl.slice(-8))).toEqual([
      'worker-1',
      'worker-2',
    ]);
    expect(picky.attached.map(({ epoch }) => epoch)).toEqual([1, 2]);
    await harness.disconnect(picky);
  });

  it('tells of its states, its participants and its end, each once and in order', async () => {
    const { id, graphCallId } = await establish();
    await harness.graph.notify([rosterItem(graphCallId, [ADA, BOB])]);
    await harness.graph.notify([rosterItem(graphCallId, [{ ...ADA, muted: true }])]);
    await harness.graph.notify([endItem(graphCallId, 200, 5002)]);
    const events = await harness.endOf(id);

    expect(events.map(({ id: eventId }) => eventId)).toEqual(
      events.map((_, position) => `${id}.s${position}`),
    );
    expect(events.map(({ position }) => position)).toEqual([...events.keys()]);
    expect(events.map((event) => [event.type, event.participant?.displayName])).toEqual([
      ['call.stateChanged', undefined],
      ['participant.joined', 'Ada'],
      ['participant.joined', 'Bob'],
      expect.arrayContaining([]),
      expect.arrayContaining([]),
      ['call.stateChanged', undefined],
      ['call.ended', undefined],
    ]);
    expect(
      events
        .slice(3, 5)
        .map((event) => event.type)
        .sort(),
    ).toEqual(['participant.left', 'participant.updated']);
    expect(events[0]?.data).toEqual({ from: 'establishing', to: 'established' });
    expect(events.at(-1)?.data).toMatchObject({
      resultCode: 200,
      resultSubcode: 5002,
      retryClass: 'normal',
    });
    const call = await harness.call(id);
    expect(call.events.published).toBe(events.length);
    expect(call.result).toMatchObject({ cause: 'ended_by_teams', resultSubcode: 5002 });
    expect(call.endedAt).toBeDefined();
  });

  it('binds the sources of its participants, so that workers can name who speaks', async () => {
    const { id, graphCallId } = await establish();
    await harness.graph.notify([rosterItem(graphCallId, [ADA, BOB])]);
    await vi.waitUntil(() => harness.registry.participantOfSource(id, '102'), WAIT);
    expect(await harness.registry.participantOfSource(id, '101')).toEqual({
      participantId: 'p-ada',
      displayName: 'Ada',
    });
    expect((await harness.call(id)).participants.map((p) => [p.displayName, p.sourceIds])).toEqual([
      ['Ada', ['101']],
      ['Bob', ['102']],
    ]);
  });

  it('tells how many could be heard, itself left out, whenever that changes', async () => {
    const { id, graphCallId } = await establish();
    await harness.graph.notify([rosterItem(graphCallId, [ADA, BOB])]);
    await vi.waitUntil(async () => (await harness.registry.unmuted(id)) === 2, WAIT);
    await harness.graph.notify([rosterItem(graphCallId, [ADA, { ...BOB, muted: true }])]);
    await vi.waitUntil(async () => (await harness.registry.unmuted(id)) === 1, WAIT);
  });

  it('keeps no name of a source for longer because of a notification after its end', async () => {
    const { id, graphCallId } = await attached();
    await harness.graph.notify([rosterItem(graphCallId, [ADA])]);
    await vi.waitUntil(() => harness.registry.participantOfSource(id, '101'), WAIT);
    await harness.graph.notify([endItem(graphCallId, 200, 5001)]);
    await harness.closed(id);
    const bind = vi.spyOn(Registry.prototype, 'bindSources');
    await harness.graph.notify([stateItem(graphCallId, 'terminated')]);
    await harness.folded(id);
    expect(bind.mock.calls.filter(([callId]) => callId === id)).toEqual([]);
    bind.mockRestore();
  });

  it('takes duplicate and swapped notifications for what they are', async () => {
    const { id } = (await harness.join()).body;
    const graphCallId = harness.graph.lastLeg.id;
    const roster = rosterItem(graphCallId, [ADA]);
    for (const item of [
      stateItem(graphCallId, 'established'),
      stateItem(graphCallId, 'establishing'),
      stateItem(graphCallId, 'established'),
      roster,
      roster,
      endItem(graphCallId, 200, 5002),
      endItem(graphCallId, 200, 5002),
      stateItem(graphCallId, 'established'),
    ]) {
      expect((await harness.graph.notify([item])).status).toBe(202);
    }
    const events = await harness.endOf(id);
    expect(events.map(({ type }) => type)).toEqual([
      'call.stateChanged',
      'participant.joined',
      'call.stateChanged',
      'call.ended',
    ]);
  });

  it('releases its host once Teams has ended it, and asks nothing more of Graph', async () => {
    const { id, graphCallId } = await attached();
    await harness.graph.notify([endItem(graphCallId, 500, 7112)]);
    const call = await harness.reaches(id, 'terminated');
    expect(call.result).toMatchObject({ resultSubcode: 7112, retryClass: 'onceOnAnotherHost' });
    await vi.waitUntil(() => host.released.length > 0, WAIT);
    expect(host.released).toEqual([`m-${id}`]);
    await harness.closed(id);
    expect(harness.graph.count('DELETE', graphCallId)).toBe(0);
  });

  it('is hung up once, however often that is asked', async () => {
    const { id, graphCallId } = await attached();
    const answers = [
      await harness.request<CallView>('DELETE', `/v1/calls/${id}`),
      await harness.request<CallView>('DELETE', `/v1/calls/${id}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    await vi.waitUntil(() => harness.graph.count('DELETE', graphCallId) > 0, WAIT);
    await harness.graph.notify([stateItem(graphCallId, 'terminating')]);
    await harness.graph.notify([endItem(graphCallId, 200, 7000)]);
    const call = await harness.reaches(id, 'terminated');
    expect(call.result).toMatchObject({ cause: 'hung_up', retryClass: 'normal' });
    expect((await harness.request('DELETE', `/v1/calls/${id}`)).status).toBe(202);
    await vi.waitUntil(() => host.released.length > 0, WAIT);
    expect(harness.graph.count('DELETE', graphCallId)).toBe(1);
  });

  it('ends at once when it is hung up and Graph no longer knows it', async () => {
    const { id } = await attached();
    harness.graph.lastLeg.alive = false;
    await harness.request('DELETE', `/v1/calls/${id}`);
    expect((await harness.reaches(id, 'terminated')).result?.cause).toBe('hung_up');
    await vi.waitUntil(() => host.released.length > 0, WAIT);
  });

  it('is deleted from Graph when its host loses the audio', async () => {
    const { id, graphCallId } = await establish();
    host.link.sendMediaState({ mediaId: `m-${id}`, state: 'failed', detail: 'media_lost' });
    const call = await harness.reaches(id, 'terminated');
    expect(call.result).toMatchObject({ cause: 'media_failed', retryClass: 'onceOnAnotherHost' });
    await vi.waitUntil(() => harness.graph.count('DELETE', graphCallId) > 0, WAIT);
    await vi.waitUntil(() => host.released.length > 0, WAIT);
  });
});

describe('the choice of a media host', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.open();
    await harness.start();
  });

  afterEach(() => harness.close());

  it('spreads calls evenly, and stops at each host’s capacity', async () => {
    const hosts = [
      await harness.host({ hostId: 'a', capacity: 2 }),
      await harness.host({ hostId: 'b', capacity: 1 }),
    ];
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await harness.join()).status);
    expect(statuses).toEqual([201, 201, 201, 503]);
    expect(hosts.map((host) => host.allocated.length)).toEqual([2, 1]);
  });

  it('passes over hosts that drain', async () => {
    const leaving = await harness.host({ hostId: 'a' });
    const staying = await harness.host({ hostId: 'b' });
    leaving.link.drain();
    await vi.waitUntil(async () => {
      const { body } = await harness.get<{ hosts: { hostId: string; draining: boolean }[] }>(
        '/v1/hosts',
      );
      return body.hosts.find(({ hostId }) => hostId === 'a')?.draining;
    }, WAIT);
    await harness.join();
    expect([leaving.allocated.length, staying.allocated.length]).toEqual([0, 1]);
  });

  it.each([
    ['no key', {}],
    ['another key', { authorization: `Bearer not-${HOST_KEY}` }],
  ])('lets no host in with %s', async (_, headers) => {
    expect(await upgradeStatus(harness.signaling.hostLinkUrl, headers)).toBe(401);
    expect((await harness.get<{ hosts: unknown[] }>('/v1/hosts')).body.hosts).toEqual([]);
    expect((await harness.join()).body.code).toBe('no_media_host');
  });
});

/** Status of the answer to a WebSocket handshake; 101 when it was accepted. */
function upgradeStatus(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const handshake = request(url.replace(/^ws/, 'http'), {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': HOST_SUBPROTOCOL,
        ...headers,
      },
    });
    handshake.on('error', reject);
    handshake.on('response', (response) => resolve(response.resume().statusCode));
    handshake.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    handshake.end();
  });
}

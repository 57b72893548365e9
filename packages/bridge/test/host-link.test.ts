import { CodedError, VirtualClock } from '@earshot/async';
import { HOST_SUBPROTOCOL, LIMITS } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AttachRequest, HostLinkClientOptions, HostMediaState } from '../src/index.js';
import { HostLinkClient, HostLinkServer } from '../src/index.js';
import { Deferred, Happenings, RawPeer, recordingLog, refusedUpgrade, TestServer } from './kit.js';

const PATH = '/v1/host-link';
const hello = { type: 'hello', version: 1, hostId: 'h1', capacity: 5, mediaKinds: ['mixed'] };
const attachRequest: AttachRequest = {
  mediaId: 'm1',
  callId: 'c1',
  workerUrl: 'ws://127.0.0.1:1/v1/media-link',
  token: 't',
  epoch: 3,
};

let web: TestServer;
let clock: VirtualClock;
let signaling: HostLinkServer;
let presence: Happenings<string>;
let states: Happenings<HostMediaState>;
let roundTrips: number[];
/** States and attachments, in order. */
let said: string[];
const clients: HostLinkClient[] = [];

beforeEach(async () => {
  web = await TestServer.start();
  clock = new VirtualClock();
  presence = new Happenings();
  states = new Happenings();
  roundTrips = [];
  said = [];
  signaling = startServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await signaling.close();
  await web.close();
});

function startServer(): HostLinkServer {
  return new HostLinkServer({
    server: web.http,
    authorize: (bearer) => bearer === 'key',
    clock,
    log: recordingLog(),
    onHostUp: ({ hostId }) => presence.push(`up ${hostId}`),
    onHostDown: (hostId) => presence.push(`down ${hostId}`),
    onRoundTrip: (rttMs) => roundTrips.push(rttMs),
    onMediaState: (state) => {
      states.push(state);
      said.push(state.state);
    },
    onAttached: ({ hostId, mediaId }) => said.push(`attached ${hostId} ${mediaId}`),
  });
}

function connect(): Promise<RawPeer> {
  return RawPeer.open(web.url(PATH), HOST_SUBPROTOCOL, 'key');
}

async function join(hostId = 'h1'): Promise<RawPeer> {
  const peer = await connect();
  peer.send({ ...hello, hostId });
  await peer.next();
  return peer;
}

/** After it, everything that `peer` sent before has been read. */
async function settle(peer: RawPeer): Promise<void> {
  peer.send({ type: 'ping', id: 99 });
  for (;;) {
    const message = await peer.next();
    if (message['type'] === 'pong' && message['id'] === 99) return;
  }
}

interface TestClient {
  readonly client: HostLinkClient;
  readonly clock: VirtualClock;
  readonly attached: AttachRequest[];
  readonly released: Happenings<string>;
  readonly log: ReturnType<typeof recordingLog>;
}

function startClient(options: Partial<HostLinkClientOptions> = {}): TestClient {
  const own = new VirtualClock();
  const attached: AttachRequest[] = [];
  const released = new Happenings<string>();
  const log = recordingLog();
  const client = new HostLinkClient({
    url: web.url(PATH),
    token: 'key',
    hostId: 'h1',
    capacity: 5,
    clock: own,
    random: () => 0.5,
    log,
    handlers: {
      allocate: async (callId) => ({ mediaId: `m-${callId}`, blob: `blob-${callId}` }),
      attach: async (request) => void attached.push(request),
      release: (mediaId) => released.push(mediaId),
    },
    ...options,
  });
  clients.push(client);
  client.start();
  return { client, clock: own, attached, released, log };
}

describe('HostLinkServer', () => {
  test('knows the hosts that are up, and what they last said', async () => {
    expect(signaling.hosts()).toEqual([]);
    const one = await join('h1');
    await join('h2');
    one.send({ type: 'health', activeCalls: 2, level: 'heavilyLoaded' });
    one.send({ type: 'draining' });
    await settle(one);
    expect(signaling.hosts()).toEqual([
      {
        hostId: 'h1',
        capacity: 5,
        mediaKinds: ['mixed'],
        activeCalls: 2,
        level: 'heavilyLoaded',
        draining: true,
      },
      {
        hostId: 'h2',
        capacity: 5,
        mediaKinds: ['mixed'],
        activeCalls: 0,
        level: 'normal',
        draining: false,
      },
    ]);
    one.socket.close();
    expect(await presence.next()).toBe('up h1');
    expect(await presence.next()).toBe('up h2');
    expect(await presence.next()).toBe('down h1');
    expect(signaling.hosts().map(({ hostId }) => hostId)).toEqual(['h2']);
  });

  test('asks the right host, and matches answers that come in another order', async () => {
    const [one, two] = [await join('h1'), await join('h2')];
    const first = signaling.allocate('h1', 'c1');
    const second = signaling.allocate('h1', 'c2');
    const third = signaling.allocate('h2', 'c3');
    const asked = [await one.next(), await one.next()];
    expect(asked).toMatchObject([
      { type: 'allocate', callId: 'c1' },
      { type: 'allocate', callId: 'c2' },
    ]);
    for (const { requestId, callId } of asked.reverse()) {
      one.send({ type: 'allocated', requestId, mediaId: `m-${callId}`, blob: 'b' });
    }
    const { requestId } = await two.next();
    two.send({ type: 'allocated', requestId, mediaId: 'm-c3', blob: 'b' });
    expect(await Promise.all([first, second, third])).toEqual([
      { mediaId: 'm-c1', blob: 'b' },
      { mediaId: 'm-c2', blob: 'b' },
      { mediaId: 'm-c3', blob: 'b' },
    ]);
  });

  test('attaches and releases', async () => {
    const peer = await join();
    const attaching = signaling.attach('h1', attachRequest);
    const { requestId, ...asked } = await peer.next();
    expect(asked).toEqual({ type: 'attach', ...attachRequest });
    peer.send({ type: 'attached', requestId, mediaId: 'm1', epoch: 3 });
    await attaching;
    signaling.release('h1', 'm1');
    expect(await peer.next()).toEqual({ type: 'release', mediaId: 'm1' });
    signaling.release('nobody', 'm1');
  });

  test('tells of an attachment in its place among the states, and before it resolves', async () => {
    const peer = await join();
    const attaching = signaling.attach('h1', attachRequest).then(() => said.push('resolved'));
    const { requestId } = await peer.next();
    const mediaId = 'm1';
    // Nobody asked for the first one.
    peer.send({ type: 'attached', mediaId, epoch: 2 });
    peer.send({ type: 'mediaState', mediaId, state: 'failed' });
    peer.send({ type: 'attached', requestId, mediaId, epoch: 3 });
    peer.send({ type: 'mediaState', mediaId, state: 'active' });
    await attaching;
    await vi.waitUntil(() => said.length === 4);
    expect(said.filter((what) => what !== 'resolved')).toEqual([
      'failed',
      'attached h1 m1',
      'active',
    ]);
    expect(said.indexOf('resolved')).toBeGreaterThan(said.indexOf('attached h1 m1'));
  });

  test('says what a host refused', async () => {
    const peer = await join();
    const asking = signaling.allocate('h1', 'c1');
    const { requestId } = await peer.next();
    peer.send({ type: 'refused', requestId, code: 'host_full', message: 'No room' });
    await expect(asking).rejects.toMatchObject({
      code: 'host_refused',
      message: expect.stringContaining('host_full'),
    });
  });

  test('gives up after the timeout, and has a late session released', async () => {
    const peer = await join();
    const asking = signaling.allocate('h1', 'c1');
    const { requestId } = await peer.next();
    clock.advance(LIMITS.requestTimeoutMs - 1);
    await settle(peer);
    clock.advance(1);
    await expect(asking).rejects.toMatchObject({ code: 'host_timeout' });
    peer.send({ type: 'allocated', requestId, mediaId: 'm-late', blob: 'b' });
    for (;;) {
      const message = await peer.next();
      if (message['type'] === 'ping') continue;
      expect(message).toEqual({ type: 'release', mediaId: 'm-late' });
      break;
    }
  });

  test('gives up when the link breaks', async () => {
    const peer = await join();
    const asking = signaling.attach('h1', attachRequest);
    await peer.next();
    peer.socket.terminate();
    await expect(asking).rejects.toMatchObject({ code: 'host_unavailable' });
  });

  test('does not ask a host that is away, draining, or asked too much', async () => {
    const away = signaling.allocate('h1', 'c1');
    await expect(away).rejects.toMatchObject({ code: 'host_unavailable' });
    const peer = await join();
    const waiting = Array.from({ length: LIMITS.maxPendingRequests }, () =>
      signaling.attach('h1', attachRequest).catch((error: unknown) => error),
    );
    const more = signaling.attach('h1', attachRequest);
    await expect(more).rejects.toMatchObject({ code: 'host_unavailable' });
    peer.send({ type: 'draining' });
    await settle(peer);
    const draining = signaling.allocate('h1', 'c1');
    await expect(draining).rejects.toMatchObject({ code: 'host_unavailable' });
    peer.socket.terminate();
    expect(await Promise.all(waiting)).toHaveLength(LIMITS.maxPendingRequests);
  });

  test('a second link of the same host replaces the first', async () => {
    const first = await join();
    const asking = signaling.allocate('h1', 'c1');
    const refused = expect(asking).rejects.toMatchObject({ code: 'host_unavailable' });
    const second = await join();
    expect(await first.closed).toEqual({ code: 4409, reason: 'replaced' });
    await refused;
    expect(presence.seen).toEqual(['up h1', 'down h1', 'up h1']);
    signaling.release('h1', 'm1');
    expect(await second.next()).toEqual({ type: 'release', mediaId: 'm1' });
    expect(signaling.hosts()).toHaveLength(1);
  });

  test('hands on media states', async () => {
    const peer = await join();
    peer.send({ type: 'mediaState', mediaId: 'm1', state: 'active' });
    peer.send({ type: 'mediaState', mediaId: 'm1', state: 'failed', detail: 'ice' });
    expect(await states.next()).toEqual({ hostId: 'h1', mediaId: 'm1', state: 'active' });
    expect(await states.next()).toEqual({
      hostId: 'h1',
      mediaId: 'm1',
      state: 'failed',
      detail: 'ice',
    });
  });

  test('answers an unknown type with an error and goes on', async () => {
    const peer = await join();
    peer.send({ type: 'mark' });
    expect(await peer.next()).toEqual({ type: 'error', code: 'unsupported_type', message: 'mark' });
    await settle(peer);
  });

  test.each([
    ['a ping', '{"type":"ping","id":1}', 4400, 'hello_expected'],
    ['no JSON', 'hi', 4400, 'invalid_json'],
    ['an unknown type', '{"type":"mark"}', 4400, 'unsupported_type'],
    ['another version', JSON.stringify({ ...hello, version: 9 }), 4426, 'unsupported_version'],
    ['binary', Uint8Array.of(1, 1, 0, 0), 4400, 'binary_message'],
  ])('%s instead of hello closes the link', async (_name, data, code, reason) => {
    const peer = await connect();
    peer.socket.send(data);
    expect(await peer.closed).toEqual({ code, reason });
    expect(presence.seen).toEqual([]);
    await join();
  });

  test.each([
    ['a second hello', JSON.stringify(hello), 4400, 'hello_repeated'],
    ['binary', Uint8Array.of(1, 1, 0, 0), 4400, 'binary_message'],
    ['a broken message', '{"type":"health","activeCalls":-1}', 4400, 'invalid_message'],
  ])('%s closes the link of that host only', async (_name, data, code, reason) => {
    const other = await join('h2');
    const peer = await join();
    peer.socket.send(data);
    expect(await peer.closed).toEqual({ code, reason });
    await settle(other);
  });

  test('measures how long pings take, by its own clock', async () => {
    const peer = await join();
    expect(signaling.hosts()[0]?.rttMs).toBeUndefined();
    clock.advance(LIMITS.pingIntervalMs);
    const ping = await peer.next();
    clock.advance(35);
    peer.send({ type: 'pong', id: ping['id'] });
    peer.send({ type: 'pong', id: 77 });
    await settle(peer);
    expect(signaling.hosts()[0]?.rttMs).toBe(35);
    expect(roundTrips).toEqual([35]);
  });

  test('answers 429 beyond the connections of an address that are not welcomed', async () => {
    const waiting = await Promise.all(Array.from({ length: 64 }, connect));
    const refused = await refusedUpgrade(web.port, PATH, {
      authorization: 'Bearer key',
      'sec-websocket-protocol': HOST_SUBPROTOCOL,
    });
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_connections' } });
    waiting[0]?.send(hello);
    await waiting[0]?.next();
    await join('h2');
  });

  test('closes a link without hello after 5 s, and one that fell silent', async () => {
    const mute = await connect();
    clock.advance(LIMITS.helloTimeoutMs);
    expect(await mute.closed).toEqual({ code: 4408, reason: 'hello_timeout' });
    const peer = await join();
    clock.advance(LIMITS.pingIntervalMs * 2);
    expect(await peer.next()).toEqual({ type: 'ping', id: 1 });
    expect(await peer.next()).toEqual({ type: 'ping', id: 2 });
    peer.send({ type: 'pong', id: 2 });
    await settle(peer);
    clock.advance(LIMITS.pingIntervalMs * 3);
    expect(await peer.closed).toEqual({ code: 4408, reason: 'peer_silent' });
    expect(clock.pending).toBe(0);
  });
});

describe('HostLinkClient', () => {
  test('allocates, attaches and releases', async () => {
    const { client, attached, released } = startClient();
    await client.connected;
    expect(await signaling.allocate('h1', 'c1')).toEqual({ mediaId: 'm-c1', blob: 'blob-c1' });
    await signaling.attach('h1', attachRequest);
    expect(attached).toEqual([attachRequest]);
    signaling.release('h1', 'm-c1');
    expect(await released.next()).toBe('m-c1');
  });

  test('two hosts work side by side', async () => {
    const [one, two] = [startClient({ hostId: 'h1' }), startClient({ hostId: 'h2' })];
    await Promise.all([one.client.connected, two.client.connected]);
    const media = await Promise.all([
      signaling.allocate('h1', 'c1'),
      signaling.allocate('h2', 'c2'),
    ]);
    expect(media.map(({ mediaId }) => mediaId)).toEqual(['m-c1', 'm-c2']);
  });

  test('tells what its handlers refuse, and hides what they break', async () => {
    const errors = [new CodedError('host_full', 'Cannot take a call'), new Error('secret')];
    const { client } = startClient({
      handlers: {
        allocate: () => Promise.reject(errors.shift()),
        attach: async () => {},
        release: () => {},
      },
    });
    await client.connected;
    await expect(signaling.allocate('h1', 'c1')).rejects.toThrow(/host_full/);
    await expect(signaling.allocate('h1', 'c1')).rejects.toThrow(/internal/);
    await signaling.attach('h1', attachRequest);
  });

  test('reconnects with back-off, and then tells anew how it is', async () => {
    const host = startClient();
    await host.client.connected;
    host.client.sendHealth({ activeCalls: 1, level: 'normal' });
    host.client.sendMediaState({ mediaId: 'm1', state: 'active' });
    host.client.sendMediaState({ mediaId: 'm2', state: 'active' });
    await states.next();
    await states.next();
    signaling.release('h1', 'm1');
    await host.released.next();
    await signaling.close();
    for (;;) if ((await host.log.lines.next()).message === 'host link down') break;
    host.client.sendHealth({ activeCalls: 4, level: 'overloaded' });
    host.client.sendMediaState({ mediaId: 'm2', state: 'ended' });
    host.client.drain();
    signaling = startServer();
    await sleeping(host.clock);
    host.clock.advance(125);
    expect(await states.next()).toEqual({ hostId: 'h1', mediaId: 'm2', state: 'ended' });
    expect(states.seen).toHaveLength(3);
    expect(signaling.hosts()).toMatchObject([
      { hostId: 'h1', activeCalls: 4, level: 'overloaded', draining: true },
    ]);
  });

  test('tries again while signaling is away or refuses, and stops when closed', async () => {
    const host = startClient({ url: web.url('/v1/nowhere') });
    for (let attempt = 0; attempt < 4; attempt += 1) {
      expect(await host.log.lines.next()).toEqual({
        level: 'warn',
        message: 'host link down',
        fields: { reason: 'upgrade_refused', retryInMs: 125 * 2 ** attempt },
      });
      await sleeping(host.clock);
      host.clock.advance(125 * 2 ** attempt);
    }
    await host.client.close();
    await expect(host.client.connected).rejects.toMatchObject({ code: 'closed' });
    expect(host.clock.pending).toBe(0);
  });

  test('does not dial again with a key that was refused', async () => {
    const host = startClient({ token: 'wrong' });
    await expect(host.client.connected).rejects.toMatchObject({ code: 'host_link_refused' });
    expect(host.clock.pending).toBe(0);
  });

  test('does not dial again after another link took its host id', async () => {
    const first = startClient();
    await first.client.connected;
    const second = startClient();
    await second.client.connected;
    await first.log.lines.next();
    expect(await first.log.lines.next()).toMatchObject({ fields: { closeCode: 4409 } });
    expect(first.clock.pending).toBe(0);
  });

  test('does not tell of the end of a session that was released after a reconnect', async () => {
    const host = startClient();
    await host.client.connected;
    host.client.sendMediaState({ mediaId: 'm1', state: 'active' });
    await states.next();
    signaling.release('h1', 'm1');
    await host.released.next();
    host.client.sendMediaState({ mediaId: 'm1', state: 'ended' });
    expect(await states.next()).toMatchObject({ mediaId: 'm1', state: 'ended' });
    await signaling.close();
    for (;;) if ((await host.log.lines.next()).message === 'host link down') break;
    host.client.sendMediaState({ mediaId: 'm2', state: 'active' });
    signaling = startServer();
    await sleeping(host.clock);
    host.clock.advance(125);
    expect(await states.next()).toMatchObject({ mediaId: 'm2' });
  });

  test('measures how long its pings take', async () => {
    const host = startClient();
    await host.client.connected;
    expect(host.client.rttMs).toBeUndefined();
    host.clock.advance(LIMITS.pingIntervalMs);
    // The pong is on its way; signaling's own clock stands still.
    while (host.client.rttMs === undefined) await new Promise(setImmediate);
    expect(host.client.rttMs).toBe(0);
  });

  test('closes a silent server and dials again', async () => {
    const host = startClient();
    await host.client.connected;
    await presence.next();
    await host.log.lines.next();
    for (let beat = 0; beat < 3; beat += 1) host.clock.advance(LIMITS.pingIntervalMs);
    expect(await presence.next()).toBe('down h1');
    expect(await host.log.lines.next()).toMatchObject({ fields: { reason: 'peer_silent' } });
    await sleeping(host.clock);
    host.clock.advance(250);
    expect(await presence.next()).toBe('up h1');
  });

  test('starts its back-off anew only after a link that lived', async () => {
    const host = startClient();
    await host.client.connected;
    const delays: unknown[] = [];
    const breakLink = async (): Promise<void> => {
      await signaling.close();
      for (;;) {
        const { message, fields } = await host.log.lines.next();
        if (message !== 'host link down') continue;
        delays.push(Reflect.get(fields, 'retryInMs'));
        break;
      }
      signaling = startServer();
      await sleeping(host.clock);
      host.clock.advance(15_000);
      for (;;) if ((await host.log.lines.next()).message === 'host link up') break;
    };
    await breakLink();
    await breakLink();
    host.clock.advance(LIMITS.pingIntervalMs);
    await signaling.allocate('h1', 'c1');
    await breakLink();
    expect(delays).toEqual([125, 250, 125]);
  });

  test('releases a session whose answer can reach nobody', async () => {
    const asked = new Deferred<void>();
    const media = new Deferred<{ mediaId: string; blob: string }>();
    const released = new Happenings<string>();
    const { client } = startClient({
      handlers: {
        allocate: () => {
          asked.resolve();
          return media.promise;
        },
        attach: async () => {},
        release: (mediaId) => released.push(mediaId),
      },
    });
    await client.connected;
    const asking = expect(signaling.allocate('h1', 'c1')).rejects.toThrow();
    await asked.promise;
    await signaling.close();
    await asking;
    await client.close();
    media.resolve({ mediaId: 'm-orphan', blob: 'b' });
    expect(await released.next()).toBe('m-orphan');
  });

  test('close ends the link, is idempotent, and leaves no timer', async () => {
    const host = startClient();
    await host.client.connected;
    await Promise.all([host.client.close(), host.client.close()]);
    expect(await presence.next()).toBe('up h1');
    expect(await presence.next()).toBe('down h1');
    expect(host.clock.pending).toBe(0);
    const unstarted = new HostLinkClient({
      url: web.url(PATH),
      token: 'key',
      hostId: 'h9',
      capacity: 1,
      clock: host.clock,
      random: () => 0,
      log: recordingLog(),
      handlers: {
        allocate: () => Promise.reject(new Error('not asked')),
        attach: async () => {},
        release: () => {},
      },
    });
    await unstarted.close();
  });
});

/** Resolves once something waits on the clock. */
async function sleeping(clock: VirtualClock): Promise<void> {
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
}

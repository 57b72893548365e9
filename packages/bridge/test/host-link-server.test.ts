import { HOST_SUBPROTOCOL, LIMITS } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ATTACH_REQUEST, HELLO, HostLinks, PATH, settle } from './host-links.js';
import { refusedUpgrade } from './kit.js';

let links: HostLinks;

beforeEach(async () => {
  links = await HostLinks.open();
});
afterEach(() => links.close());

describe('HostLinkServer', () => {
  test('knows the hosts that are up, and what they last said', async () => {
    expect(links.signaling.hosts()).toEqual([]);
    const one = await links.join('h1');
    await links.join('h2');
    one.send({ type: 'health', activeCalls: 2, level: 'heavilyLoaded' });
    one.send({ type: 'draining' });
    await settle(one);
    expect(links.signaling.hosts()).toEqual([
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
    expect(await links.presence.next()).toBe('up h1');
    expect(await links.presence.next()).toBe('up h2');
    expect(await links.presence.next()).toBe('down h1');
    expect(links.signaling.hosts().map(({ hostId }) => hostId)).toEqual(['h2']);
  });

  test('asks the right host, and matches answers that come in another order', async () => {
    const [one, two] = [await links.join('h1'), await links.join('h2')];
    const first = links.signaling.allocate('h1', 'c1');
    const second = links.signaling.allocate('h1', 'c2');
    const third = links.signaling.allocate('h2', 'c3');
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
    const peer = await links.join();
    const attaching = links.signaling.attach('h1', ATTACH_REQUEST);
    const { requestId, ...asked } = await peer.next();
    expect(asked).toEqual({ type: 'attach', ...ATTACH_REQUEST });
    peer.send({ type: 'attached', requestId, mediaId: 'm1', epoch: 3 });
    await attaching;
    links.signaling.release('h1', 'm1');
    expect(await peer.next()).toEqual({ type: 'release', mediaId: 'm1' });
    links.signaling.release('nobody', 'm1');
  });

  test('tells of an attachment in its place among the states, and before it resolves', async () => {
    const peer = await links.join();
    const attaching = links.signaling
      .attach('h1', ATTACH_REQUEST)
      .then(() => links.said.push('resolved'));
    const { requestId } = await peer.next();
    const mediaId = 'm1';
    // Nobody asked for the first one.
    peer.send({ type: 'attached', mediaId, epoch: 2 });
    peer.send({ type: 'mediaState', mediaId, state: 'failed' });
    peer.send({ type: 'attached', requestId, mediaId, epoch: 3 });
    peer.send({ type: 'mediaState', mediaId, state: 'active' });
    await attaching;
    await settle(peer);
    expect(links.said).toHaveLength(4);
    expect(links.said.filter((what) => what !== 'resolved')).toEqual([
      'failed',
      'attached h1 m1',
      'active',
    ]);
    expect(links.said.indexOf('resolved')).toBeGreaterThan(links.said.indexOf('attached h1 m1'));
  });

  test('says what a host refused', async () => {
    const peer = await links.join();
    const asking = links.signaling.allocate('h1', 'c1');
    const { requestId } = await peer.next();
    peer.send({ type: 'refused', requestId, code: 'host_full', message: 'No room' });
    await expect(asking).rejects.toMatchObject({
      code: 'host_refused',
      message: expect.stringContaining('host_full'),
    });
  });

  test('gives up after the timeout, and has a late session released', async () => {
    const peer = await links.join();
    const asking = links.signaling.allocate('h1', 'c1');
    const { requestId } = await peer.next();
    links.clock.advance(LIMITS.requestTimeoutMs - 1);
    await settle(peer);
    links.clock.advance(1);
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
    const peer = await links.join();
    const asking = links.signaling.attach('h1', ATTACH_REQUEST);
    await peer.next();
    peer.socket.terminate();
    await expect(asking).rejects.toMatchObject({ code: 'host_unavailable' });
  });

  test('does not ask a host that is away, draining, or asked too much', async () => {
    const away = links.signaling.allocate('h1', 'c1');
    await expect(away).rejects.toMatchObject({ code: 'host_unavailable' });
    const peer = await links.join();
    const waiting = Array.from({ length: LIMITS.maxPendingRequests }, () =>
      links.signaling.attach('h1', ATTACH_REQUEST).catch((error: unknown) => error),
    );
    const more = links.signaling.attach('h1', ATTACH_REQUEST);
    await expect(more).rejects.toMatchObject({ code: 'host_unavailable' });
    peer.send({ type: 'draining' });
    await settle(peer);
    const draining = links.signaling.allocate('h1', 'c1');
    await expect(draining).rejects.toMatchObject({ code: 'host_unavailable' });
    peer.socket.terminate();
    expect(await Promise.all(waiting)).toHaveLength(LIMITS.maxPendingRequests);
  });

  test('a second link of the same host replaces the first', async () => {
    const first = await links.join();
    const asking = links.signaling.allocate('h1', 'c1');
    const refused = expect(asking).rejects.toMatchObject({ code: 'host_unavailable' });
    const second = await links.join();
    expect(await first.closed).toEqual({ code: 4409, reason: 'replaced' });
    await refused;
    expect(links.presence.seen).toEqual(['up h1', 'down h1', 'up h1']);
    links.signaling.release('h1', 'm1');
    expect(await second.next()).toEqual({ type: 'release', mediaId: 'm1' });
    expect(links.signaling.hosts()).toHaveLength(1);
  });

  test('hands on media states', async () => {
    const peer = await links.join();
    peer.send({ type: 'mediaState', mediaId: 'm1', state: 'active' });
    peer.send({ type: 'mediaState', mediaId: 'm1', state: 'failed', detail: 'ice' });
    expect(await links.states.next()).toEqual({ hostId: 'h1', mediaId: 'm1', state: 'active' });
    expect(await links.states.next()).toEqual({
      hostId: 'h1',
      mediaId: 'm1',
      state: 'failed',
      detail: 'ice',
    });
  });

  test('answers an unknown type with an error and goes on', async () => {
    const peer = await links.join();
    peer.send({ type: 'mark' });
    expect(await peer.next()).toEqual({ type: 'error', code: 'unsupported_type', message: 'mark' });
    await settle(peer);
  });

  test.each([
    ['a ping', '{"type":"ping","id":1}', 4400, 'hello_expected'],
    ['no JSON', 'hi', 4400, 'invalid_json'],
    ['an unknown type', '{"type":"mark"}', 4400, 'unsupported_type'],
    ['another version', JSON.stringify({ ...HELLO, version: 9 }), 4426, 'unsupported_version'],
    ['binary', Uint8Array.of(1, 1, 0, 0), 4400, 'binary_message'],
  ])('%s instead of hello closes the link', async (_name, data, code, reason) => {
    const peer = await links.connect();
    peer.socket.send(data);
    expect(await peer.closed).toEqual({ code, reason });
    expect(links.presence.seen).toEqual([]);
    await links.join();
  });

  test.each([
    ['a second hello', JSON.stringify(HELLO), 4400, 'hello_repeated'],
    ['binary', Uint8Array.of(1, 1, 0, 0), 4400, 'binary_message'],
    ['a broken message', '{"type":"health","activeCalls":-1}', 4400, 'invalid_message'],
  ])('%s closes the link of that host only', async (_name, data, code, reason) => {
    const other = await links.join('h2');
    const peer = await links.join();
    peer.socket.send(data);
    expect(await peer.closed).toEqual({ code, reason });
    await settle(other);
  });

  test('measures how long pings take, by its own clock', async () => {
    const peer = await links.join();
    expect(links.signaling.hosts()[0]?.rttMs).toBeUndefined();
    links.clock.advance(LIMITS.pingIntervalMs);
    const ping = await peer.next();
    links.clock.advance(35);
    peer.send({ type: 'pong', id: ping['id'] });
    peer.send({ type: 'pong', id: 77 });
    await settle(peer);
    expect(links.signaling.hosts()[0]?.rttMs).toBe(35);
    expect(links.roundTrips).toEqual([35]);
  });

  test('answers 429 beyond the connections of an address that are not welcomed', async () => {
    const waiting = await Promise.all(Array.from({ length: 64 }, () => links.connect()));
    const refused = await refusedUpgrade(links.web.port, PATH, {
      authorization: 'Bearer key',
      'sec-websocket-protocol': HOST_SUBPROTOCOL,
    });
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_connections' } });
    waiting[0]?.send(HELLO);
    await waiting[0]?.next();
    await links.join('h2');
  });

  test('closes a link without hello after 5 s, and one that fell silent', async () => {
    const mute = await links.connect();
    links.clock.advance(LIMITS.helloTimeoutMs);
    expect(await mute.closed).toEqual({ code: 4408, reason: 'hello_timeout' });
    const peer = await links.join();
    links.clock.advance(LIMITS.pingIntervalMs * 2);
    expect(await peer.next()).toEqual({ type: 'ping', id: 1 });
    expect(await peer.next()).toEqual({ type: 'ping', id: 2 });
    peer.send({ type: 'pong', id: 2 });
    await settle(peer);
    links.clock.advance(LIMITS.pingIntervalMs * 3);
    expect(await peer.closed).toEqual({ code: 4408, reason: 'peer_silent' });
    expect(links.clock.pending).toBe(0);
  });
});

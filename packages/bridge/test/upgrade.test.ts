import { once } from 'node:events';
import net from 'node:net';
import { VirtualClock } from '@earshot/async';
import { HOST_SUBPROTOCOL, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MediaLinkClaims } from '../src/index.js';
import { HostLinkServer } from '../src/index.js';
import { Deferred, Happenings, RawPeer, recordingLog, refusedUpgrade } from './kit.js';
import { hello, MEDIA_PATH, MediaWorld, tokenOf } from './media-kit.js';

const bearer = { authorization: `Bearer ${tokenOf('c_1')}` };
const good = { ...bearer, 'sec-websocket-protocol': MEDIA_SUBPROTOCOL };

/** What comes until the connection ends, also by a reset. */
function allOf(socket: net.Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

let world: MediaWorld;
beforeEach(async () => {
  world = await MediaWorld.start();
});
afterEach(() => world.close());

describe('an upgrade request', () => {
  test('without a good token is answered with a plain 401', async () => {
    const { authorization: _, ...unauthorised } = good;
    const answer = await refusedUpgrade(world.web.port, MEDIA_PATH, unauthorised);
    expect(answer).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { status: 401, title: 'Unauthorized', code: 'malformed' },
    });
  });

  test.each(['Basic abc', 'Bearer', 'Bearer a b', 'c_1/1'])(
    'with the authorization %j is answered with 401',
    async (authorization) => {
      const headers = { ...good, authorization };
      const { status } = await refusedUpgrade(world.web.port, MEDIA_PATH, headers);
      expect(status).toBe(401);
    },
  );

  test.each([
    [{}],
    [{ 'sec-websocket-protocol': 'earshot.media.v2' }],
    [{ 'sec-websocket-protocol': HOST_SUBPROTOCOL }],
  ])('that offers %j is answered with 400', async (protocol) => {
    const headers = { ...bearer, ...protocol };
    const answer = await refusedUpgrade(world.web.port, MEDIA_PATH, headers);
    expect(answer).toMatchObject({ status: 400, body: { code: 'subprotocol_required' } });
  });

  test('that offers other subprotocols too gets ours', async () => {
    const offers = ['other', MEDIA_SUBPROTOCOL].join(', ');
    const socket = net.connect(world.web.port, '127.0.0.1');
    socket.write(
      `GET ${MEDIA_PATH}?a=b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `Sec-WebSocket-Protocol: ${offers}\r\nAuthorization: ${bearer.authorization}\r\n\r\n`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
    expect(String(answer)).toContain(`Sec-WebSocket-Protocol: ${MEDIA_SUBPROTOCOL}\r\n`);
    expect(String(answer)).not.toContain('Sec-WebSocket-Extensions');
    socket.destroy();
  });

  test('for another path is answered with 404 when nobody else listens', async () => {
    const answer = await refusedUpgrade(world.web.port, '/v1/other', good);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('for another path is left to another listener', async () => {
    world.web.http.on('upgrade', (request, socket) => {
      if (request.url === '/v1/other') socket.end('HTTP/1.1 418 x\r\nContent-Length: 2\r\n\r\n{}');
    });
    const answer = await refusedUpgrade(world.web.port, '/v1/other', good);
    expect(answer.status).toBe(418);
  });

  test('is answered with 503 when the check of the token fails', async () => {
    const failing = await MediaWorld.start({ authorize: () => Promise.reject(new Error('x')) });
    const answer = await refusedUpgrade(failing.web.port, MEDIA_PATH, good);
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    await failing.close();
  });

  test('is answered with 503 when there are as many links as may be', async () => {
    const small = await MediaWorld.start({ limits: { maxLinks: 1 } });
    await small.join();
    const answer = await refusedUpgrade(small.web.port, MEDIA_PATH, good);
    expect(answer).toMatchObject({ status: 503, body: { code: 'busy' } });
    await small.close();
  });

  test('is answered with 429 beyond the connections of an address that are not welcomed', async () => {
    const few = await MediaWorld.start({ limits: { maxPendingPerAddress: 2 } });
    const first = await few.connect();
    const second = await few.connect();
    const answer = await refusedUpgrade(few.web.port, MEDIA_PATH, good);
    expect(answer).toMatchObject({ status: 429, body: { code: 'too_many_connections' } });
    expect(answer.headers['retry-after']).toBe('1');
    // One more that is welcomed makes room, and so does one that goes.
    first.send(hello);
    await first.next();
    const third = await few.connect();
    expect((await refusedUpgrade(few.web.port, MEDIA_PATH, good)).status).toBe(429);
    second.socket.terminate();
    third.socket.terminate();
    await Promise.all([second.closed, third.closed]);
    const { peer } = await few.join();
    expect(peer.socket.readyState).toBe(peer.socket.OPEN);
    await few.close();
  });

  test('counts from its start, while its token is looked at, and no more once refused', async () => {
    const asked = new Happenings<void>();
    const verdict = new Deferred<{ error: string }>();
    const slow = await MediaWorld.start({
      limits: { maxPendingPerAddress: 1 },
      authorize: () => {
        asked.push();
        return verdict.promise;
      },
    });
    const first = refusedUpgrade(slow.web.port, MEDIA_PATH, good);
    await asked.next();
    expect((await refusedUpgrade(slow.web.port, MEDIA_PATH, good)).status).toBe(429);
    verdict.resolve({ error: 'expired' });
    expect(await first).toMatchObject({ status: 401, body: { code: 'expired' } });
    let status = 429;
    while (status === 429) status = (await refusedUpgrade(slow.web.port, MEDIA_PATH, good)).status;
    expect(status).toBe(401);
    await slow.close();
  });

  test('keeps no more than a few bytes of a peer without a token, whatever it sends', async () => {
    const socket = net.connect(world.web.port, '127.0.0.1');
    const request =
      `GET ${MEDIA_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const answered = allOf(socket);
    socket.write(`${request}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await answered).toMatch(/^HTTP\/1\.1 431 /);
    const eager = net.connect(world.web.port, '127.0.0.1');
    const gone = allOf(eager);
    eager.write(`${request}\r\n`);
    eager.write(new Uint8Array(1_000_000));
    await gone;
    expect(world.handlers).toEqual([]);
  });

  test('whose peer resets while its token is checked harms nobody', async () => {
    const asked = new Deferred<void>();
    const verdict = new Deferred<MediaLinkClaims>();
    let first = true;
    const slow = await MediaWorld.start({
      authorize: () => {
        if (!first) return Promise.resolve({ callId: 'c_1', epoch: 1, tokenId: 't_1' });
        first = false;
        asked.resolve();
        return verdict.promise;
      },
    });
    const socket = net.connect(slow.web.port, '127.0.0.1');
    socket.write(
      `GET ${MEDIA_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await asked.promise;
    socket.resetAndDestroy();
    await once(socket, 'close');
    verdict.resolve({ callId: 'c_1', epoch: 1, tokenId: 't_1' });
    const { peer } = await slow.join();
    expect(peer.socket.readyState).toBe(peer.socket.OPEN);
    await slow.close();
  });
});

describe('several link servers', () => {
  test('share one HTTP server, and close without each other', async () => {
    const hosts = new HostLinkServer({
      server: world.web.http,
      authorize: (token) => token === 'key',
      clock: new VirtualClock(),
      log: recordingLog(),
    });
    const host = await RawPeer.open(world.web.url('/v1/host-link'), HOST_SUBPROTOCOL, 'key');
    host.send({ type: 'hello', version: 1, hostId: 'h', capacity: 1, mediaKinds: [] });
    expect(await host.next()).toMatchObject({ type: 'welcome' });
    const { peer } = await world.join();
    await hosts.close();
    expect(await host.closed).toEqual({ code: 1001, reason: 'server_closing' });
    peer.send({ type: 'ping', id: 1, clockNowTicks: '1' });
    expect(await peer.next()).toMatchObject({ type: 'pong', id: 1 });
    const answer = await refusedUpgrade(world.web.port, '/v1/host-link', good);
    expect(answer.status).toBe(404);
  });

  test('need paths of their own', async () => {
    expect(() => new MediaWorld(world.web, {})).toThrow(
      expect.objectContaining({ code: 'path_taken' }),
    );
    const second = new MediaWorld(world.web, { path: '/v2' });
    const peer = await RawPeer.open(world.web.url('/v2'), MEDIA_SUBPROTOCOL, tokenOf('c_1'));
    peer.send(hello);
    expect(await peer.next()).toMatchObject({ type: 'welcome' });
    await second.server.close();
  });
});

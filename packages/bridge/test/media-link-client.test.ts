import { once } from 'node:events';
import net from 'node:net';
import { VirtualClock } from '@earshot/async';
import type { ProgressMessage, WelcomeMessage } from '@earshot/bridge-protocol';
import { CLOSE, LIMITS } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MediaLinkClientHandlers, MediaLinkClientOptions } from '../src/index.js';
import { MediaLinkClient } from '../src/index.js';
import { addressOf, Deferred, Happenings, recordingLog } from './kit.js';
import { batch, hello, MediaWorld, tokenOf } from './media-kit.js';

class RecordingClientHandlers implements MediaLinkClientHandlers {
  readonly all = new Happenings<unknown>();
  welcome(message: WelcomeMessage): void {
    this.all.push(message.type);
  }
  progress(message: ProgressMessage): void {
    this.all.push(message);
  }
  drain(): void {
    this.all.push('drain');
  }
  finished(): void {
    this.all.push('finished');
  }
  closed(code: number, reason: string): void {
    this.all.push({ code, reason });
  }
}

let world: MediaWorld;
let clock: VirtualClock;
let handlers: RecordingClientHandlers;
beforeEach(async () => {
  world = await MediaWorld.start();
  clock = new VirtualClock();
  handlers = new RecordingClientHandlers();
});
afterEach(() => world.close());

function client(options: Partial<MediaLinkClientOptions> = {}): MediaLinkClient {
  return new MediaLinkClient({
    url: world.url,
    token: tokenOf('c_1'),
    hello,
    clock,
    log: recordingLog(),
    handlers,
    ...options,
  });
}

describe('connect', () => {
  test('says hello and resolves with the welcome', async () => {
    const link = client();
    const welcome = await link.connect();
    expect(welcome).toMatchObject({ workerId: 'w-1', creditFrames: 3000 });
    expect(handlers.all.seen).toEqual(['welcome']);
    expect(await link.connect()).toBe(welcome);
    await link.close();
  });

  test('tells the time of the host clock as it is then', async () => {
    const early = client();
    clock.advance(5);
    await early.connect();
    const session = await world.handlers[0]?.opened.next();
    expect(session?.hello.clockNowTicks).toBe('250000');
    const own = client({ nowTicks: () => 77n });
    await own.connect();
    expect((await world.handlers[1]?.opened.next())?.hello.clockNowTicks).toBe('77');
    await Promise.all([early.close(), own.close()]);
  });

  test.each([
    ['unauthorized', { token: 'garbage' }],
    ['unauthorized', { hello: { ...hello, epoch: 2 } }],
    ['invalid_url', { url: 'http//nowhere' }],
    ['invalid_url', { token: 'a\nb' }],
  ])('rejects with %s for %j', async (code, options) => {
    await expect(client(options).connect()).rejects.toMatchObject({ code });
    expect(handlers.all.seen).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('rejects with upgrade_refused for a path without a link', async () => {
    const link = client({ url: world.web.url('/v1/nothing') });
    await expect(link.connect()).rejects.toMatchObject({ code: 'upgrade_refused' });
  });

  test('rejects with the code of a refusal', async () => {
    const busy = await MediaWorld.start({
      accept: async () => ({ closeCode: CLOSE.conflict, code: 'stale_epoch', message: 'Old' }),
    });
    const link = client({ url: busy.url });
    await expect(link.connect()).rejects.toMatchObject({ code: 'stale_epoch' });
    await busy.close();
  });

  test('rejects with connect_failed when nobody listens', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = addressOf(server);
    server.close();
    await once(server, 'close');
    const link = client({ url: `ws://127.0.0.1:${port}/` });
    await expect(link.connect()).rejects.toMatchObject({ code: 'connect_failed' });
  });

  test('rejects with connect_timeout when the server never answers', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const link = client({ url: `ws://127.0.0.1:${addressOf(server).port}/` });
    const connecting = link.connect();
    const [socket] = await once(server, 'connection');
    socket.resume();
    clock.advance(8000);
    await expect(connecting).rejects.toMatchObject({ code: 'connect_timeout' });
    server.close();
    await once(server, 'close');
  });

  test('rejects with connect_timeout when the welcome never comes', async () => {
    const asked = new Deferred<void>();
    const slow = await MediaWorld.start({
      accept: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const link = client({ url: slow.url });
    const connecting = link.connect();
    await asked.promise;
    clock.advance(8000);
    await expect(connecting).rejects.toMatchObject({ code: 'connect_timeout' });
    expect(handlers.all.seen).toEqual([]);
    await slow.close();
  });

  test('rejects with closed when the client is closed meanwhile, or was before', async () => {
    const link = client();
    const connecting = link.connect();
    const closing = link.close();
    await expect(connecting).rejects.toMatchObject({ code: 'closed' });
    await closing;
    const closed = client();
    await closed.close();
    await expect(closed.connect()).rejects.toMatchObject({ code: 'closed' });
    expect(handlers.all.seen).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('an open link', () => {
  test('sends messages and frames in their order', async () => {
    const link = client();
    await link.connect();
    link.send({ type: 'tone', tone: 'tone5', captureTicks: '1' });
    expect(link.sendFrames(batch(1, 2))).toBe(true);
    link.send({ type: 'bye', reason: 'shutdown' });
    const worker = world.handlers[0];
    expect(await worker?.messages.next()).toMatchObject({ type: 'tone' });
    expect(await worker?.batches.next()).toEqual([1, 2]);
    expect(await worker?.messages.next()).toMatchObject({ type: 'bye' });
    await link.close();
  });

  test('copies frames: the buffer may be used again at once', async () => {
    const link = client();
    await link.connect();
    const bytes = batch(3);
    link.sendFrames(bytes);
    bytes.fill(0xee);
    expect(await world.handlers[0]?.batches.next()).toEqual([3]);
    await link.close();
  });

  test('sends nothing before the welcome and after the end, and says so', async () => {
    const link = client();
    expect(link.sendFrames(batch(1))).toBe(false);
    expect(link.bufferedBytes).toBe(0);
    await link.connect();
    await link.close();
    expect(link.sendFrames(batch(1))).toBe(false);
    link.send({ type: 'bye', reason: 'shutdown' });
    expect(world.handlers[0]?.messages.seen).toEqual([]);
  });

  test('refuses frames once a mebibyte waits, and takes them again later', async () => {
    const link = client();
    await link.connect();
    const large = new Uint8Array(60_000);
    large.set([1, 1, 0, 0]);
    let taken = 0;
    while (taken < 1000 && link.sendFrames(large)) taken += 1;
    expect(link.bufferedBytes).toBeGreaterThan(1_048_576);
    expect(taken).toBeLessThan(30);
    await link.close();
  });

  test('is told of progress, drain, finished and the close', async () => {
    const link = client();
    await link.connect();
    const session = await world.handlers[0]?.opened.next();
    const progress: ProgressMessage = {
      type: 'progress',
      streams: [{ streamId: 1, received: 5, durable: 4 }],
      creditFrames: 10,
    };
    session?.send(progress);
    session?.send({ type: 'drain', reason: 'shutdown' });
    session?.send({ type: 'error', code: 'x', message: 'y' });
    session?.send({ type: 'finished' });
    session?.close(CLOSE.normal, 'finished');
    await handlers.all.next();
    expect(await handlers.all.next()).toEqual(progress);
    expect(await handlers.all.next()).toBe('drain');
    expect(await handlers.all.next()).toBe('finished');
    expect(await handlers.all.next()).toEqual({ code: 1000, reason: 'finished' });
    await link.close();
    expect(clock.pending).toBe(0);
  });

  test('measures how long its pings take, by its own clock', async () => {
    const link = client();
    await link.connect();
    expect(link.rttMs).toBeUndefined();
    clock.advance(LIMITS.pingIntervalMs);
    clock.advance(12);
    while (link.rttMs === undefined) await new Promise(setImmediate);
    expect(link.rttMs).toBe(12);
    await link.close();
  });

  test('pings, and closes with 4408 when no answer comes', async () => {
    const mute = await MediaWorld.start();
    const link = client({ url: mute.url });
    await link.connect();
    await handlers.all.next();
    clock.advance(LIMITS.pingIntervalMs);
    clock.advance(LIMITS.pingIntervalMs);
    clock.advance(LIMITS.pingIntervalMs);
    expect(await handlers.all.next()).toEqual({ code: 4408, reason: 'peer_silent' });
    expect(await mute.handlers[0]?.ends.next()).toEqual({ code: 4408, reason: 'peer_silent' });
    await mute.close();
  });
});

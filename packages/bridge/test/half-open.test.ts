import { VirtualClock } from '@earshot/async';
import { LIMITS } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostLinkClient, HostLinkServer, MediaLinkClient } from '../src/index.js';
import { Happenings, recordingLog, TestServer } from './kit.js';
import { hello, MEDIA_PATH, MediaWorld, tokenOf } from './media-kit.js';
import { MutingProxy } from './muting-proxy.js';

const SILENT = { code: 4408, reason: 'peer_silent' };

let proxy: MutingProxy;
afterEach(() => proxy.close());

/** Two intervals in which nothing is heard, after the one in which something was. */
function passSilence(clock: VirtualClock): void {
  for (let beat = 0; beat < 3; beat += 1) clock.advance(LIMITS.pingIntervalMs);
}

describe('a media link whose connection stays open and carries nothing', () => {
  let world: MediaWorld;
  beforeEach(async () => {
    world = await MediaWorld.start();
    proxy = await MutingProxy.start(world.web.port);
  });
  afterEach(() => world.close());

  test('is closed with 4408 by both ends after two intervals, and not before', async () => {
    const clock = new VirtualClock();
    const ends = new Happenings<{ code: number; reason: string }>();
    const client = new MediaLinkClient({
      url: proxy.url(MEDIA_PATH),
      token: tokenOf('c_1'),
      hello,
      clock,
      log: recordingLog(),
      handlers: {
        welcome() {},
        progress() {},
        drain() {},
        finished() {},
        closed: (code, reason) => ends.push({ code, reason }),
      },
    });
    await client.connect();
    proxy.mute();
    clock.advance(LIMITS.pingIntervalMs);
    clock.advance(LIMITS.pingIntervalMs);
    expect(client.sendFrames(Uint8Array.of(1, 1, 0, 0))).toBe(true);
    clock.advance(LIMITS.pingIntervalMs);
    expect(client.sendFrames(Uint8Array.of(1, 1, 0, 0))).toBe(false);
    expect(await ends.next()).toEqual(SILENT);
    passSilence(world.clock);
    expect(await world.handlers[0]?.ends.next()).toEqual(SILENT);
    expect(world.server.sessions).toBe(0);
    proxy.close();
    await client.close();
  });
});

describe('a host link whose connection stays open and carries nothing', () => {
  test('is closed with 4408 by both ends after two intervals', async () => {
    const web = await TestServer.start();
    proxy = await MutingProxy.start(web.port);
    const [near, far] = [new VirtualClock(), new VirtualClock()];
    const presence = new Happenings<string>();
    const serverLog = recordingLog();
    const server = new HostLinkServer({
      server: web.http,
      authorize: () => true,
      clock: far,
      log: serverLog,
      onHostDown: (hostId) => presence.push(`down ${hostId}`),
    });
    const log = recordingLog();
    const client = new HostLinkClient({
      url: proxy.url('/v1/host-link'),
      token: 'key',
      hostId: 'h1',
      capacity: 1,
      clock: near,
      random: () => 0.5,
      log,
      handlers: { allocate: () => new Promise(() => {}), attach: async () => {}, release() {} },
    });
    client.start();
    await client.connected;
    proxy.mute();
    passSilence(far);
    expect(await presence.next()).toBe('down h1');
    const down = serverLog.lines.seen.find(({ message }) => message === 'host down');
    expect(down?.fields).toEqual({ hostId: 'h1', code: 4408 });
    passSilence(near);
    proxy.close();
    for (;;) {
      const line = await log.lines.next();
      if (line.message !== 'host link down') continue;
      expect(line.fields).toMatchObject({ reason: 'peer_silent' });
      break;
    }
    await client.close();
    await server.close();
    await web.close();
  });
});

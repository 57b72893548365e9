import type { VirtualClock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { LIMITS } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostLinkClient } from '../src/index.js';
import { ATTACH_REQUEST, HostLinks, PATH } from './host-links.js';
import { Deferred, Happenings, recordingLog } from './kit.js';

let links: HostLinks;

beforeEach(async () => {
  links = await HostLinks.open();
});
afterEach(() => links.close());

describe('HostLinkClient', () => {
  test('allocates, attaches and releases', async () => {
    const { client, attached, released } = links.startClient();
    await client.connected;
    expect(await links.signaling.allocate('h1', 'c1')).toEqual({
      mediaId: 'm-c1',
      blob: 'blob-c1',
    });
    await links.signaling.attach('h1', ATTACH_REQUEST);
    expect(attached).toEqual([ATTACH_REQUEST]);
    links.signaling.release('h1', 'm-c1');
    expect(await released.next()).toBe('m-c1');
  });

  test('two hosts work side by side', async () => {
    const [one, two] = [links.startClient({ hostId: 'h1' }), links.startClient({ hostId: 'h2' })];
    await Promise.all([one.client.connected, two.client.connected]);
    const media = await Promise.all([
      links.signaling.allocate('h1', 'c1'),
      links.signaling.allocate('h2', 'c2'),
    ]);
    expect(media.map(({ mediaId }) => mediaId)).toEqual(['m-c1', 'm-c2']);
  });

  test('tells what its handlers refuse, and hides what they break', async () => {
    const errors = [new CodedError('host_full', 'Cannot take a call'), new Error('secret')];
    const { client } = links.startClient({
      handlers: {
        allocate: () => Promise.reject(errors.shift()),
        attach: async () => {},
        release: () => {},
      },
    });
    await client.connected;
    await expect(links.signaling.allocate('h1', 'c1')).rejects.toThrow(/host_full/);
    await expect(links.signaling.allocate('h1', 'c1')).rejects.toThrow(/internal/);
    await links.signaling.attach('h1', ATTACH_REQUEST);
  });

  test('reconnects with back-off, and then tells anew how it is', async () => {
    const host = links.startClient();
    await host.client.connected;
    host.client.sendHealth({ activeCalls: 1, level: 'normal' });
    host.client.sendMediaState({ mediaId: 'm1', state: 'active' });
    host.client.sendMediaState({ mediaId: 'm2', state: 'active' });
    await links.states.next();
    await links.states.next();
    links.signaling.release('h1', 'm1');
    await host.released.next();
    await links.signaling.close();
    for (;;) if ((await host.log.lines.next()).message === 'host link down') break;
    host.client.sendHealth({ activeCalls: 4, level: 'overloaded' });
    host.client.sendMediaState({ mediaId: 'm2', state: 'ended' });
    host.client.drain();
    links.startServer();
    await sleeping(host.clock);
    host.clock.advance(125);
    expect(await links.states.next()).toEqual({ hostId: 'h1', mediaId: 'm2', state: 'ended' });
    expect(links.states.seen).toHaveLength(3);
    expect(links.signaling.hosts()).toMatchObject([
      { hostId: 'h1', activeCalls: 4, level: 'overloaded', draining: true },
    ]);
  });

  test('tries again while signaling is away or refuses, and stops when closed', async () => {
    const host = links.startClient({ url: links.web.url('/v1/nowhere') });
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
    const host = links.startClient({ token: 'wrong' });
    await expect(host.client.connected).rejects.toMatchObject({ code: 'host_link_refused' });
    expect(host.clock.pending).toBe(0);
  });

  test('does not dial again after another link took its host id', async () => {
    const first = links.startClient();
    await first.client.connected;
    const second = links.startClient();
    await second.client.connected;
    await first.log.lines.next();
    expect(await first.log.lines.next()).toMatchObject({ fields: { closeCode: 4409 } });
    expect(first.clock.pending).toBe(0);
  });

  test('does not tell of the end of a session that was released after a reconnect', async () => {
    const host = links.startClient();
    await host.client.connected;
    host.client.sendMediaState({ mediaId: 'm1', state: 'active' });
    await links.states.next();
    links.signaling.release('h1', 'm1');
    await host.released.next();
    host.client.sendMediaState({ mediaId: 'm1', state: 'ended' });
    expect(await links.states.next()).toMatchObject({ mediaId: 'm1', state: 'ended' });
    await links.signaling.close();
    for (;;) if ((await host.log.lines.next()).message === 'host link down') break;
    host.client.sendMediaState({ mediaId: 'm2', state: 'active' });
    links.startServer();
    await sleeping(host.clock);
    host.clock.advance(125);
    expect(await links.states.next()).toMatchObject({ mediaId: 'm2' });
  });

  test('measures how long its pings take', async () => {
    const host = links.startClient();
    await host.client.connected;
    expect(host.client.rttMs).toBeUndefined();
    host.clock.advance(LIMITS.pingIntervalMs);
    // The pong is on its way; signaling's own clock stands still.
    while (host.client.rttMs === undefined) await new Promise(setImmediate);
    expect(host.client.rttMs).toBe(0);
  });

  test('closes a silent server and dials again', async () => {
    const host = links.startClient();
    await host.client.connected;
    await links.presence.next();
    await host.log.lines.next();
    for (let beat = 0; beat < 3; beat += 1) host.clock.advance(LIMITS.pingIntervalMs);
    expect(await links.presence.next()).toBe('down h1');
    expect(await host.log.lines.next()).toMatchObject({ fields: { reason: 'peer_silent' } });
    await sleeping(host.clock);
    host.clock.advance(250);
    expect(await links.presence.next()).toBe('up h1');
  });

  test('starts its back-off anew only after a link that lived', async () => {
    const host = links.startClient();
    await host.client.connected;
    const delays: unknown[] = [];
    const breakLink = async (): Promise<void> => {
      await links.signaling.close();
      for (;;) {
        const { message, fields } = await host.log.lines.next();
        if (message !== 'host link down') continue;
        delays.push(Reflect.get(fields, 'retryInMs'));
        break;
      }
      links.startServer();
      await sleeping(host.clock);
      host.clock.advance(15_000);
      for (;;) if ((await host.log.lines.next()).message === 'host link up') break;
    };
    await breakLink();
    await breakLink();
    host.clock.advance(LIMITS.pingIntervalMs);
    await links.signaling.allocate('h1', 'c1');
    await breakLink();
    expect(delays).toEqual([125, 250, 125]);
  });

  test('releases a session whose answer can reach nobody', async () => {
    const asked = new Deferred<void>();
    const media = new Deferred<{ mediaId: string; blob: string }>();
    const released = new Happenings<string>();
    const { client } = links.startClient({
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
    const asking = expect(links.signaling.allocate('h1', 'c1')).rejects.toThrow();
    await asked.promise;
    await links.signaling.close();
    await asking;
    await client.close();
    media.resolve({ mediaId: 'm-orphan', blob: 'b' });
    expect(await released.next()).toBe('m-orphan');
  });

  test('close ends the link, is idempotent, and leaves no timer', async () => {
    const host = links.startClient();
    await host.client.connected;
    await Promise.all([host.client.close(), host.client.close()]);
    expect(await links.presence.next()).toBe('up h1');
    expect(await links.presence.next()).toBe('down h1');
    expect(host.clock.pending).toBe(0);
    const unstarted = new HostLinkClient({
      url: links.web.url(PATH),
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

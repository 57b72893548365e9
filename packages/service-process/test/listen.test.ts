import { createServer } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Listener } from '../src/listen.js';
import { listen, parseListenAddress } from '../src/listen.js';

const opened: { close(): unknown }[] = [];

afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

function listener(): Listener {
  const server = createServer();
  opened.push(server);
  return {
    server,
    listen: ({ host, port }) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, host, resolve);
      }),
  };
}

describe('parseListenAddress', () => {
  it.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['localhost:8080', { host: 'localhost', port: 8080 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('reads %s', (text, address) => expect(parseListenAddress(text)).toEqual(address));

  it.each(['', ':80', 'host', 'host:65536', 'a:b:c', '::1:80', 'host:-1', 'host: 80'])(
    'refuses %j',
    (text) => expect(parseListenAddress(text)).toBeUndefined(),
  );

  it('never throws, and reads only what it can write back (property)', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const address = parseListenAddress(text);
        if (address === undefined) return;
        expect(address.port).toBeLessThanOrEqual(65_535);
        expect(text).toContain(address.host);
      }),
    );
  });
});

describe('listen', () => {
  it('takes a free port and says where it can be reached', async () => {
    expect(await listen(listener(), { host: '0.0.0.0', port: 0 }, 'a test')).toMatch(
      /^127\.0\.0\.1:\d+$/,
    );
    expect(await listen(listener(), { host: '::1', port: 0 }, 'a test')).toMatch(/^\[::1\]:\d+$/);
  });

  it('refuses a port in use and an address that is not ours', async () => {
    const taken = await listen(listener(), { host: '127.0.0.1', port: 0 }, 'a test');
    const port = Number(taken.split(':')[1]);
    const second = listen(listener(), { host: '127.0.0.1', port }, 'a test');
    await expect(second).rejects.toMatchObject({ code: 'port_taken' });
    const foreign = listen(listener(), { host: '192.0.2.1', port: 0 }, 'a test');
    await expect(foreign).rejects.toMatchObject({ code: 'not_listening' });
  });
});

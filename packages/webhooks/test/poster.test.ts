import { once } from 'node:events';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { systemClock } from '@earshot/async/system';
import { afterEach, expect, it } from 'vitest';
import { AddressRules } from '../src/address-rules.js';
import { Poster } from '../src/poster.js';

let server: Server;

afterEach(() => server.close());

/** An endpoint that answers each request with these bytes, and then says nothing more. */
async function answering(bytes: string): Promise<string> {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it must listen');
  return `http://127.0.0.1:${address.port}/`;
}

it('is done with an answer that wants to upgrade', async () => {
  const url = await answering(
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
  );
  const poster = new Poster({
    clock: systemClock,
    addresses: new AddressRules({ allowedRanges: ['127.0.0.0/8'] }),
  });
  const result = await poster.post({ url, headers: {}, body: '{}' });
  expect(result).toMatchObject({ ok: false, error: 'connection_lost' });
  poster.close();
});

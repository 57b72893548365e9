import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, test } from 'vitest';
import { HTTP_LIMITS } from '../src/index.js';

/** The limits as they are are too long to wait for; their ratio is what a test can see. */
const FASTER = 100;

async function slowServer(): Promise<{ server: http.Server; port: number }> {
  const { requestTimeout, http: limits } = HTTP_LIMITS;
  const server = http.createServer({
    requestTimeout: requestTimeout / FASTER,
    headersTimeout: limits.headersTimeout / FASTER,
    connectionsCheckingInterval: limits.connectionsCheckingInterval / FASTER,
    maxHeaderSize: limits.maxHeaderSize,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not on a port');
  return { server, port: address.port };
}

test.each([
  ['silence', '', 408],
  ['its headers', 'GET / HTTP/1.1\r\nHost: x\r\n', 408],
  ['its body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc', 408],
  ['nothing but headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(16_384)}\r\n\r\n`, 431],
])('a client that never ends %s is cut off', async (_what, said, status) => {
  const { server, port } = await slowServer();
  const socket = net.connect(port, '127.0.0.1');
  if (said !== '') socket.write(said);
  const closed = once(socket, 'close');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  await closed;
  server.close();
});

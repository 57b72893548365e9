import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, test } from 'vitest';
import { HTTP_LIMITS } from '../src/index.js';

/** The limits as they are are too long to wait for; their ratio is what a test can see. */
const FASTER = 100;

/** @param faster how many times sooner than ours it loses patience */
async function slowServer(faster: number): Promise<{ server: http.Server; port: number }> {
  const { requestTimeout, http: limits } = HTTP_LIMITS;
  const server = http.createServer({
    requestTimeout: requestTimeout / faster,
    headersTimeout: limits.headersTimeout / faster,
    connectionsCheckingInterval: limits.connectionsCheckingInterval / faster,
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
  // What is too long needs no waiting for.
  const { server, port } = await slowServer(status === 408 ? FASTER : 1);
  const socket = net.connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  // It may end by a reset, when not all was read.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  if (said !== '') socket.write(said);
  await closed;
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  server.close();
});

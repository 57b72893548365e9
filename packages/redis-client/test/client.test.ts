import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, connect as dial } from 'node:net';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connect, createClient, disconnect } from '../src/client.js';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.close());

/** A way to Redis that can stop passing anything on, with all connections left open. */
async function startStallingProxy() {
  const sockets = new Set<Socket>();
  const stalled = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(redis.url);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (!stalled.has(from)) to.write(chunk);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => {});
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    stall: () => {
      for (const socket of sockets) stalled.add(socket);
    },
  };
}

describe('a connection whose other end vanished', () => {
  it('is given up when something is awaited for too long, and made anew', async () => {
    const proxy = await startStallingProxy();
    const client = createClient(proxy.url, { maxRetriesPerRequest: null, socketTimeout: 1_000 });
    await connect(client);
    await client.set('a', '1');
    proxy.stall();
    // Answered only over another connection.
    expect(await client.get('a')).toBe('1');
    await disconnect(client);
  });

  it('does not hold up the end', async () => {
    const proxy = await startStallingProxy();
    const client = createClient(proxy.url, { maxRetriesPerRequest: null });
    await connect(client);
    proxy.stall();
    await disconnect(client);
    await vi.waitUntil(() => client.status === 'end', { timeout: 20_000, interval: 20 });
  });
});

import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { TestProxy } from '@earshot/test-kit';
import { startTestProxy } from '@earshot/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ProxyFetch } from '../src/index.js';
import { openProxyFetch, openTunnel, ProxyError, proxyErrorOf } from '../src/index.js';

const AUTHORIZATION = `Basic ${Buffer.from('jo:p@ss').toString('base64')}`;

let proxy: TestProxy;
let service: Server;
let port: number;
let opened: ProxyFetch[];

beforeEach(async () => {
  proxy = await startTestProxy();
  opened = [];
  service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      response.end(JSON.stringify({ url: request.url, body, headers: request.headers }));
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  ({ port } = service.address() as AddressInfo);
});

afterEach(async () => {
  for (const each of opened) await each.close();
  await proxy.close();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

function fetchBy(noProxy: readonly string[] = []): typeof fetch {
  const url = proxy.url.replace('//', '//jo:p%40ss@');
  const each = openProxyFetch({ http: url, https: url, noProxy });
  opened.push(each);
  return each.fetch;
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

it('fetches by the proxy what only it can find, and tells who it is to the proxy alone', async () => {
  const address = `http://vendor.example:${port}/v1?a=b`;
  const response = await fetchBy()(address, { method: 'POST', body: 'sound' });
  const { url, body, headers } = JSON.parse(await response.text());
  expect({ url, body }).toEqual({ url: '/v1?a=b', body: 'sound' });
  expect(headers.host).toBe(`vendor.example:${port}`);
  expect(proxy.visits).toEqual([{ target: address, authorization: AUTHORIZATION }]);
});

it('goes around the proxy for what is named so, and for this machine', async () => {
  const ofVendor = await rejectionOf(fetchBy(['vendor.invalid'])(`http://vendor.invalid:${port}/`));
  expect(ofVendor).toBeInstanceOf(TypeError);
  const response = await fetchBy()(`http://127.0.0.1:${port}/near`);
  expect(JSON.parse(await response.text()).url).toBe('/near');
  expect(proxy.visits).toEqual([]);
});

it.each([
  ['https', 407, 'proxy_refused'],
  ['https', 403, 'proxy_refused'],
  ['https', 502, 'proxy_unavailable'],
  ['http', 407, 'proxy_refused'],
])('over %s an answer of %i is told as %s', async (scheme, status, code) => {
  proxy.answer = status;
  const error = await rejectionOf(fetchBy()(`${scheme}://vendor.example:${port}/`));
  expect(proxyErrorOf(error)).toMatchObject({ code, status });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('p@ss');
  expect(proxy.visits).toHaveLength(1);
});

it.each(['https', 'http'])('over %s a proxy that is not there is unavailable', async (scheme) => {
  const gone = await startTestProxy();
  await gone.close();
  const each = openProxyFetch({ http: gone.url, https: gone.url, noProxy: [] });
  opened.push(each);
  const error = await rejectionOf(each.fetch(`${scheme}://vendor.example/`));
  expect(proxyErrorOf(error)).toMatchObject({ code: 'proxy_unavailable', status: undefined });
});

it('what fails behind the proxy is no fault of the proxy', async () => {
  service.removeAllListeners('request');
  service.on('request', (request) => request.socket.destroy());
  const error = await rejectionOf(fetchBy()(`http://127.0.0.1:${port}/`));
  expect(error).toBeInstanceOf(TypeError);
  expect(proxyErrorOf(error)).toBeUndefined();
});

it('closing ends what waits for the proxy', async () => {
  proxy.answer = 'silent';
  const each = openProxyFetch({ http: undefined, https: proxy.url, noProxy: [] });
  const asking = rejectionOf(each.fetch('https://vendor.example/'));
  while (proxy.visits.length === 0) await setImmediate();
  await each.close();
  expect(await asking).toBeInstanceOf(Error);
  while (proxy.connections.size > 0) await setImmediate();
});

it('a WebSocket goes through the tunnel, and nothing of its credentials to the service', async () => {
  const sockets = new WebSocketServer({ server: service });
  const greeted = new Promise<Record<string, unknown>>((resolve) => {
    sockets.once('connection', (socket, request) => {
      socket.send('hello');
      resolve(request.headers);
    });
  });
  const tunnel = openTunnel(new URL(proxy.url.replace('//', '//jo:p%40ss@')));
  const socket = new WebSocket(`ws://vendor.example:${port}/`, { agent: tunnel.agent });
  const message = await new Promise((resolve) => socket.once('message', resolve));
  expect(String(message)).toBe('hello');
  expect(await greeted).not.toHaveProperty('proxy-authorization');
  expect(tunnel.fault()).toBeUndefined();
  expect(proxy.visits).toEqual([
    { target: `vendor.example:${port}`, authorization: AUTHORIZATION },
  ]);
  socket.terminate();
  sockets.close();
});

it('a tunnel that is given up while the proxy says nothing leaves no connection', async () => {
  proxy.answer = 'silent';
  const tunnel = openTunnel(new URL(proxy.url));
  const socket = new WebSocket(`ws://vendor.example:${port}/`, { agent: tunnel.agent });
  const failed = new Promise((resolve) => socket.once('error', resolve));
  while (proxy.visits.length === 0) await setImmediate();
  expect(tunnel.fault()).toBeInstanceOf(ProxyError);
  socket.terminate();
  tunnel.abort();
  await failed;
  while (proxy.connections.size > 0) await setImmediate();
});

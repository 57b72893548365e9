import type { TestProxy } from '@earshot/test-kit';
import { startTestProxy } from '@earshot/test-kit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readConfig } from '../src/config.js';
import { Harness, WAIT } from './support/harness.js';

let harness: Harness;
let proxy: TestProxy;

beforeEach(async () => {
  [harness, proxy] = await Promise.all([Harness.open(), startTestProxy()]);
});

afterEach(async () => {
  await harness.close();
  await proxy.close();
});

it('Graph, and the keys of those who sign callbacks, are reached through the proxy', async () => {
  const url = harness.graph.url.replace('127.0.0.1', 'graph.invalid');
  await harness.start({
    environment: {
      HTTP_PROXY: proxy.url,
      GRAPH_BASE_URL: `${url}/v1.0`,
      GRAPH_CALLBACK_OPENID_URL: `${url}/openid`,
    },
  });
  await harness.host();
  await harness.worker();
  await harness.attachedCall();
  const asked = (): string[] => proxy.visits.map(({ target }) => target);
  await vi.waitUntil(() => asked().includes(`${url}/openid`), WAIT);
  expect(asked()).toContain(`${url}/v1.0/communications/calls`);
});

it('a proxy that can not be used is refused at the start, its credentials untold', () => {
  const HTTPS_PROXY = 'socks5://jo:secret@proxy:1080';
  const read = (): unknown => readConfig(harness.environment({ HTTPS_PROXY }));
  expect(read).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  expect(read).not.toThrow(/secret/);
});

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { VirtualClock } from '@earshot/async';
import type { ProxySettings } from '@earshot/proxy';
import type { TestProxy } from '@earshot/test-kit';
import { startTestProxy } from '@earshot/test-kit';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Recognizer } from '../src/index.js';
import {
  createAzureSpeech,
  createDeepgram,
  createFailover,
  createOpenAiTranscription,
} from '../src/index.js';
import { serveAzure } from './support/azure-server.js';
import { serveDeepgram } from './support/deepgram-server.js';
import { finals, listenFor, soundOf } from './support/speech.js';
import { PATIENT, until } from './support/vendor-server.js';

const AUTHORIZATION = `Basic ${Buffer.from('jo:p@ss').toString('base64')}`;

let proxy: TestProxy;
let closers: (() => Promise<unknown>)[];

beforeEach(async () => {
  proxy = await startTestProxy();
  closers = [() => proxy.close()];
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function proxies(noProxy: readonly string[] = []): ProxySettings {
  const url = proxy.url.replace('//', '//jo:p%40ss@');
  return { http: url, https: url, noProxy };
}

async function serveOpenAi(): Promise<{ url: string; close(): Promise<unknown> }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify({ text: 'Words.' })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Each at the address that it is given. */
const VENDORS = {
  'azure-speech': {
    serve: serveAzure,
    create: (endpoint: string, settings: ProxySettings) =>
      createAzureSpeech({ key: 'key', endpoint, proxies: settings, limits: PATIENT }),
  },
  deepgram: {
    serve: serveDeepgram,
    create: (baseUrl: string, settings: ProxySettings) =>
      createDeepgram({ apiKey: 'key', baseUrl, proxies: settings, limits: PATIENT }),
  },
  openai: {
    serve: serveOpenAi,
    create: (baseUrl: string, settings: ProxySettings) =>
      createOpenAiTranscription({ baseUrl, proxies: settings, random: () => 0 }),
  },
} as const;

type Vendor = keyof typeof VENDORS;

/** A vendor's server under a name that the proxy alone can find. */
async function servedAs(vendor: Vendor): Promise<string> {
  const server = await VENDORS[vendor].serve();
  closers.push(() => server.close());
  return server.url.replace('127.0.0.1', 'vendor.invalid');
}

function opened(vendor: Vendor, url: string, settings = proxies()): Recognizer {
  const recognizer = VENDORS[vendor].create(url, settings);
  closers.push(() => recognizer.close());
  return recognizer;
}

/** What is told of a second of sound: its finals, or the code of what was wrong. */
async function heardBy(recognizer: Recognizer): Promise<unknown[]> {
  const heard = listenFor();
  try {
    const session = await recognizer.open(heard.options);
    session.push(soundOf(1000));
    await session.endUtterance();
    await session.close();
  } catch (error) {
    expect(String(error)).not.toMatch(/p@ss|p%40ss/);
    return [(error as { code?: string }).code];
  }
  const { faults } = heard;
  expect(JSON.stringify(faults)).not.toMatch(/p@ss|p%40ss/);
  return [...finals(heard), ...faults.map(({ code }) => code)];
}

describe.each(Object.keys(VENDORS) as Vendor[])('%s behind a proxy', (vendor) => {
  it('is reached through it, which is told who we are', async () => {
    const url = await servedAs(vendor);
    const told = await heardBy(opened(vendor, url));
    expect(told).toEqual([expect.stringMatching(/^Word/)]);
    const [visit] = proxy.visits;
    expect(visit?.target).toContain(new URL(url).host);
    expect(visit?.authorization).toBe(AUTHORIZATION);
  });

  it('is reached around it when it is named so', async () => {
    const url = await servedAs(vendor);
    expect(await heardBy(opened(vendor, url, proxies(['.invalid'])))).toEqual([
      'recognizer_unavailable',
    ]);
    expect(await heardBy(opened(vendor, url.replace('vendor.invalid', '127.0.0.1')))).toEqual([
      expect.stringMatching(/^Word/),
    ]);
    expect(proxy.visits).toEqual([]);
  });

  it.each([
    [407, 'recognizer_proxy_refused'],
    [403, 'recognizer_proxy_refused'],
    [502, 'recognizer_proxy_unavailable'],
    [503, 'recognizer_proxy_unavailable'],
  ])('that answers %i is told of as %s', async (status, code) => {
    proxy.answer = status;
    const url = (await servedAs(vendor)).replace(/^ws:/, 'wss:').replace(/^http:/, 'https:');
    expect(await heardBy(opened(vendor, url))).toEqual([code]);
    expect(proxy.visits.length).toBeGreaterThan(0);
  });

  it('that is not there is told of as unavailable', async () => {
    const gone = await startTestProxy();
    await gone.close();
    const url = (await servedAs(vendor)).replace(/^ws:/, 'wss:').replace(/^http:/, 'https:');
    const settings = { ...proxies(), https: gone.url };
    expect(await heardBy(opened(vendor, url, settings))).toEqual(['recognizer_proxy_unavailable']);
  });
});

it('a proxy that says nothing costs no longer than a vendor that does, and is hung up on', async () => {
  proxy.answer = 'silent';
  const clock = new VirtualClock();
  const recognizer = createAzureSpeech({
    key: 'key',
    endpoint: 'wss://vendor.invalid',
    proxies: proxies(),
    clock,
  });
  const opening = recognizer.open(listenFor().options);
  const refused = expect(opening).rejects.toMatchObject({ code: 'recognizer_proxy_unavailable' });
  await until(() => proxy.visits.length > 0);
  clock.advance(5000);
  await refused;
  await until(() => proxy.connections.size === 0);
  expect(clock.pending).toBe(0);
});

describe('in a fail-over', () => {
  /** The first behind the proxy, the second not. */
  async function twoVendors(clock: VirtualClock): Promise<ReturnType<typeof createFailover>> {
    const azure = await servedAs('azure-speech');
    const near = await serveDeepgram();
    closers.push(() => near.close());
    const recognizer = createFailover({
      recognizers: [
        opened('azure-speech', azure),
        createDeepgram({ apiKey: 'key', baseUrl: near.url, proxies: proxies(), limits: PATIENT }),
      ],
      clock,
    });
    closers.push(() => recognizer.close());
    return recognizer;
  }

  it('a proxy that refuses is the fault of who is behind it, who is left alone at once', async () => {
    const clock = new VirtualClock();
    const recognizer = await twoVendors(clock);
    proxy.answer = 407;
    expect(await heardBy(recognizer)).toEqual(['Word0']);
    expect(recognizer.states()).toEqual([
      { engine: 'azure-speech', state: 'open' },
      { engine: 'deepgram', state: 'closed' },
    ]);
    const { length } = proxy.visits;
    expect(await heardBy(recognizer)).toEqual(['Word0']);
    expect(proxy.visits).toHaveLength(length);
    // After five minutes it is tried again.
    proxy.answer = null;
    clock.advance(300_000);
    expect(await heardBy(recognizer)).toEqual(['Word0.']);
  });

  it('one that can not get there is tried again soon, as who is behind it would be', async () => {
    const clock = new VirtualClock();
    const recognizer = await twoVendors(clock);
    proxy.answer = 502;
    expect(await heardBy(recognizer)).toEqual(['Word0']);
    // It was tried when the stream was opened, and when somebody spoke.
    expect(proxy.visits).toHaveLength(2);
    expect(recognizer.states()[0]).toEqual({ engine: 'azure-speech', state: 'open' });
    proxy.answer = null;
    clock.advance(5000);
    expect(await heardBy(recognizer)).toEqual(['Word0.']);
  });
});

it('what is secret stays so through the proxy: WebSockets and requests by TLS', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'vendor.invalid' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'vendor.invalid' }] }],
  });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'earshot-proxies-'));
  closers.push(async () => rmSync(folder, { recursive: true }));
  const ca = path.join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  const secured = async (vendor: Vendor): Promise<string> => {
    const inner = new URL(await servedAs(vendor)).port;
    const front = createTlsServer({ cert, key }, (socket) => {
      const onward = connect(Number(inner), '127.0.0.1');
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    closers.push(async () => front.close());
    return `https://vendor.invalid:${(front.address() as AddressInfo).port}`;
  };
  const urls = { azure: await secured('azure-speech'), openai: await secured('openai') };
  const script = path.join(import.meta.dirname, 'support', 'through-proxy.mjs');
  const told = await new Promise<string>((resolve, reject) => {
    const args = [script, JSON.stringify({ ...urls, proxies: proxies() })];
    execFile(
      process.execPath,
      args,
      { env: { NODE_EXTRA_CA_CERTS: ca } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(stderr));
      },
    );
  });
  expect(JSON.parse(told)).toEqual(['Word0.', 'Words.']);
  expect(proxy.visits.map(({ target }) => target)).toEqual([
    new URL(urls.azure).host,
    new URL(urls.openai).host,
  ]);
});

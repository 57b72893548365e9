import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listeningSettingsSchema } from '@earshot/listening';
import { startTestProxy } from '@earshot/test-kit';
import { expect, it, vi } from 'vitest';
import { NO_ENGINES } from '../dist/index.js';
import { azureSpeechSettings } from '../src/recognition/azure-settings.js';
import { encode, join, silence, voice } from './sound.js';
import { Bench, newCallId } from './test-bench.js';

const TALKING = encode(join(silence(600), voice(1500), silence(1500)));

const LISTENING = listeningSettingsSchema.parse({
  dictation: { engines: ['deepgram', 'openai'] },
});

/** A server that understands the same of all sound, and one that hangs up on everybody. */
async function serve(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ text: 'good morning', language: 'english' }));
    });
  });
  server.on('upgrade', (_request, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A call in which somebody talks, from its begin to its end. */
async function heard(bench: Bench): Promise<string> {
  const callId = newCallId();
  await bench.registry.setListening(callId, LISTENING);
  const host = await bench.dial(await bench.place(callId)).connect();
  host.open(1, '11');
  await host.play({ 1: TALKING });
  await host.bye();
  await bench.stopped(callId);
  return callId;
}

it('dictation is by the first of the asked for that works, and the transcript says which', async () => {
  await using server = await serve();
  const openAi = { baseUrl: `http://127.0.0.1:${server.port}/v1`, apiKey: 'k', model: undefined };
  const deepgram = { apiKey: 'k', baseUrl: `ws://127.0.0.1:${server.port}`, model: undefined };
  await using bench = await Bench.start({ engines: { ...NO_ENGINES, openAi, deepgram } });
  const callId = await heard(bench);
  expect(bench.ofType(callId, 'transcript.skipped')).toEqual([]);
  const finals = bench.ofType(callId, 'transcript.final').map(({ data }) => data);
  expect(finals).toMatchObject([{ text: 'good morning', engine: 'openai' }]);

  // That the first does not work is hidden from consumers, not from operators. Threads tell it by and by.
  const switched =
    /earshot_recognizer_switches_total\{[^}]*from="deepgram",to="openai",reason="recognizer_unavailable"/;
  for (let metrics = ''; !switched.test(metrics); ) {
    metrics = await (await fetch(`${bench.worker.url}/metrics`)).text();
  }
});

it('vendors are reached through the proxy that the worker is told of', async () => {
  await using server = await serve();
  const proxy = await startTestProxy();
  const openAi = {
    baseUrl: `http://vendor.invalid:${server.port}/v1`,
    apiKey: 'k',
    model: undefined,
  };
  const proxies = { http: proxy.url, https: undefined, noProxy: [] };
  await using bench = await Bench.start({ engines: { ...NO_ENGINES, openAi, proxies } });
  const callId = await heard(bench);
  expect(bench.ofType(callId, 'transcript.final').map(({ data }) => data.text)).toEqual([
    'good morning',
  ]);
  expect(proxy.visits.map(({ target }) => target)).toEqual([
    `${openAi.baseUrl}/audio/transcriptions`,
  ]);
  await proxy.close();
});

it('Azure Speech is asked with a token of the identity of this machine', async () => {
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const expires_on = Math.floor(Date.now() / 1000) + 86_400;
    const access_token = `token for ${searchParams.get('resource')}`.replaceAll(/\W+/g, '-');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token, expires_on, token_type: 'Bearer' }));
  });
  server.on('upgrade', (request, socket) => {
    authorizations.push(request.headers.authorization);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${port}/msi/token`);
  vi.stubEnv('IDENTITY_HEADER', 'header-secret');
  const azureSpeech = azureSpeechSettings({
    EARSHOT_AZURE_SPEECH_IDENTITY: 'system',
    EARSHOT_AZURE_SPEECH_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  await using bench = await Bench.start({ engines: { ...NO_ENGINES, azureSpeech } });
  const callId = newCallId();
  await bench.registry.setListening(callId, listeningSettingsSchema.parse({ dictation: {} }));
  const host = await bench.dial(await bench.place(callId)).connect();
  host.open(1, '11');
  await host.play({ 1: TALKING });
  await host.bye();
  await bench.stopped(callId);
  expect(new Set(authorizations)).toEqual(
    new Set(['Bearer token-for-https-cognitiveservices-azure-com']),
  );
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

import { CodedError, VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serviceUrl } from '../src/azure-speech/service-url.js';
import type { AzureEntraTokens, AzureSpeechOptions } from '../src/index.js';
import { createAzureSpeech } from '../src/index.js';
import type { AzureServer } from './support/azure-server.js';
import { serveAzure } from './support/azure-server.js';
import { finals, listenFor, soundOf } from './support/speech.js';
import { PATIENT, until } from './support/vendor-server.js';

const KEY = 'secret-azure-key';

let server: AzureServer;
beforeEach(async () => {
  server = await serveAzure();
});
afterEach(() => server.close());

function azure(options: Partial<AzureSpeechOptions> = {}): ReturnType<typeof createAzureSpeech> {
  const limits = { ...(options.clock === undefined ? PATIENT : {}), ...options.limits };
  const own = {
    ...(options.entra === undefined ? { key: KEY } : {}),
    endpoint: server.url,
    random: () => 0,
  };
  return createAzureSpeech({ ...own, ...options, limits });
}

test('a turn as the service wants it: address, key, config, context, WAV header, sound, end', async () => {
  const heard = listenFor({ language: 'de-DE' });
  const session = await azure({ clock: new VirtualClock() }).open(heard.options);
  session.push(soundOf(250));
  await session.endUtterance();
  const request = server.visitors[0]?.request;
  const { pathname, searchParams } = new URL(request?.url ?? '', server.url);
  expect(pathname).toBe('/speech/recognition/conversation/cognitiveservices/v1');
  expect(Object.fromEntries(searchParams)).toEqual({
    language: 'de-DE',
    format: 'detailed',
    segmentationSilenceTimeoutMs: '800',
    wordLevelTimestamps: 'true',
  });
  expect(request?.headers['ocp-apim-subscription-key']).toBe(KEY);
  expect(request?.headers['x-connectionid']).toMatch(/^[0-9A-F]{32}$/);

  const [config, context, header, ...sound] = server.messages;
  expect(server.messages.map((message) => message.headers['path'])).toEqual([
    'speech.config',
    'speech.context',
    'audio',
    'audio',
    'audio',
    'audio',
    'audio',
  ]);
  const ids = new Set(server.messages.map((message) => message.headers['x-requestid']));
  expect([...ids]).toEqual([expect.stringMatching(/^[0-9A-F]{32}$/)]);
  expect(config?.headers['x-timestamp']).toBe('2023-11-14T22:13:20.000Z');
  expect(JSON.parse(context?.body.toString('utf8') ?? '')).toEqual({
    phraseDetection: {
      mode: 'Conversation',
      language: 'de-DE',
      conversation: { segmentation: { mode: 'Custom', segmentationSilenceTimeoutMs: 800 } },
    },
    phraseOutput: {
      format: 'Detailed',
      detailed: { options: ['WordTimings', 'WordConfidence'] },
      interimResults: { resultType: 'Auto' },
    },
  });
  expect(header?.headers['content-type']).toBe('audio/x-wav');
  expect(header?.body.length).toBe(44);
  expect(header?.body.toString('latin1', 8, 16)).toBe('WAVEfmt ');
  expect(header?.body.readUInt32LE(24)).toBe(16_000);
  expect(sound.map(({ body }) => body.length)).toEqual([3200, 3200, 1600, 0]);
  const sent = Buffer.concat(sound.map(({ body }) => body));
  expect(new Int16Array(sent.buffer.slice(sent.byteOffset, sent.byteOffset + sent.length))).toEqual(
    soundOf(250),
  );
  // Nothing was understood.
  expect(finals(heard)).toEqual(['']);
  await session.close();
});

test('utterances are turns of one connection, and their words are of media time', async () => {
  const heard = listenFor();
  const session = await azure().open(heard.options);
  session.push(soundOf(1000));
  // Of it, 200 ms are sent as silence.
  session.gap(3200);
  session.push(soundOf(1800));
  await session.endUtterance();
  expect(heard.results.map(({ kind }) => kind)).toEqual(['partial', 'partial', 'partial', 'final']);
  expect(heard.results[0]).toMatchObject({
    engine: 'azure-speech',
    text: 'word0',
    startMs: 10_100,
  });
  const [, , , final] = heard.results;
  expect(final).toMatchObject({ text: 'Word0 Word1 Word2.', confidence: 0.95, language: 'en-US' });
  expect(final?.words[0]).toEqual({
    text: 'word0',
    startMs: 10_100,
    endMs: 10_900,
    confidence: 0.9,
  });
  // 2.1 s of what was sent, and 3 s that were not.
  expect(final?.words[2]).toMatchObject({ startMs: 15_100, endMs: 15_900 });

  session.restart(70_000);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results.at(-1)).toMatchObject({ text: 'Word0.', startMs: 70_100, endMs: 70_900 });
  expect(server.visitors).toHaveLength(1);
  await session.close();
});

test('a connection that breaks off in an utterance is opened again and given it once more', async () => {
  server.crashAfterBytes = 48_000;
  const heard = listenFor();
  const session = await azure().open(heard.options);
  session.push(soundOf(3000));
  await session.endUtterance();
  expect(server.visitors).toHaveLength(2);
  expect(heard.faults).toEqual([]);
  expect(finals(heard)).toEqual(['Word0 Word1 Word2.']);
  expect(heard.results.at(-1)?.startMs).toBe(10_100);
  await session.close();
});

test('after a turn that the service ends by itself, what is in no final is another turn', async () => {
  server.endAfterBytes = 48_000;
  const heard = listenFor();
  const session = await azure().open(heard.options);
  session.push(soundOf(1500));
  await heard.wait(() => finals(heard).length > 0);
  session.push(soundOf(1500));
  await session.endUtterance();
  expect(heard.faults).toEqual([]);
  expect(finals(heard)).toEqual(['Word0.', 'Word0.']);
  // The second is of what follows 1.5 s.
  expect(heard.results.at(-1)?.startMs).toBe(11_600);
  await session.close();
});

test.each([
  ['TooManyRequests', 'recognizer_unavailable'],
  ['Error', 'recognizer_unavailable'],
  ['Forbidden', 'recognizer_refused'],
  ['BadRequest', 'recognizer_unsuitable'],
])('a phrase of status %s is a fault %s', async (status, code) => {
  server.status = status;
  const heard = listenFor();
  const session = await azure().open(heard.options);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.faults).toMatchObject([{ code }]);
  expect(finals(heard)).toEqual([]);
});

test.each([
  [401, 'recognizer_refused'],
  [403, 'recognizer_refused'],
  [429, 'recognizer_unavailable'],
])('an upgrade refused with %i rejects with %s, which holds no key', async (status, code) => {
  server.refuseWith = status;
  const opening = azure().open(listenFor().options);
  await expect(opening).rejects.toMatchObject({ code });
  await opening.catch((error: Error) => {
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(KEY);
  });
});

test('a service that never ends the turn is too slow; what it says that is no USP is a fault', async () => {
  const clock = new VirtualClock();
  const heard = listenFor();
  const session = await azure({ clock, limits: { keepAliveMs: 60_000 } }).open(heard.options);
  server.visitors[0]?.socket.removeAllListeners('message');
  session.push(soundOf(1000));
  const ended = session.endUtterance();
  clock.advance(9999);
  expect(heard.faults).toEqual([]);
  clock.advance(1);
  await ended;
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow', retryable: true }]);

  const other = listenFor();
  const second = await azure().open(other.options);
  second.push(soundOf(200));
  server.visitors[1]?.socket.send('hello');
  await until(() => other.faults.length > 0);
  expect(other.faults).toMatchObject([{ code: 'recognizer_protocol' }]);
});

/** As Microsoft's SDK: from the region; its documents: from a name of one's own. */
test.each([
  [{ region: 'westeurope' }, 'wss://westeurope.stt.speech.microsoft.com/speech/'],
  [{ region: 'usgovvirginia' }, 'wss://usgovvirginia.stt.speech.azure.us/speech/'],
  [{ region: 'chinaeast2' }, 'wss://chinaeast2.stt.speech.azure.cn/speech/'],
  [
    { endpoint: 'https://westeurope.api.cognitive.microsoft.com/' },
    'wss://westeurope.stt.speech.microsoft.com/speech/',
  ],
  [
    { endpoint: 'https://ours.cognitiveservices.azure.com/' },
    'wss://ours.cognitiveservices.azure.com/stt/speech/',
  ],
  [{ endpoint: 'ws://container:5000' }, 'ws://container:5000/speech/'],
])('%j is asked at %s', (options, address) => {
  const path = 'recognition/conversation/cognitiveservices/v1';
  expect(serviceUrl(options).href).toBe(address + path);
});

test('an endpoint with a path is asked there', () => {
  const endpoint = 'wss://proxy.example/azure/stt';
  expect(serviceUrl({ endpoint }).href).toBe(endpoint);
});

test.each([
  [1007, 'recognizer_unsuitable'],
  [1011, 'recognizer_unavailable'],
])('hanging up with %i in an utterance is a fault %s', async (closeCode, code) => {
  const heard = listenFor();
  const session = await azure({ limits: { maxReconnects: 0 } }).open(heard.options);
  session.push(soundOf(500));
  server.visitors[0]?.socket.close(closeCode, 'Quota exceeded');
  await heard.wait(() => heard.faults.length > 0);
  expect(heard.faults).toMatchObject([{ code }]);
  await session.close();
});

test('regions are of their cloud, and are letters and digits', () => {
  expect(() => createAzureSpeech({ key: KEY, region: 'evil.example/' })).toThrow(/region/);
  expect(createAzureSpeech({ key: KEY, region: 'westeurope' }).name).toBe('azure-speech');
});

const RESOURCE_ID =
  '/subscriptions/6d1e1b0a-0000-4000-8000-000000000000/resourceGroups/rg.1/providers/Microsoft.CognitiveServices/accounts/ours';

/** Tokens that count up. */
function countingTokens(resourceId?: string): AzureEntraTokens {
  let issued = 0;
  return {
    resourceId,
    token: () => {
      issued += 1;
      return Promise.resolve(`token-${issued}`);
    },
  };
}

/** As the SDK sends a TokenCredential's, and as Microsoft's documents put resource id and token together. */
test.each([
  [undefined, 'Bearer token-'],
  [RESOURCE_ID, `Bearer aad#${RESOURCE_ID}#token-`],
])('with the resource id %s each connection has a token of its own: %s', async (id, header) => {
  server.crashAfterBytes = 48_000;
  const heard = listenFor();
  const session = await azure({ entra: countingTokens(id) }).open(heard.options);
  session.push(soundOf(3000));
  await session.endUtterance();
  expect(finals(heard)).toEqual(['Word0 Word1 Word2.']);
  expect(server.visitors.map(({ request }) => request.headers.authorization)).toEqual([
    `${header}1`,
    `${header}2`,
  ]);
  expect(server.visitors[0]?.request.headers).not.toHaveProperty('ocp-apim-subscription-key');
  await session.close();
});

test.each([
  [new CodedError('recognizer_refused', 'AADSTS7000215 of tenant t'), 'recognizer_refused'],
  [new CodedError('recognizer_unavailable', 'of tenant t'), 'recognizer_unavailable'],
  [new Error('of tenant t'), 'recognizer_unavailable'],
])('without a token (%s) nobody is called: %s', async (error, code) => {
  const entra = { token: () => Promise.reject(error) };
  const opening = azure({ entra }).open(listenFor().options);
  await expect(opening).rejects.toMatchObject({ code });
  await expect(opening).rejects.not.toThrow(/tenant/);
  expect(server.visitors).toEqual([]);
});

test('a token that no header can hold is none, and is not told', async () => {
  const entra = { token: () => Promise.resolve('tok\r\nen') };
  const opening = azure({ entra }).open(listenFor().options);
  await expect(opening).rejects.toMatchObject({ code: 'recognizer_unavailable' });
  await expect(opening).rejects.not.toThrow(/tok/);
});

test('a token is waited for as long as a connection is, and not when it is closed meanwhile', async () => {
  const clock = new VirtualClock();
  let give: (token: string) => void = () => {};
  const entra = { token: () => new Promise<string>((resolve) => (give = resolve)) };
  const late = azure({ entra, clock }).open(listenFor().options);
  clock.advance(4999);
  clock.advance(1);
  await expect(late).rejects.toMatchObject({ code: 'recognizer_unavailable' });
  const recognizer = azure({ entra, clock });
  const opening = recognizer.open(listenFor().options);
  await recognizer.close();
  give('token');
  await expect(opening).rejects.toMatchObject({ code: 'recognizer_unavailable' });
  expect(server.visitors).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('who we are is said in one way, and of which resource where that is not known otherwise', () => {
  const entra = countingTokens();
  const region = 'westeurope';
  const of = (options: AzureSpeechOptions): unknown => createAzureSpeech(options);
  const code = (code: string): unknown => expect.objectContaining({ code });
  expect(() => of({ region })).toThrow(code('invalid_key'));
  expect(() => of({ region, key: KEY, entra })).toThrow(code('invalid_key'));
  expect(() => of({ region, entra })).toThrow(code('invalid_resource_id'));
  const endpoint = 'https://westeurope.api.cognitive.microsoft.com/';
  expect(() => of({ endpoint, entra })).toThrow(code('invalid_resource_id'));
  const wrong = countingTokens('ours\r\n');
  expect(() => of({ region, entra: wrong })).toThrow(code('invalid_resource_id'));
  expect(of({ region, entra: countingTokens(RESOURCE_ID) })).toBeDefined();
  expect(of({ endpoint: 'https://ours.cognitiveservices.azure.com/', entra })).toBeDefined();
});

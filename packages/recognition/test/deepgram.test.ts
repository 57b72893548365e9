import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeepgramOptions } from '../src/index.js';
import { createDeepgram } from '../src/index.js';
import type { DeepgramServer } from './support/deepgram-server.js';
import { serveDeepgram } from './support/deepgram-server.js';
import { finals, listenFor, soundOf } from './support/speech.js';
import { PATIENT, turn, until } from './support/vendor-server.js';

const API_KEY = 'secret-deepgram-key';

let server: DeepgramServer;
beforeEach(async () => {
  server = await serveDeepgram();
});
afterEach(() => server.close());

function deepgram(options: Partial<DeepgramOptions> = {}): ReturnType<typeof createDeepgram> {
  const limits = { ...(options.clock === undefined ? PATIENT : {}), ...options.limits };
  return createDeepgram({ apiKey: API_KEY, baseUrl: server.url, ...options, limits });
}

test('utterances of one connection: partials, finals, words of media time, across a gap', async () => {
  const heard = listenFor();
  const recognizer = deepgram();
  const session = await recognizer.open(heard.options);
  const { url, headers } = server.visitors[0]?.request ?? { url: undefined, headers: {} };
  const query = new URL(url ?? '', server.url);
  expect(query.pathname).toBe('/v1/listen');
  expect(Object.fromEntries(query.searchParams)).toEqual({
    model: 'nova-3',
    language: 'en-US',
    encoding: 'linear16',
    sample_rate: '16000',
    channels: '1',
    interim_results: 'true',
    endpointing: '800',
    punctuate: 'true',
  });
  expect(headers.authorization).toBe(`Token ${API_KEY}`);

  session.push(soundOf(1000));
  // Of it, 200 ms are sent as silence.
  session.gap(5200);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results.map(({ kind }) => kind)).toEqual(['partial', 'partial', 'final']);
  const [, , final] = heard.results;
  expect(final).toMatchObject({ engine: 'deepgram', text: 'Word0 Word1', language: 'en-US' });
  expect(final?.words[0]).toMatchObject({ text: 'Word0', startMs: 10_100, endMs: 10_900 });
  // The second of sound after 1.2 s in the connection is 6.2 s in the call.
  expect(final?.words[1]?.startMs).toBeCloseTo(10_000 + 1100);
  expect(final?.words[1]?.endMs).toBeCloseTo(10_000 + 1900 + 5000);

  session.restart(60_000);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results.at(-1)).toMatchObject({ kind: 'final', text: 'Word0' });
  expect(heard.results.at(-1)?.startMs).toBeCloseTo(60_100);
  expect(server.visitors).toHaveLength(1);
  expect(session.backlogMs).toBe(0);
  await recognizer.close();
  await until(() => server.told.includes('CloseStream'));
  expect(heard.faults).toEqual([]);
});

test('a connection that breaks off is opened again and given the utterance once more', async () => {
  server.crashAfterBytes = 48_000;
  const heard = listenFor();
  const session = await deepgram({ random: () => 0 }).open(heard.options);
  session.push(soundOf(2000));
  await session.endUtterance();
  expect(server.visitors).toHaveLength(2);
  expect(server.heardBytes[1]).toBe(64_000);
  expect(finals(heard)).toEqual(['Word0 Word1']);
  expect(heard.results.at(-1)?.startMs).toBeCloseTo(10_100);
  expect(heard.faults).toEqual([]);
  await session.close();
});

test('a connection that breaks off between utterances is opened when it is needed', async () => {
  const heard = listenFor();
  const session = await deepgram({ random: () => 0 }).open(heard.options);
  server.crash();
  await turn();
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(finals(heard)).toEqual(['Word0']);
  expect(heard.faults).toEqual([]);
  await session.close();
});

test('breaking off again and again is a fault', async () => {
  const heard = listenFor();
  const session = await deepgram({ random: () => 0 }).open(heard.options);
  session.push(soundOf(1000));
  await until(() => (server.heardBytes[0] ?? 0) > 0);
  server.refuseWith = 503;
  server.crash();
  await session.endUtterance();
  expect(heard.faults).toMatchObject([{ code: 'recognizer_unavailable', retryable: true }]);
  // Nothing more comes of it.
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results.filter(({ kind }) => kind === 'final')).toEqual([]);
});

test.each([
  [400, 'recognizer_unsuitable'],
  [401, 'recognizer_refused'],
  [402, 'recognizer_refused'],
  [403, 'recognizer_refused'],
  [429, 'recognizer_unavailable'],
  [500, 'recognizer_unavailable'],
])('an upgrade refused with %i rejects with %s, which holds no key', async (status, code) => {
  server.refuseWith = status;
  const opening = deepgram().open(listenFor().options);
  await expect(opening).rejects.toMatchObject({ code });
  await opening.catch((error: Error) => {
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(API_KEY);
  });
});

test('nobody there rejects with recognizer_unavailable', async () => {
  const { url } = server;
  await server.close();
  const opening = deepgram({ baseUrl: url }).open(listenFor().options);
  await expect(opening).rejects.toMatchObject({ code: 'recognizer_unavailable' });
  server = await serveDeepgram();
});

test('silence is kept alive; a word-less end and late finals are told apart', async () => {
  const clock = new VirtualClock();
  const heard = listenFor();
  const session = await deepgram({ clock }).open(heard.options);
  for (let beats = 0; beats < 3; beats += 1) clock.advance(4000);
  await until(() => server.told.length === 3);
  expect(server.told).toEqual(['KeepAlive', 'KeepAlive', 'KeepAlive']);

  // Too short for a word: `Finalize` need not be answered then.
  server.answers = false;
  session.push(soundOf(500));
  const quiet = session.endUtterance();
  await until(() => server.told.includes('Finalize'));
  clock.advance(2500);
  await quiet;
  expect(finals(heard)).toEqual(['']);

  // Words were told tentatively: their final is overdue.
  session.push(soundOf(1000));
  const late = session.endUtterance();
  await heard.wait(() => heard.results.some(({ kind }) => kind === 'partial'));
  clock.advance(10_000);
  await late;
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow', retryable: true }]);
});

test('partials are asked for though nobody wants them, and long sound is not given up early', async () => {
  const clock = new VirtualClock();
  const heard = listenFor({ task: { kind: 'dictation', partials: false } });
  const session = await deepgram({ clock }).open(heard.options);
  expect(server.visitors[0]?.request.url).toContain('interim_results=true');
  // It takes its time for four seconds, of which it said nothing yet.
  server.visitors[0]?.socket.removeAllListeners('message');
  session.push(soundOf(4000));
  const ended = session.endUtterance();
  clock.advance(9999);
  expect(heard.results).toEqual([]);
  clock.advance(1);
  await ended;
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow' }]);
});

test('a result of a turn before is no result of this one, whatever its times are rounded to', async () => {
  const clock = new VirtualClock();
  const heard = listenFor();
  const session = await deepgram({ clock }).open(heard.options);
  server.answers = false;
  session.push(soundOf(900));
  const quiet = session.endUtterance();
  await until(() => server.told.includes('Finalize'));
  clock.advance(2500);
  await quiet;
  session.push(soundOf(1000));
  await heard.wait(() => heard.results.some(({ kind }) => kind === 'partial'));
  const alternatives = [{ transcript: 'late', confidence: 1, words: [] }];
  const late = { start: 0, duration: 0.9004, is_final: true, from_finalize: true };
  const socket = server.visitors[0]?.socket;
  socket?.send(JSON.stringify({ type: 'Results', ...late, channel: { alternatives } }));
  server.answers = true;
  await session.endUtterance();
  expect(finals(heard)).toEqual(['', 'Word0']);
});

test.each([
  ['de-DE', 'de'],
  ['de-ch', 'de-CH'],
  ['en-US', 'en-US'],
  ['es-MX', 'es'],
  ['nb-NO', 'no'],
  ['multi', 'multi'],
])('%s is %s to the service', async (language, named) => {
  const session = await deepgram().open(listenFor({ language }).options);
  const url = new URL(server.visitors[0]?.request.url ?? '', server.url);
  expect(url.searchParams.get('language')).toBe(named);
  await session.close();
});

test('a service that takes no more sound is too slow, though the end of the utterance cannot be sent', async () => {
  const clock = new VirtualClock();
  const heard = listenFor();
  const limits = { maxUtteranceMs: 1_000_000, keepAliveMs: 60_000 };
  const session = await deepgram({ clock, limits }).open(heard.options);
  server.visitors[0]?.socket.pause();
  // More than all buffers of the way hold.
  session.push(soundOf(900_000));
  const ended = session.endUtterance();
  for (let before = -1; before !== session.backlogMs; ) {
    before = session.backlogMs;
    for (let turns = 0; turns < 50; turns += 1) await turn();
  }
  expect(session.backlogMs).toBeGreaterThan(0);
  clock.advance(10_000);
  await ended;
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow', retryable: true }]);
});

test('closed while it is opened, it leaves no connection', async () => {
  const recognizer = deepgram();
  const opening = recognizer.open(listenFor().options);
  await recognizer.close();
  await expect(opening).rejects.toMatchObject({ code: 'recognizer_unavailable' });
  await until(() => server.visitors.length === 0 || server.visitors[0]?.socket.readyState === 3);
});

test('a key as it is read from a file ends in a line break; one that is no header is refused', async () => {
  const session = await deepgram({ apiKey: `${API_KEY}\n` }).open(listenFor().options);
  expect(server.visitors[0]?.request.headers.authorization).toBe(`Token ${API_KEY}`);
  await session.close();
  const create = (): unknown => deepgram({ apiKey: 'se\ncret' });
  expect(create).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  expect(create).not.toThrow(/cret/);
});

test('what cannot be read is a fault', async () => {
  const heard = listenFor();
  const session = await deepgram().open(heard.options);
  session.push(soundOf(100));
  server.visitors[0]?.socket.send('{"type":"Results","start":"soon"}');
  await heard.wait(() => heard.faults.length > 0);
  expect(heard.faults).toMatchObject([{ code: 'recognizer_protocol' }]);
});

test('more sound than may wait is a fault', async () => {
  const heard = listenFor();
  const session = await deepgram({ limits: { maxUtteranceMs: 3000 } }).open(heard.options);
  session.push(soundOf(2900));
  expect(heard.faults).toEqual([]);
  session.push(soundOf(200));
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow' }]);
});

test('so it is with utterances that wait, by their sound and their number', async () => {
  const heard = listenFor();
  const session = await deepgram({ limits: { maxUtteranceMs: 3000 } }).open(heard.options);
  server.visitors[0]?.socket.pause();
  for (let utterances = 0; utterances < 3; utterances += 1) {
    expect(heard.faults).toEqual([]);
    session.push(soundOf(1400));
    void session.endUtterance();
  }
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow' }]);

  const other = listenFor();
  const second = await deepgram().open(other.options);
  server.visitors[1]?.socket.pause();
  for (let utterances = 0; utterances < 65; utterances += 1) {
    expect(other.faults).toEqual([]);
    second.push(soundOf(20));
    void second.endUtterance();
  }
  expect(other.faults).toMatchObject([{ code: 'recognizer_slow' }]);
});

test('what was restarted gives no results', async () => {
  const heard = listenFor({ task: { kind: 'dictation', partials: false } });
  const session = await deepgram().open(heard.options);
  session.push(soundOf(3000));
  session.restart(30_000);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results).toMatchObject([{ kind: 'final', text: 'Word0' }]);
  expect(heard.results[0]?.startMs).toBeCloseTo(30_100);
  await session.close();
});

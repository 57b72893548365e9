import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@earshot/async';
import { VirtualClock } from '@earshot/async';
import { afterEach, expect, test } from 'vitest';
import { createFailover, createOpenAiTranscription } from '../src/index.js';
import { finals, listenFor, soundOf } from './support/speech.js';

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly form: FormData;
}

type Answer = (asked: Asked, response: ServerResponse) => void;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A local transcription service. */
async function serve(answer: Answer): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void read(request).then((each) => {
      asked.push(each);
      answer(each, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = new Response(Buffer.concat(chunks), {
    headers: { 'content-type': request.headers['content-type'] ?? '' },
  });
  const { authorization } = request.headers;
  return { path: request.url ?? '', authorization, form: await body.formData() };
}

function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** As OpenAI's `whisper-1` answers. */
const VERBOSE = {
  task: 'transcribe',
  language: 'english',
  duration: 1.2,
  text: 'Call me back.',
  segments: [
    { id: 0, start: 0, end: 1.2, text: ' Call me back.', avg_logprob: -0.1, no_speech_prob: 0.01 },
  ],
  words: [
    { word: 'Call', start: 0.1, end: 0.3 },
    { word: 'me', start: 0.3, end: 0.5 },
    { word: 'back', start: 0.9, end: 1.2 },
  ],
};

test('an utterance is one request, and its words are of media time, across a gap', async () => {
  const { url, asked } = await serve((_asked, response) => json(response, 200, VERBOSE));
  const recognizer = createOpenAiTranscription({ baseUrl: `${url}/v1`, apiKey: 'secret-key' });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(600));
  // Of it, 200 ms are sent as silence.
  session.gap(1000);
  session.push(soundOf(600));
  await session.endUtterance();
  expect(asked[0]?.path).toBe('/v1/audio/transcriptions');
  expect(asked[0]?.authorization).toBe('Bearer secret-key');
  const form = asked[0]?.form ?? new FormData();
  expect(form.get('model')).toBe('whisper-1');
  expect(form.get('language')).toBe('en');
  expect(form.get('response_format')).toBe('verbose_json');
  expect(form.getAll('timestamp_granularities[]')).toEqual(['word', 'segment']);
  const wav = Buffer.from(await (form.get('file') as File).arrayBuffer());
  expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
  expect(wav.length).toBe(44 + (600 + 200 + 600) * 32);
  expect(heard.results).toHaveLength(1);
  expect(heard.results[0]).toMatchObject({
    kind: 'final',
    engine: 'openai',
    text: 'Call me back.',
    startMs: 10_100,
    endMs: 12_000,
    language: 'en-US',
  });
  expect(heard.results[0]?.words[2]).toMatchObject({ text: 'back', startMs: 11_700 });
  expect(heard.results[0]?.confidence).toBeCloseTo(Math.exp(-0.1));
  await recognizer.close();
});

test("whisper.cpp's server is asked at its own path, and its words are in segments", async () => {
  const { url, asked } = await serve((_asked, response) =>
    json(response, 200, {
      task: 'transcribe',
      language: 'english',
      duration: 1,
      text: ' yes\n',
      segments: [
        {
          id: 0,
          text: ' yes',
          start: 0,
          end: 0.5,
          words: [{ word: ' yes', start: 0.1, end: 0.4, t_dtw: -1, probability: 0.9 }],
          temperature: 0,
          avg_logprob: -0.3,
          no_speech_prob: 0.001,
        },
      ],
    }),
  );
  const recognizer = createOpenAiTranscription({ baseUrl: `${url}/inference` });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(asked[0]?.path).toBe('/inference');
  expect(asked[0]?.authorization).toBeUndefined();
  expect(heard.results[0]).toMatchObject({
    text: 'yes',
    confidence: 0.9,
    words: [{ text: 'yes', startMs: 10_100, endMs: 10_400, confidence: 0.9 }],
  });
  await recognizer.close();
});

test("whisper.cpp's words are tokens of the model: those of a word are put together", async () => {
  const pieces: [string, number, number, number][] = [
    [' tele', 0.1, 0.3, 0.9],
    ['phone', 0.3, 0.6, 0.5],
    [',', 0.6, 0.6, 0.8],
    [' please', 0.7, 1, 0.7],
  ];
  const words = pieces.map(([word, start, end, probability]) => ({
    word,
    start,
    end,
    probability,
  }));
  const body = { text: ' telephone, please', segments: [{ text: ' telephone, please', words }] };
  const { url } = await serve((_asked, response) => json(response, 200, body));
  const heard = listenFor();
  const session = await createOpenAiTranscription({ baseUrl: url }).open(heard.options);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results[0]?.words).toEqual([
    { text: 'telephone,', startMs: 10_100, endMs: 10_600, confidence: 0.5 },
    { text: 'please', startMs: 10_700, endMs: 11_000, confidence: 0.7 },
  ]);
});

test('vLLM says null for what it does not know', async () => {
  const segment = {
    id: 0,
    start: 0,
    end: 1,
    text: ' yes',
    avg_logprob: -0.2,
    no_speech_prob: null,
  };
  const body = { duration: '1.0', language: 'en', text: ' yes', segments: [segment], words: null };
  const { url } = await serve((_asked, response) => json(response, 200, body));
  const heard = listenFor();
  const session = await createOpenAiTranscription({ baseUrl: url }).open(heard.options);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.faults).toEqual([]);
  expect(heard.results).toMatchObject([{ text: 'yes', words: [], startMs: 10_000, endMs: 11_000 }]);
});

test('an address with a password in it is refused at once, and not told', () => {
  const create = (): unknown => createOpenAiTranscription({ baseUrl: 'http://a:secret@host/v1' });
  expect(create).toThrow(expect.objectContaining({ code: 'invalid_url' }));
  expect(create).not.toThrow(/secret/);
});

test.each([
  [401, 'recognizer_refused', false],
  [403, 'recognizer_refused', false],
  [402, 'recognizer_refused', false],
  [400, 'recognizer_unsuitable', false],
  [404, 'recognizer_unsuitable', false],
])('HTTP %i is a fault %s', async (status, code, retryable) => {
  const { url, asked } = await serve((_asked, response) => json(response, status, { error: {} }));
  const recognizer = createOpenAiTranscription({ baseUrl: url, apiKey: 'secret-key' });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(500));
  await session.endUtterance();
  expect(heard.faults).toMatchObject([{ code, retryable }]);
  expect(JSON.stringify(heard.faults)).not.toContain('secret-key');
  expect(heard.results).toEqual([]);
  expect(asked).toHaveLength(1);
});

test('too many requests: waits as long as the service says, then asks again', async () => {
  const clock = new VirtualClock();
  const delaysMs: number[] = [];
  const watched: Clock = {
    nowMs: () => clock.nowMs(),
    wallclockMs: () => clock.wallclockMs(),
    at(timeMs, run) {
      delaysMs.push(timeMs - clock.nowMs());
      return clock.at(timeMs, run);
    },
  };
  const { url, asked } = await serve((_asked, response) => {
    if (asked.length > 1) json(response, 200, VERBOSE);
    else json(response, 429, {}, { 'retry-after': '2' });
  });
  const recognizer = createOpenAiTranscription({ baseUrl: url, clock: watched, random: () => 0 });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(500));
  const ended = session.endUtterance();
  while (!delaysMs.includes(2_000)) await turn();
  clock.advance(1999);
  await turn();
  expect(asked).toHaveLength(1);
  clock.advance(1);
  await ended;
  expect(asked).toHaveLength(2);
  expect(finals(heard)).toEqual(['Call me back.']);
});

test('no answer in time is a fault, and so is one that cannot be read', async () => {
  const clock = new VirtualClock();
  const silent = await serve(() => {});
  const heard = listenFor();
  const session = await createOpenAiTranscription({ baseUrl: silent.url, clock }).open(
    heard.options,
  );
  session.push(soundOf(500));
  const ended = session.endUtterance();
  while (silent.asked.length === 0) await turn();
  clock.advance(15_000);
  await ended;
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow', retryable: true }]);

  const odd = await serve((_asked, response) => json(response, 200, { words: 3 }));
  const other = listenFor();
  const second = await createOpenAiTranscription({ baseUrl: odd.url }).open(other.options);
  second.push(soundOf(500));
  await second.endUtterance();
  expect(other.faults).toMatchObject([{ code: 'recognizer_protocol' }]);
});

test('requests at once are bounded over all sessions', async () => {
  const held: ServerResponse[] = [];
  const { url, asked } = await serve((_asked, response) => held.push(response));
  const recognizer = createOpenAiTranscription({ baseUrl: url, maxRequests: 2 });
  const all = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const heard = listenFor();
      const session = await recognizer.open(heard.options);
      session.push(soundOf(200));
      return { heard, ended: session.endUtterance() };
    }),
  );
  for (let answered = 0; answered < 5; answered += 1) {
    while (held.length === 0) await turn();
    expect(asked.length - answered).toBeLessThanOrEqual(2);
    json(held.shift() as ServerResponse, 200, VERBOSE);
  }
  for (const { heard, ended } of all) {
    await ended;
    expect(finals(heard)).toEqual(['Call me back.']);
  }
});

test('an utterance that is too long is a fault; what was restarted is not sent', async () => {
  const { url, asked } = await serve((_asked, response) => json(response, 200, VERBOSE));
  const recognizer = createOpenAiTranscription({ baseUrl: url, maxUtteranceMs: 1000 });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(900));
  session.restart(20_000);
  session.push(soundOf(500));
  await session.endUtterance();
  expect(asked).toHaveLength(1);
  expect(heard.results[0]?.startMs).toBe(20_100);
  session.push(soundOf(1001));
  expect(heard.faults).toMatchObject([{ code: 'recognizer_slow' }]);
  await session.close();
  await session.close();
});

test('an utterance that goes on is no backlog, and a long one no fault of the service', async () => {
  const { url } = await serve((_asked, response) => json(response, 200, VERBOSE));
  const heard = listenFor();
  const openai = createOpenAiTranscription({ baseUrl: url });
  const limits = { openMs: 600_000, finalMs: 600_000 };
  const recognizer = createFailover({ recognizers: [openai], limits });
  const session = await recognizer.open(heard.options);
  for (let seconds = 0; seconds < 40; seconds += 1) session.push(soundOf(1000));
  expect(session.backlogMs).toBe(0);
  await session.endUtterance();
  expect(heard.faults).toEqual([]);
  expect(finals(heard)).toEqual(['Call me back.']);
  await recognizer.close();
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a session that is closed before another try leaves no timer, and its place to others', async () => {
  let status = 503;
  const { url, asked } = await serve((_asked, response) => json(response, status, VERBOSE));
  const clock = new VirtualClock();
  let isPausing: () => void = () => {};
  const pausing = new Promise<void>((resolve) => {
    isPausing = resolve;
  });
  const random = (): number => {
    isPausing();
    return 0.5;
  };
  const recognizer = createOpenAiTranscription({ baseUrl: url, clock, random, maxRequests: 1 });
  const closed = await recognizer.open(listenFor().options);
  closed.push(soundOf(600));
  const ended = closed.endUtterance();
  await pausing;
  status = 200;
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(600));
  const heardAll = session.endUtterance();
  await closed.close();
  await Promise.all([ended, heardAll]);
  expect(finals(heard)).toEqual(['Call me back.']);
  expect(asked).toHaveLength(2);
  expect(clock.pending).toBe(0);
  await recognizer.close();
});

import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { Recognizer } from '../src/index.js';
import { createAzureSpeech, createDeepgram, createOpenAiTranscription } from '../src/index.js';
import type { Heard } from './support/speech.js';
import { listenFor, soundOf } from './support/speech.js';
import type { VendorServer } from './support/vendor-server.js';
import { serveVendor, turn } from './support/vendor-server.js';

/** Any bytes of a vendor give results in bounds, or a fault with a code: no throw, and no waiting for ever. */

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const number = fc.oneof(
  // Of a second or so, in seconds and in ticks.
  { weight: 8, arbitrary: fc.constantFrom(0, 0.2, 0.5, 0.9, 2e6, 5e6, 9e6) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);

/** Values of the names that vendors use, of any type. */
function valuesOf(...names: readonly string[]): fc.Arbitrary<unknown> {
  return fc.object({
    key: fc.constantFrom(...names),
    values: [number, fc.string(), fc.boolean(), fc.constant(null)],
    maxDepth: 4,
  });
}

function seldom(other: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: other });
}

const deepgramJson = fc
  .tuple(
    fc.record({
      type: fc.constantFrom('Results', 'Results', 'Results', 'UtteranceEnd', '?'),
      start: number,
      duration: number,
      is_final: fc.boolean(),
      from_finalize: fc.boolean(),
      channel: fc.record({
        alternatives: fc.array(
          fc.record({
            transcript: fc.string(),
            confidence: number,
            words: fc.array(
              fc.record({ word: fc.string(), start: number, end: number, confidence: number }),
              { minLength: 1, maxLength: 3 },
            ),
          }),
          { maxLength: 2 },
        ),
      }),
    }),
    seldom(valuesOf('type', 'start', 'channel', 'alternatives', 'words', 'is_final')),
  )
  .map(([results, other]) => JSON.stringify({ ...results, ...(other as object) }));

const azureBody = fc
  .tuple(
    fc.record({
      RecognitionStatus: fc.constantFrom('Success', 'Success', 'Success', 'NoMatch', 'Error', '?'),
      Offset: number,
      Duration: number,
      Text: fc.string(),
      DisplayText: fc.string(),
      NBest: fc.array(
        fc.record({
          Confidence: number,
          Display: fc.string(),
          Words: fc.array(fc.record({ Word: fc.string(), Offset: number, Duration: number }), {
            maxLength: 3,
          }),
        }),
        { maxLength: 2 },
      ),
    }),
    seldom(valuesOf('RecognitionStatus', 'Offset', 'NBest', 'Words', 'PrimaryLanguage')),
  )
  .map(([phrase, other]) => JSON.stringify({ ...phrase, ...(other as object) }));

/** `ID` is put in place of the id of the turn. */
const azureText = fc
  .tuple(
    fc.constantFrom('speech.phrase', 'speech.phrase', 'speech.hypothesis', 'turn.end', '?'),
    fc.constantFrom('ID', 'ID', 'ID', '0'),
    fc.oneof({ weight: 9, arbitrary: azureBody }, { weight: 1, arbitrary: fc.string() }),
    fc.constant('\r\n\r\n'),
  )
  .map(([path, id, body, end]) => `X-RequestId:${id}\r\nPath:${path}${end}${body}`);

type Act =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary' | 'raw'; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly code: number };

function actsOf(text: fc.Arbitrary<string>): fc.Arbitrary<Act[]> {
  const bytes = fc.uint8Array({ maxLength: 40 });
  return fc.array(
    fc.oneof(
      { weight: 20, arbitrary: text.map((each): Act => ({ kind: 'text', text: each })) },
      { weight: 1, arbitrary: fc.string().map((each): Act => ({ kind: 'text', text: each })) },
      { weight: 1, arbitrary: bytes.map((each): Act => ({ kind: 'binary', bytes: each })) },
      // No frames of WebSocket.
      { weight: 1, arbitrary: bytes.map((each): Act => ({ kind: 'raw', bytes: each })) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(1000, 1007, 1011, 4000)
          .map((code): Act => ({ kind: 'close', code })),
      },
    ),
    { maxLength: 6 },
  );
}

function perform(act: Act, socket: WebSocket, requestId: string): void {
  if (socket.readyState !== 1) return;
  if (act.kind === 'text') socket.send(act.text.replace('ID', requestId));
  else if (act.kind === 'binary') socket.send(act.bytes);
  else if (act.kind === 'close') socket.close(act.code);
  else (socket as unknown as { _socket: Socket })._socket.write(act.bytes);
}

/** Answers the first sound of each connection with the acts. */
async function serveActs(acts: () => readonly Act[]): Promise<VendorServer> {
  const server = await serveVendor(({ socket }) => {
    let isDone = false;
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => {
      if (isDone) return;
      isDone = true;
      const requestId = /X-RequestId: (\w+)/.exec(data.toString('latin1'))?.[1] ?? '';
      for (const act of acts()) perform(act, socket, requestId);
    });
  });
  closers.push(() => server.close());
  return server;
}

function expectInBounds({ results, faults }: Heard, startMs: number, endMs: number): void {
  expect(faults.length).toBeLessThanOrEqual(1);
  for (const { code } of faults) expect(code).toMatch(/^recognizer_[a-z]+$/);
  for (const result of results) {
    const begins = result.words.map((word) => word.startMs);
    expect(begins).toEqual(begins.toSorted((one, other) => one - other));
    for (const { startMs: from, endMs: to, confidence } of [result, ...result.words]) {
      expect(from).toBeGreaterThanOrEqual(startMs);
      expect(to).toBeGreaterThanOrEqual(from);
      expect(to).toBeLessThanOrEqual(endMs);
      expect(confidence === null || (confidence >= 0 && confidence <= 1)).toBe(true);
    }
  }
}

/** An utterance of a second, and the end of it however the vendor behaves. */
async function speakTo(recognizer: Recognizer, clock: VirtualClock): Promise<void> {
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(1000));
  let isEnded = false;
  void session.endUtterance().then(() => {
    isEnded = true;
  });
  while (!isEnded) {
    for (let turns = 0; turns < 4; turns += 1) await turn();
    clock.advance(500);
  }
  expectInBounds(heard, 10_000, 11_000);
  await session.close();
  await recognizer.close();
}

const NO_CONNECT_LIMIT = { connectMs: Number.MAX_SAFE_INTEGER };

test.each([
  [
    'azure-speech',
    azureText,
    (endpoint: string, clock: VirtualClock) =>
      createAzureSpeech({ key: 'k', endpoint, clock, limits: NO_CONNECT_LIMIT }),
  ],
  [
    'deepgram',
    deepgramJson,
    (baseUrl: string, clock: VirtualClock) =>
      createDeepgram({ apiKey: 'k', baseUrl, clock, limits: NO_CONNECT_LIMIT }),
  ],
])('%s', async (_name, text, create) => {
  let acts: readonly Act[] = [];
  const server = await serveActs(() => acts);
  await fc.assert(
    fc.asyncProperty(actsOf(text), async (some) => {
      acts = some;
      const clock = new VirtualClock();
      await speakTo(create(server.url, clock), clock);
    }),
    { numRuns: 30 },
  );
});

const transcription = fc
  .tuple(
    fc.record({
      text: fc.string(),
      words: fc.option(
        fc.array(fc.record({ word: fc.string(), start: number, end: number }), { maxLength: 3 }),
      ),
      segments: fc.option(
        fc.array(fc.record({ avg_logprob: fc.option(number), no_speech_prob: fc.option(number) }), {
          maxLength: 2,
        }),
      ),
    }),
    seldom(valuesOf('text', 'words', 'word', 'start', 'segments')),
  )
  .map(([verbose, other]) => JSON.stringify({ ...verbose, ...(other as object) }));

test('openai', async () => {
  let body: string | Uint8Array = '';
  let status = 200;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, { 'retry-after': '0' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        { weight: 9, arbitrary: transcription },
        { weight: 1, arbitrary: fc.string() },
        { weight: 1, arbitrary: fc.uint8Array() },
      ),
      fc.constantFrom(200, 200, 200, 200, 200, 200, 204, 302, 429),
      async (some, code) => {
        [body, status] = [code === 204 ? '' : some, code];
        const clock = new VirtualClock();
        await speakTo(createOpenAiTranscription({ baseUrl, clock, requestMs: 1e9 }), clock);
      },
    ),
    { numRuns: 30 },
  );
});

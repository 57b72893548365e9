import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FailoverOptions, FailoverRecognizer, FailoverSwitch } from '../src/index.js';
import { createAzureSpeech, createDeepgram, createFailover } from '../src/index.js';
import type { AzureServer } from './support/azure-server.js';
import { serveAzure } from './support/azure-server.js';
import type { DeepgramServer } from './support/deepgram-server.js';
import { serveDeepgram } from './support/deepgram-server.js';
import { finals, listenFor, soundOf } from './support/speech.js';
import { PATIENT, until } from './support/vendor-server.js';

let azure: AzureServer;
let deepgram: DeepgramServer;
let switches: FailoverSwitch[];
beforeEach(async () => {
  [azure, deepgram] = await Promise.all([serveAzure(), serveDeepgram()]);
  switches = [];
});
afterEach(() => Promise.all([azure.close(), deepgram.close()]));

/** Azure Speech, then Deepgram. */
function failover(options: Partial<FailoverOptions> = {}): FailoverRecognizer {
  const limits = { ...PATIENT, maxReconnects: 0 };
  return createFailover({
    recognizers: [
      createAzureSpeech({ key: 'a', endpoint: azure.url, limits }),
      createDeepgram({ apiKey: 'd', baseUrl: deepgram.url, limits }),
    ],
    onSwitch: (change) => switches.push(change),
    ...(options.clock === undefined ? { limits: { openMs: 600_000, finalMs: 600_000 } } : {}),
    ...options,
  });
}

test('the first recognizer is used while it works', async () => {
  const heard = listenFor();
  const recognizer = failover();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.results.at(-1)).toMatchObject({ kind: 'final', engine: 'azure-speech' });
  expect(deepgram.visitors).toEqual([]);
  expect(switches).toEqual([]);
  await recognizer.close();
});

test('an utterance with which it fails is given to the next, with all of its sound', async () => {
  azure.crashAfterBytes = 48_000;
  const heard = listenFor();
  const recognizer = failover();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(2000));
  session.gap(3000);
  session.push(soundOf(1000));
  await session.endUtterance();
  const final = heard.results.at(-1);
  expect(final).toMatchObject({ kind: 'final', engine: 'deepgram', text: 'Word0 Word1 Word2' });
  expect(final?.startMs).toBeCloseTo(10_100);
  // Of the gap, 200 ms are sent as silence.
  expect(deepgram.heardBytes).toEqual([(2000 + 200 + 1000) * 32]);
  expect(switches).toEqual([
    { from: 'azure-speech', to: 'deepgram', reason: 'recognizer_unavailable' },
  ]);
  expect(heard.faults).toEqual([]);
  await recognizer.close();
});

test('one that refuses is left alone for long; later sessions do not ask it', async () => {
  azure.refuseWith = 401;
  const clock = new VirtualClock();
  const recognizer = failover({ clock });
  for (let calls = 0; calls < 3; calls += 1) {
    const heard = listenFor();
    const session = await recognizer.open(heard.options);
    session.push(soundOf(1000));
    await session.endUtterance();
    expect(heard.results.at(-1)?.engine).toBe('deepgram');
    await session.close();
  }
  expect(recognizer.states()).toEqual([
    { engine: 'azure-speech', state: 'open' },
    { engine: 'deepgram', state: 'closed' },
  ]);
  expect(switches).toEqual([
    { from: 'azure-speech', to: 'deepgram', reason: 'recognizer_refused' },
  ]);
  await recognizer.close();
});

test('one that has not what a session asks for is left alone by that session only', async () => {
  azure.refuseWith = 400;
  const recognizer = failover({ clock: new VirtualClock() });
  const heard = listenFor({ language: 'tlh' });
  const session = await recognizer.open(heard.options);
  azure.refuseWith = null;
  for (let utterances = 0; utterances < 2; utterances += 1) {
    session.push(soundOf(1000));
    await session.endUtterance();
  }
  expect(deepgram.visitors).toHaveLength(1);
  const other = listenFor();
  await (await recognizer.open(other.options)).close();
  expect(azure.visitors).toHaveLength(1);
  expect(heard.results.at(-1)?.engine).toBe('deepgram');
  expect(recognizer.states()[0]?.state).toBe('closed');
  await recognizer.close();
});

test('one that works again is turned to between utterances', async () => {
  azure.refuseWith = 503;
  const clock = new VirtualClock();
  const recognizer = failover({ clock, breaker: { failures: 1 } });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(soundOf(1000));
  await session.endUtterance();
  azure.refuseWith = null;
  clock.advance(4999);
  session.push(soundOf(1000));
  await session.endUtterance();
  clock.advance(1);
  session.push(soundOf(1000));
  await session.endUtterance();
  const engines = heard.results.flatMap(({ kind, engine }) => (kind === 'final' ? [engine] : []));
  expect(engines).toEqual(['deepgram', 'deepgram', 'azure-speech']);
  expect(heard.results.at(-1)?.startMs).toBe(12_100);
  expect(switches.at(-1)).toEqual({ from: 'deepgram', to: 'azure-speech', reason: 'preferred' });
  expect(recognizer.states()[0]?.state).toBe('closed');
  await recognizer.close();
});

test('a final that is too late comes from the next', async () => {
  const clock = new VirtualClock();
  const heard = listenFor();
  const recognizer = failover({ clock, limits: { finalMs: 3000 } });
  const session = await recognizer.open(heard.options);
  azure.visitors[0]?.socket.removeAllListeners('message');
  session.push(soundOf(1000));
  const ended = session.endUtterance();
  clock.advance(3000);
  await ended;
  expect(finals(heard)).toEqual(['Word0']);
  expect(heard.results.at(-1)?.engine).toBe('deepgram');
  expect(switches).toMatchObject([{ reason: 'recognizer_slow' }]);
  await recognizer.close();
});

test('when none works, the session fails, and so does opening', async () => {
  const heard = listenFor();
  const recognizer = failover();
  const session = await recognizer.open(heard.options);
  azure.refuseWith = 500;
  deepgram.refuseWith = 500;
  azure.crash();
  session.push(soundOf(1000));
  await session.endUtterance();
  expect(heard.faults).toMatchObject([{ code: 'recognizer_unavailable', retryable: true }]);
  expect(switches.at(-1)).toMatchObject({ to: null });
  await expect(recognizer.open(listenFor().options)).rejects.toMatchObject({
    code: 'recognizer_unavailable',
  });
  await recognizer.close();
});

test('many utterances over recognizers that come and go: each has one final, in order', async () => {
  const heard = listenFor({ task: { kind: 'dictation', partials: false } });
  const recognizer = failover({ breaker: { failures: 1, baseMs: 1, maxMs: 1 } });
  const session = await recognizer.open(heard.options);
  for (let utterance = 0; utterance < 12; utterance += 1) {
    if (utterance % 3 === 1) azure.crashAfterBytes = 16_000;
    session.restart(100_000 * (utterance + 1));
    session.push(soundOf(1000));
    await session.endUtterance();
  }
  expect(heard.results.map(({ startMs }) => Math.round(startMs))).toEqual(
    Array.from({ length: 12 }, (_, utterance) => 100_000 * (utterance + 1) + 100),
  );
  expect(new Set(heard.results.map(({ engine }) => engine))).toEqual(
    new Set(['azure-speech', 'deepgram']),
  );
  await until(() => session.backlogMs === 0);
  await recognizer.close();
});

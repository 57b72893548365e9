import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { listeningSettingsSchema } from '@earshot/listening';
import type { StreamIdentity } from '@earshot/media-session';
import { PcmRing } from '@earshot/media-session';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EngineSettings } from '../dist/index.js';
import { NO_ENGINES } from '../dist/index.js';
import { CallRecognition } from '../dist/recognition/call-recognition.js';
import { RecognizerPool } from '../dist/recognition/recognizer-pool.js';
import type { RecognitionEventDraft } from '../src/recognition/recognition-events.js';
import { speak } from './spoken-ring.js';

const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };

/** The first utterance of each, up to where its speech has ended. */
const ONE_UTTERANCE = 140;

const TWO_VENDORS: EngineSettings = {
  ...NO_ENGINES,
  deepgram: { apiKey: 'key', baseUrl: undefined, model: undefined },
  openAi: { baseUrl: 'https://127.0.0.1', apiKey: 'key', model: undefined },
};

function poolOf(engines: EngineSettings): RecognizerPool {
  return new RecognizerPool({
    threads: 1,
    module: new URL('./loud-recognizers.mjs', import.meta.url),
    engines,
    limits: { backlogMs: 60_000, maxSessions: 8 },
    clock: systemClock,
    log: SILENT_LOG,
    onProgress: () => {},
  });
}

let clock: VirtualClock;
let pool: RecognizerPool;
let recognition: CallRecognition;
let told: RecognitionEventDraft[];

beforeEach(() => {
  clock = new VirtualClock();
  pool = poolOf(TWO_VENDORS);
  told = [];
  recognition = new CallRecognition({
    pool,
    listening: listeningSettingsSchema.parse({ dictation: { engines: ['first-mute'] } }),
    eager: false,
    creditFrames: 256,
    clock,
    tell: (event) => told.push(event),
  });
});
afterEach(() => pool.close());

/** Opens a stream; what is returned lets somebody speak in it, and ends it. */
function opened(streamId: number): () => void {
  const identity: StreamIdentity = {
    callId: 'call',
    mediaId: 'media',
    epoch: 1,
    streamId,
    ordinal: streamId,
    kind: 'unmixed',
    sourceId: `${streamId}`,
    codec: 'opus',
  };
  const ear = recognition.open(identity, 0, []);
  const { ring, bell } = ear.pcm!;
  return () => {
    speak(new PcmRing(ring, bell), ONE_UTTERANCE);
    ear.closed();
  };
}

function count(type: RecognitionEventDraft['type']): number {
  return told.filter((event) => event.type === type).length;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}

/** Whether a promise is settled, after all that was already due. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await setImmediate();
  return settled;
}

it('waits for what was said last as long as all recognizers that are set up may take', async () => {
  // Each may open in 6 s and tell in 18, twice.
  expect(pool.utteranceLimitMs).toBe(2 * (2 * 6000 + 2 * 18_000 + 1000));
  const speakMutely = opened(1);
  speakMutely();
  await until(() => count('transcript.partial') > 0);
  const finishing = recognition.finish(false);
  clock.advance(pool.utteranceLimitMs - 1);
  expect(await isSettled(finishing)).toBe(false);
  expect(count('transcript.skipped')).toBe(0);
  clock.advance(1);
  await finishing;
  expect(count('transcript.skipped')).toBe(1);
  expect(clock.pending).toBe(0);
});

it('goes on waiting as long as utterances are told of', async () => {
  const speakMutely = opened(1);
  const speakLater = opened(2);
  speakMutely();
  await until(() => count('transcript.partial') > 0);
  const finishing = recognition.finish(false);
  clock.advance(pool.utteranceLimitMs - 1);
  speakLater();
  await until(() => count('transcript.final') === 1);
  clock.advance(pool.utteranceLimitMs - 1);
  expect(await isSettled(finishing)).toBe(false);
  clock.advance(1);
  await finishing;
  expect(count('transcript.skipped')).toBe(1);
});

it('waits for a second where it is heard again elsewhere, and skips nothing', async () => {
  const speakMutely = opened(1);
  speakMutely();
  await until(() => count('transcript.partial') > 0);
  const finishing = recognition.finish(true);
  clock.advance(999);
  expect(await isSettled(finishing)).toBe(false);
  clock.advance(1);
  await finishing;
  expect(count('transcript.skipped')).toBe(0);
});

it('counts each recognizer that is set up, and no fewer than phrases need', async () => {
  const none = poolOf(NO_ENGINES);
  const all = poolOf({
    ...TWO_VENDORS,
    azureSpeech: { key: 'key', region: 'westeurope', endpoint: undefined, entra: undefined },
    modelFolder: '/model',
  });
  expect(none.utteranceLimitMs).toBe(80_000);
  expect(all.utteranceLimitMs).toBe(2 * (4 * 24_000 + 1000));
  await Promise.all([none.close(), all.close()]);
});

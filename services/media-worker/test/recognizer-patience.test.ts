import { VirtualClock } from '@earshot/async';
import { CLOSE_MODE, PCM_RECORD, PcmRing } from '@earshot/media-session';
import type { Recognizer } from '@earshot/recognition';
import { createFailover } from '@earshot/recognition';
import { expect, it } from 'vitest';
import type { RecognizerReport } from '../src/recognition/recognition-messages.js';
import { RecognizerHost } from '../src/recognition/recognizer-host.js';
import { PLAIN_DICTATION } from './plain-dictation.js';

/** A recognizer whose finals take so long; for some that is for ever. */
function late(clock: VirtualClock, name: string, finalsMs: number): Recognizer {
  return {
    name,
    capabilities: { ...PLAIN_DICTATION, runs: 'remote' },
    open: async ({ onResult, language }) => ({
      backlogMs: 0,
      push: () => {},
      gap: () => {},
      endUtterance: () =>
        new Promise((resolve) => {
          clock.at(clock.nowMs() + finalsMs, () => {
            const what = { kind: 'final', engine: name, text: 'words', language } as const;
            onResult({ ...what, startMs: 0, endMs: 1000, words: [], confidence: null });
            resolve();
          });
        }),
      restart: () => {},
      close: async () => {},
    }),
    close: async () => {},
  };
}

/** How an utterance of 1 s ended that the recognizers were given one after the other. */
async function outcomeBy(finalsMs: readonly number[]): Promise<RecognizerReport[]> {
  const clock = new VirtualClock();
  const recognizers = finalsMs.map((ms, n) => late(clock, `engine-${n}`, ms));
  const recognizer = createFailover({ recognizers, clock });
  const finished: RecognizerReport[] = [];
  const host = new RecognizerHost({
    recognizers: { recognizerFor: () => recognizer, close: () => recognizer.close() },
    limits: { backlogMs: 4000, maxSessions: 8 },
    nowMs: () => clock.nowMs(),
    after: (ms, run) => clock.at(clock.nowMs() + ms, run),
    wake: () => {},
    post: (report) => {
      if (report.kind === 'finished') finished.push(report);
    },
    worksFor: () => {},
  });
  const shared = PcmRing.allocate(256);
  const task = {
    task: { kind: 'dictation', partials: false },
    language: 'en-US',
    engines: null,
    endpointMs: 500,
    maxUtteranceMs: 20_000,
  } as const;
  const anew = { resumes: [], known: [] };
  host.listen({ kind: 'listen', handle: 1, ring: shared, tasks: [task], eager: false, ...anew });
  const ring = new PcmRing(shared);
  for (let frame = 0; frame < 50; frame += 1) {
    ring.timeMs[0] = frame * 20;
    ring.sound(frame, new Int16Array(320).fill(500));
    if (frame === 3) ring.note(PCM_RECORD.speechStarted, 0, 0, frame);
  }
  ring.note(PCM_RECORD.closed, 1000, CLOSE_MODE.end, 50);
  for (let turns = 0; host.streams > 0; turns += 1) {
    if (turns === 10_000) throw new Error('the stream must end');
    host.turn();
    // What recognizers promised.
    for (let n = 0; n < 16; n += 1) await Promise.resolve();
    clock.advance(100);
  }
  await host.close();
  return finished;
}

it.each([
  ['the second after it', [Number.MAX_SAFE_INTEGER, 11_000]],
  ['the last of three', [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 11_000]],
] as const)('an utterance waits for %s when a recognizer takes too long', async (_, finalsMs) => {
  const finals = [{ text: 'words', engine: `engine-${finalsMs.length - 1}` }];
  expect(await outcomeBy(finalsMs)).toMatchObject([{ outcome: { kind: 'recognized', finals } }]);
});

it('an utterance for which all take too long is told as skipped', async () => {
  const never = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  const outcome = { kind: 'skipped', reason: 'engineFailed' };
  expect(await outcomeBy(never)).toMatchObject([{ outcome }]);
});

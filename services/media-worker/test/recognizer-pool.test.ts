import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { VirtualClock } from '@earshot/async';
import { PcmRing } from '@earshot/media-session';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_ENGINES } from '../dist/index.js';
import { RecognizerPool } from '../dist/recognition/recognizer-pool.js';
import { ToldUtterances } from '../dist/recognition/utterance-trail.js';
import type { StreamReport } from '../src/recognition/recognizer-thread-handle.js';
import { speak } from './spoken-ring.js';

const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };

const RECOGNIZERS = new URL('./loud-recognizers.mjs', import.meta.url);

const FRAMES = 560;

const HANG_MS = 1000;
/** More than the pause before any replacement. */
const RESTART_MS = 10_000;

/** Goes on only where a thread is lost: however slow a sound one is, it does not hang. */
const clock = new VirtualClock();
const folder = mkdtempSync(path.join(os.tmpdir(), 'earshot-recognizers-'));
let pool: RecognizerPool;

beforeAll(() => {
  pool = new RecognizerPool({
    threads: 1,
    module: RECOGNIZERS,
    engines: NO_ENGINES,
    limits: { backlogMs: 60_000, maxSessions: 8 },
    clock,
    log: SILENT_LOG,
    hangMs: HANG_MS,
    onProgress: () => {},
  });
});

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

/** What is heard, while threads that are lost meanwhile are replaced. */
async function replacing<T>(hearing: Promise<T>, isHanging = () => false): Promise<T> {
  let isOver = false;
  const heard = hearing.finally(() => {
    isOver = true;
  });
  let replaced = pool.restarts;
  while (!isOver) {
    if (pool.restarts > replaced) {
      replaced = pool.restarts;
      clock.advance(RESTART_MS);
    } else if (isHanging()) clock.advance(HANG_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return heard;
}

/** What is told of a stream that a recognizer hears, put into its ring all at once. */
async function heardBy(engines: readonly string[], frames = FRAMES): Promise<StreamReport[]> {
  const reports: StreamReport[] = [];
  await new Promise<void>((resolve) => {
    const stream = pool.listen({
      tasks: [
        {
          task: { kind: 'dictation', partials: true },
          language: 'en-US',
          engines,
          endpointMs: 500,
          maxUtteranceMs: 3000,
        },
      ],
      eager: false,
      firstSequence: 0,
      creditFrames: 256,
      told: new ToldUtterances([]),
      onReport: (report) => {
        reports.push(report);
        if (report.kind === 'closed') resolve();
      },
    });
    speak(new PcmRing(stream.pcm.ring, stream.pcm.bell), frames);
    stream.finish();
  });
  return reports;
}

/** How utterances ended, without the names of recognizers. */
function ends(reports: readonly StreamReport[]): unknown[] {
  return reports
    .filter((report) => report.kind === 'finished')
    .map(({ utterance, endMs, outcome }) => ({
      ...utterance,
      endMs,
      outcome: outcome.kind === 'recognized' ? outcome.finals.map(({ text }) => text) : outcome,
    }));
}

describe('a recognizer thread', () => {
  it.each(['dying', 'hanging'])('that is %s costs nothing: another hears it', async (what) => {
    const undisturbed = ends(await heardBy(['loud']));
    expect(undisturbed).toHaveLength(4);
    const { restarts, retried } = pool;
    // There from the moment on in which the first thread is lost.
    const mark = path.join(folder, what);
    const reports = await replacing(
      heardBy([`${what}-once`, mark]),
      () => pool.restarts === restarts && existsSync(mark),
    );
    expect(ends(reports)).toEqual(undisturbed);
    expect(pool.restarts).toBe(restarts + 1);
    expect(pool.retried).toBeGreaterThan(retried);
    const partials = reports.flatMap((report) =>
      report.kind === 'result' ? [`${report.utterance.piece} ${report.revision}`] : [],
    );
    expect(partials.length).toBeGreaterThan(0);
  });

  it('that dies of an utterance skips it, once, and nothing of another stream', async () => {
    const undisturbed = ends(await heardBy(['loud']));
    const both = Promise.all([heardBy(['dying'], 140), heardBy(['loud'])]);
    const [dying, other] = await replacing(both);
    expect(ends(other)).toEqual(undisturbed);
    expect(ends(dying)).toMatchObject([
      { startMs: 1000, endMs: 2200, outcome: { kind: 'skipped', reason: 'engineFailed' } },
    ]);
  });
});

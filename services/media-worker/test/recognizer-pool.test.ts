import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '@earshot/async/system';
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

const folder = mkdtempSync(path.join(os.tmpdir(), 'earshot-recognizers-'));
let pool: RecognizerPool;

beforeAll(() => {
  pool = new RecognizerPool({
    threads: 1,
    module: RECOGNIZERS,
    engines: NO_ENGINES,
    limits: { backlogMs: 60_000, maxSessions: 8 },
    clock: systemClock,
    log: SILENT_LOG,
    hangMs: 1000,
    onProgress: () => {},
  });
});

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

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
    const reports = await heardBy([`${what}-once`, path.join(folder, what)]);
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
    const [dying, other] = await Promise.all([heardBy(['dying'], 140), heardBy(['loud'])]);
    expect(ends(other)).toEqual(undisturbed);
    expect(ends(dying)).toMatchObject([
      { startMs: 1000, endMs: 2200, outcome: { kind: 'skipped', reason: 'engineFailed' } },
    ]);
  });
});

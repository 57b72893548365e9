import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '@earshot/async/system';
import { CLOSE_MODE, PCM_RECORD, PcmRing } from '@earshot/media-session';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_ENGINES } from '../dist/index.js';
import { RecognizerPool } from '../dist/recognition/recognizer-pool.js';
import { ToldUtterances } from '../dist/recognition/utterance-trail.js';
import type { StreamReport } from '../src/recognition/recognizer-thread-handle.js';

const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };

const RECOGNIZERS = new URL('./loud-recognizers.mjs', import.meta.url);

/** Frames from which somebody speaks, and then until when; the second is cut, as it is too long. */
const SPOKEN: readonly (readonly [number, number])[] = [
  [50, 110],
  [160, 400],
  [460, 490],
];
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

function speak(ring: PcmRing, frames: number): void {
  for (let frame = 0; frame < frames; frame += 1) {
    const spoken = SPOKEN.find(([from, to]) => frame >= from && frame < to + 20);
    if (frame - 3 === spoken?.[0]) ring.note(PCM_RECORD.speechStarted, spoken[0] * 20, 0, frame);
    if (frame === (spoken?.[1] ?? 0) + 15) {
      ring.note(PCM_RECORD.speechEnded, frame * 20 - 300, 0, frame);
    }
    const isSpoken = spoken !== undefined && frame < spoken[1];
    ring.timeMs[0] = frame * 20;
    if (isSpoken) ring.sound(frame + 1, new Int16Array(320).fill(1000));
    else ring.note(PCM_RECORD.silence, frame * 20, 20, frame + 1);
  }
  ring.note(PCM_RECORD.closed, frames * 20, CLOSE_MODE.end, frames);
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

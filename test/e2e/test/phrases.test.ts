import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EarshotProcess, REPOSITORY } from '../dist/main-job.js';

interface Said {
  readonly participant: string;
  readonly phrase: string;
  readonly startMs: number;
  readonly endMs: number;
}

interface SampleParticipant {
  readonly displayName: string;
  readonly phrases: readonly Omit<Said, 'participant'>[];
}

const MEETING: { readonly participants: readonly SampleParticipant[] } = JSON.parse(
  readFileSync(path.join(REPOSITORY, 'services', 'sandbox', 'meeting', 'meeting.json'), 'utf8'),
);
/** However far behind a slow machine is, nothing is left out for that. */
const PATIENT = { EARSHOT_RECOGNIZER_BACKLOG_MS: '120000' };
/** Who says which phrase, and the line in which it is said. */
const SPOKEN: readonly Said[] = MEETING.participants.flatMap(({ displayName, phrases }) =>
  phrases.map((phrase) => ({ ...phrase, participant: displayName })),
);
const TOLERANCE_MS = 200;

let dataFolder = '';

beforeEach(() => {
  dataFolder = mkdtempSync(path.join(os.tmpdir(), 'earshot-e2e-'));
});

afterEach(() => {
  rmSync(dataFolder, { recursive: true, force: true });
});

describe('the spoken phrases of the sample meeting', () => {
  it('are told with the right speaker, at least 8 of 10 and no others', async () => {
    const run = new EarshotProcess(['start', '--once', '--json'], {
      EARSHOT_DATA_DIR: dataFolder,
      ...PATIENT,
    });
    const { exitCode, stdout } = await run.finished;
    expect(exitCode).toBe(0);
    const summary: { phrases: Said[]; tones: { digit: string }[] } = JSON.parse(
      stdout.trim().split('\n').at(-1) ?? '',
    );

    expect(SPOKEN).toHaveLength(10);
    const strangers = summary.phrases.filter((told) => !SPOKEN.some((said) => isSame(told, said)));
    expect(strangers).toEqual([]);
    const found = SPOKEN.filter((said) => summary.phrases.some((told) => isSame(told, said)));
    expect(found.length).toBeGreaterThanOrEqual(8);
    expect(summary.phrases).toHaveLength(found.length);
    expect(summary.tones.map(({ digit }) => digit).join('')).toBe('147#9');
  });

  it('are told in lines to a pipe', async () => {
    const run = new EarshotProcess(['start', '--once'], {
      EARSHOT_DATA_DIR: dataFolder,
      ...PATIENT,
    });
    const { stdout } = await run.finished;
    expect(stdout).toMatch(/^\d:\d\d\.\d Phone caller said "call me back"$/m);
  });
});

function isSame(told: Said, said: Said): boolean {
  return (
    told.phrase === said.phrase &&
    told.participant === said.participant &&
    told.startMs >= said.startMs - TOLERANCE_MS &&
    told.endMs <= said.endMs + TOLERANCE_MS
  );
}

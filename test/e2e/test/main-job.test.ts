import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { EarshotEvent } from '@earshot/events';
import { parseEvent } from '@earshot/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EarshotProcess, REPOSITORY } from '../dist/main-job.js';

interface SampleParticipant {
  readonly key: string;
  readonly displayName: string;
  readonly digits?: readonly {
    readonly digit: string;
    readonly startMs: number;
    readonly durationMs: number;
  }[];
  readonly speech: readonly { readonly startMs: number; readonly endMs: number }[];
  readonly missing?: readonly { readonly firstFrame: number; readonly frames: number }[];
}

const MEETING_FOLDER = path.join(REPOSITORY, 'services', 'sandbox', 'meeting');
const MEETING: { readonly participants: readonly SampleParticipant[] } = JSON.parse(
  readFileSync(path.join(MEETING_FOLDER, 'meeting.json'), 'utf8'),
);
const LOST = MEETING.participants.flatMap((p) => p.missing ?? []);
const LOST_FRAMES = LOST.reduce((sum, { frames }) => sum + frames, 0);
const KEYED = MEETING.participants.flatMap((p) =>
  (p.digits ?? []).map((digit) => ({ ...digit, participant: p.displayName })),
);

let dataFolder = '';

beforeEach(() => {
  dataFolder = mkdtempSync(path.join(os.tmpdir(), 'earshot-e2e-'));
});

afterEach(() => {
  rmSync(dataFolder, { recursive: true, force: true });
});

function earshot(...args: string[]): EarshotProcess {
  return new EarshotProcess(args, { EARSHOT_DATA_DIR: dataFolder });
}

/** Processes that a run of this test left behind, by the data folder that they know of. */
function leftovers(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      // Redis writes its title over its environment; the title has the path of its socket.
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return `${environment} ${commandOf(pid)}`.includes(dataFolder);
    } catch {
      return false;
    }
  });
}

function commandOf(pid: string): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

describe('the main job on the sample meeting', () => {
  it('hears every digit, talkspurt and lost frame, and consumes all it publishes', async () => {
    const { exitCode, stdout, stderr } = await earshot('start', '--once', '--json').finished;
    expect(stderr).not.toContain('[');
    expect(exitCode).toBe(0);
    const lines = stdout.trim().split('\n');
    const summary = JSON.parse(lines.at(-1) ?? '');
    const events = lines.slice(0, -1).map((line) => parseEvent(JSON.parse(line)));

    expect(summary.callStates).toEqual(['establishing', 'established', 'terminated']);
    expect(summary.participants).toBe(MEETING.participants.length);
    expect(
      summary.tones.map(({ participant, digit }: { participant: string; digit: string }) => [
        participant,
        digit,
      ]),
    ).toEqual(KEYED.map(({ participant, digit }) => [participant, digit]));
    expect(KEYED.map(({ digit }) => digit)).toEqual(['1', '4', '7', '#', '9']);
    expectDurationsNear(summary.tones, KEYED);

    expect(summary.gaps).toBe(LOST.length);
    expect(lostFrames(events)).toBe(LOST_FRAMES);
    const totals = ofType(events, 'media.stopped')[0]?.data;
    expect(totals).toMatchObject({
      framesMissing: LOST_FRAMES,
      framesCorrupt: 0,
      framesDropped: 0,
    });
    expect(summary.framesReceived).toBe(totals?.framesReceived);

    for (const participant of MEETING.participants) expectSpeechNear(events, participant);

    expect(summary.eventsPublished).toBe(events.length);
    expect(summary.eventsConsumed).toBe(events.length);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expectContiguousPositions(events);
    expect(leftovers()).toEqual([]);
    expect(readdirSync(path.join(dataFolder, 'runs'))).toEqual([]);
  });

  it('runs twice side by side', async () => {
    const runs = await Promise.all([1, 2].map(() => earshot('start', '--once', '--json').finished));
    const summaries = runs.map(({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    for (const summary of summaries) {
      expect(summary.tones.map(({ digit }: { digit: string }) => digit).join('')).toBe('147#9');
    }
    // The media are the same, so what was counted must be the same.
    expect(summaries[0].framesReceived).toBe(summaries[1].framesReceived);
    expect(summaries[0].speechSegments).toBe(summaries[1].speechSegments);
  });

  it('ends cleanly on an interrupt in mid-meeting, and takes a second call before', async () => {
    const run = earshot('start', '--json');
    await run.line((line) => line.includes('"speech.started"'));
    const joinUrl = runInfo().joinUrl;
    const second = await earshot('start', '--join', joinUrl).finished;
    expect([second.stderr, second.exitCode]).toEqual(['', 0]);
    expect(second.stdout).toContain('established');
    const listed = await earshot('calls', 'list').finished;
    expect(listed.stdout.match(/established/g)).toHaveLength(2);
    run.child.kill('SIGINT');
    const { exitCode } = await run.finished;
    expect(exitCode).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  it.each(['redis-server', 'services/media-worker/dist', 'services/signaling/dist'])(
    'ends with one clear line when %s dies',
    async (part) => {
      const run = earshot('start', '--json');
      await run.line((line) => line.includes('"media.started"'));
      process.kill(Number(leftovers().find((pid) => commandOf(pid).includes(part))), 'SIGKILL');
      const { exitCode, stderr } = await run.finished;
      expect(exitCode).toBe(1);
      expect(stderr.split('\n').filter((line) => line.includes('[service_died]'))).toHaveLength(1);
      expect(leftovers()).toEqual([]);
    },
  );

  it('makes a meeting of given Ogg/Opus files', async () => {
    const ada = sampleFile(0);
    const grace = sampleFile(1);
    const run = earshot('start', '--once', '--json', '--audio', ada, '--audio', grace);
    const { exitCode, stdout } = await run.finished;
    expect(exitCode).toBe(0);
    const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({ participants: 2, gaps: 0 });
    expect(summary.speechSegments).toBeGreaterThan(2);
  });
});

describe('bad input', () => {
  it.each([
    ['text in an audio file', 'not audio at all', 'not_ogg_opus'],
    ['an Ogg file without Opus', `OggS${'\0'.repeat(60)}`, 'not_ogg_opus'],
  ])('refuses %s in one line', async (_name, content, code) => {
    const file = path.join(dataFolder, 'bad.opus');
    writeFileSync(file, content);
    await expectRefusal(earshot('start', '--once', '--audio', file), code);
  });

  it('refuses an audio file that is not there', async () => {
    await expectRefusal(
      earshot('start', '--audio', '/nonexistent/a.opus'),
      'audio_file_unreadable',
    );
  });

  it('says that nothing runs when there is nothing to join', async () => {
    await expectRefusal(
      earshot('start', '--join', 'https://teams.microsoft.com/l/x'),
      'nothing_running',
    );
  });

  it('says why Redis can not be reached', async () => {
    const run = new EarshotProcess(['start', '--once'], {
      EARSHOT_DATA_DIR: dataFolder,
      REDIS_URL: 'redis://127.0.0.1:1',
    });
    await expectRefusal(run, 'redis_unreachable');
  });
});

async function expectRefusal(run: EarshotProcess, code: string): Promise<void> {
  const { exitCode, stderr } = await run.finished;
  expect(stderr.split('\n').filter((line) => line.includes(`[${code}]`))).toHaveLength(1);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(exitCode).toBe(1);
  expect(leftovers()).toEqual([]);
}

function sampleFile(index: number): string {
  const files = readdirSync(MEETING_FOLDER).filter((name) => name.endsWith('.opus'));
  return path.join(MEETING_FOLDER, files[index] ?? '');
}

function runInfo(): { joinUrl: string } {
  const runs = path.join(dataFolder, 'runs');
  const name = readdirSync(runs)[0] ?? '';
  return JSON.parse(readFileSync(path.join(runs, name, 'run.json'), 'utf8'));
}

function ofType<T extends EarshotEvent['type']>(
  events: readonly EarshotEvent[],
  type: T,
): Extract<EarshotEvent, { type: T }>[] {
  return events.filter((event): event is Extract<EarshotEvent, { type: T }> => event.type === type);
}

function lostFrames(events: readonly EarshotEvent[]): number {
  return ofType(events, 'media.gap').reduce((sum, { data }) => sum + data.missingFrames, 0);
}

function expectDurationsNear(
  heard: readonly { durationMs: number }[],
  keyed: readonly { durationMs: number }[],
): void {
  heard.forEach(({ durationMs }, index) => {
    expect(Math.abs(durationMs - (keyed[index]?.durationMs ?? 0))).toBeLessThanOrEqual(25);
  });
}

/** Every stretch of speech is heard within 150 ms at its start, and none where nobody spoke. */
function expectSpeechNear(events: readonly EarshotEvent[], participant: SampleParticipant): void {
  const heard = ofType(events, 'speech.ended')
    .filter((event) => event.participant?.displayName === participant.displayName)
    .map(({ data }) => data);
  for (const { startMs, endMs } of participant.speech) {
    const covered = heard.filter((h) => h.startMs < endMs && h.endMs > startMs);
    expect(covered.length, `${participant.key} at ${startMs}`).toBeGreaterThan(0);
    expect(Math.abs((covered[0]?.startMs ?? 0) - startMs)).toBeLessThanOrEqual(150);
    expect(Math.abs((covered.at(-1)?.endMs ?? 0) - endMs)).toBeLessThanOrEqual(450);
  }
  for (const h of heard) {
    const real = participant.speech.some((s) => s.startMs < h.endMs && s.endMs > h.startMs);
    expect(real, `${participant.key}: speech heard at ${h.startMs}, where nobody spoke`).toBe(true);
  }
}

/** Per source the positions are 0, 1, 2, …, in the order of arrival. */
function expectContiguousPositions(events: readonly EarshotEvent[]): void {
  for (const source of ['signaling', 'media']) {
    const positions = events.filter((event) => event.source === source).map((e) => e.position);
    expect(positions).toEqual(positions.map((_, index) => index));
  }
}

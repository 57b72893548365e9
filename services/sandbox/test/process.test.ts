import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { writeTestMeeting } from './test-meeting.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

interface Message {
  readonly type: string;
  readonly [property: string]: unknown;
}

function start(environment: Readonly<Record<string, string>>): {
  message: Promise<Message>;
  exit: Promise<number | null>;
  stderr: () => string;
} {
  const forked = fork(MAIN, { env: { ...process.env, ...environment }, stdio: 'pipe' });
  child = forked;
  let stderr = '';
  forked.stderr?.on('data', (text) => {
    stderr += text;
  });
  return {
    message: new Promise((resolve) => forked.once('message', (m) => resolve(m as Message))),
    exit: new Promise((resolve) => forked.once('close', (code) => resolve(code))),
    stderr: () => stderr,
  };
}

describe('the sandbox as a process', () => {
  it('says over IPC how to use it, and ends cleanly', async () => {
    const meetingFolder = await mkdtemp(path.join(os.tmpdir(), 'earshot-process-test-'));
    await writeTestMeeting(meetingFolder);
    const { message, exit, stderr } = start({ EARSHOT_MEETING_DIR: meetingFolder });
    const ready = await message;
    expect(ready).toMatchObject({
      type: 'ready',
      url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      graphBaseUrl: `${ready['url']}/v1.0`,
      authorityUrl: ready['url'],
      callbackIssuer: 'https://api.botframework.com',
      meetings: [{ name: 'test', participants: ['Ada', 'Bob'] }],
    });
    expect(existsSync(String(ready['caFile']))).toBe(true);
    child?.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(stderr()).toBe('');
    // The folder that it made for itself is gone with it.
    expect(existsSync(String(ready['caFile']))).toBe(false);
    await rm(meetingFolder, { recursive: true });
  });

  it.each([
    ['a setting that is wrong', { EARSHOT_SPEED: 'fast' }, 'invalid_config'],
    ['a meeting that is not there', { EARSHOT_MEETING_DIR: '/nonexistent' }, 'meeting_unreadable'],
  ])('fails in one line with %s', async (_name, environment, code) => {
    const { message, exit, stderr } = start(environment);
    expect(await message).toMatchObject({ type: 'failed', code });
    expect(await exit).toBe(1);
    expect(stderr().trim().split('\n')).toHaveLength(1);
    expect(stderr()).toContain(code);
  });
});

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FIXTURE = path.join(import.meta.dirname, 'fixtures', 'stuck');

interface FixtureRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine may be so slow that a limit is over before the test has begun: then with a longer one. */
async function runFixture(limitMs = 4_000): Promise<FixtureRun> {
  const args = ['run', '--config', path.join(FIXTURE, 'vitest.config.ts')];
  const child = spawn(path.join(ROOT, 'node_modules/.bin/vitest'), args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, STUCK_LIMIT_MS: String(limitMs) },
    timeout: 110_000,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? -1));
  });
  const [status, stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ]);
  const hasBegun = /^pids /m.test(stdout);
  return hasBegun || limitMs > 20_000 ? { status, stdout, stderr } : runFixture(2 * limitMs);
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch {
    return false;
  }
}

describe('the reporter of tests that are stuck', () => {
  it('names the test of an endless loop, ends the run with 1 and leaves no process behind', async () => {
    const { status, stdout, stderr } = await runFixture();
    expect(status).toBe(1);
    expect(stderr).toContain('[tests_stuck]');
    expect(stderr).toMatch(/scripts\/test\/fixtures\/stuck\/stuck\.fixture\.ts > never ends/);
    const pids = /^pids (\d+) (\d+)$/m.exec(stdout)?.slice(1).map(Number) ?? [];
    expect(pids).toHaveLength(2);
    await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), 60_000);
  });
});

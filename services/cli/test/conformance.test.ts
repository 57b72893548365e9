import { describe, expect, it } from 'vitest';
import { runEarshot } from './run-earshot.js';

/** Runs `earshot conformance …` to its end. */
function run(...args: string[]): ReturnType<typeof runEarshot> {
  return runEarshot('conformance', ...args);
}

describe('earshot conformance', () => {
  it.each(['worker', 'host'])('%s --list prints each check with its section', async (peer) => {
    const { code, stdout } = await run(peer, '--list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^J-6\S* +§3 {2}/m);
    expect(stdout.trimEnd().split('\n').length).toBeGreaterThan(100);
  });

  it('worker says what it must be told', async () => {
    const { code, stderr } = await run('worker', '--url', 'ws://127.0.0.1:1/');
    expect(code).toBe(1);
    expect(stderr).toContain('[missing_option]');
  });

  it('worker wants both URL and id of a second worker', async () => {
    const key = Buffer.alloc(32).toString('base64url');
    const options = ['--url', 'ws://127.0.0.1:1/', '--token-key', key, '--worker-id', 'w'];
    const { code, stderr } = await run('worker', ...options, '--second-url', 'ws://127.0.0.1:2/');
    expect(code).toBe(1);
    expect(stderr).toContain('[missing_option]');
    expect(stderr).toContain('--second-worker-id');
  });

  it.each([
    ['worker', '--pending-limit', '0'],
    ['host', '--sessions', 'many'],
  ])('%s refuses %s %s', async (...args) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toContain('it must be a whole number from 1 to 1024');
  });

  it('says which rule it does not know', async () => {
    const key = Buffer.alloc(32).toString('base64url');
    const options = ['--url', 'ws://127.0.0.1:1/', '--token-key', key, '--worker-id', 'w'];
    const { code, stderr } = await run('worker', ...options, '--rule', 'Z-1');
    expect(code).toBe(1);
    expect(stderr).toContain('[unknown_rule]');
  });

  it('is no success where nothing answers, and tells it in JSON', async () => {
    const key = Buffer.alloc(32).toString('base64url');
    const options = ['--url', 'ws://127.0.0.1:1/', '--token-key', key, '--worker-id', 'w'];
    const { code, stdout } = await run('worker', ...options, '--rule', 'F-9', '--json');
    expect(code).toBe(1);
    const summary: unknown = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({
      pass: 0,
      fail: 0,
      blocked: 1,
      results: [{ id: 'F-9', section: '5', outcome: 'notApplicable', blockedBy: 'U-3' }],
    });
  });
});

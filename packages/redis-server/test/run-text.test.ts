import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { runText } from '../src/run-text.js';

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

describe('runText', () => {
  it.each([
    ['a program that is not there', '/nonexistent/program', -1],
    ['a program that ends', '/bin/true', 0],
  ])('leaves no timer behind: %s', async (_name, file, code) => {
    const before = timers();
    expect(await runText(file, [], { env: {}, timeoutMs: 120_000 })).toMatchObject({ code });
    expect(timers()).toBe(before);
  });

  it('kills a program that takes too long', async () => {
    const result = await runText('/bin/sleep', ['60'], { env: {}, timeoutMs: 20 });
    expect(result).toMatchObject({ code: -1, lastLine: 'SIGKILL' });
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { runText } from '../src/run-text.js';

const ENTRY = new URL('../dist/run-text.js', import.meta.url).href;

describe('runText', () => {
  it.each([
    ['a program that is not there', '/nonexistent/program', -1],
    ['a program that ends', '/bin/true', 0],
  ])('leaves nothing that keeps a process alive: %s', async (_name, file, code) => {
    // Longer than a test may take: a timer that was left would be seen.
    const script = `
      import { runText } from ${JSON.stringify(ENTRY)};
      const options = { env: {}, timeoutMs: 2_000_000_000 };
      const result = await runText(${JSON.stringify(file)}, [], options);
      process.exitCode = result.code === ${code} ? 0 : 1;`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'inherit',
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('kills a program that takes too long', async () => {
    const result = await runText('/bin/sleep', ['60'], { env: {}, timeoutMs: 20 });
    expect(result).toMatchObject({ code: -1, lastLine: 'SIGKILL' });
  });
});

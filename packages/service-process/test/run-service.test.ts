import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const FIXTURE = path.join(import.meta.dirname, 'fixtures', 'service.mjs');

class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; stderr: string }>;
  readonly #messages: unknown[] = [];
  #wake = (): void => {};

  constructor(mode: string) {
    this.process = fork(FIXTURE, { env: { ...process.env, MODE: mode }, silent: true });
    let stderr = '';
    this.process.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    this.process.on('message', (message) => {
      this.#messages.push(message);
      this.#wake();
    });
    const exit = new Promise<number | null>((resolve) => this.process.once('exit', resolve));
    const allSaid = new Promise((resolve) => this.process.stderr?.once('end', resolve));
    // Not the event `close`, which a parent that disconnected does not get.
    this.ended = Promise.all([exit, allSaid]).then(([code]) => ({ code, stderr }));
  }

  async message(): Promise<unknown> {
    while (this.#messages.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#messages.shift();
  }
}

describe('runService', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'is ready, answers, and ends with 0 on %s',
    async (signal) => {
      const child = new Child('good');
      expect(await child.message()).toEqual({ type: 'ready', url: 'here' });
      child.process.send('hello');
      expect(await child.message()).toEqual({ type: 'answer', message: 'hello' });
      child.process.send('fail');
      expect(await child.message()).toEqual({
        type: 'failed',
        code: 'no_answer',
        message: 'Cannot answer',
      });
      child.process.kill(signal);
      expect(await child.ended).toEqual({ code: 0, stderr: '' });
    },
  );

  it('ends with 0 when its parent is gone, also during the start', async () => {
    const child = new Child('good');
    child.process.disconnect();
    expect(await child.ended).toEqual({ code: 0, stderr: '' });
  });

  it('tells a failed start in one line and to its parent', async () => {
    const child = new Child('refuse');
    expect(await child.message()).toEqual({
      type: 'failed',
      code: 'no_luck',
      message: 'Cannot start Try again.',
    });
    expect(await child.ended).toEqual({
      code: 1,
      stderr: 'small: Cannot start Try again. [no_luck]\n',
    });
  });

  it.each([
    ['stuck', ''],
    ['broken', 'small: cannot close\n'],
  ])('ends with 1 when closing is %s', async (mode, stderr) => {
    const child = new Child(mode);
    await child.message();
    child.process.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 1, stderr });
  });
});

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** What a service says over IPC, once it runs. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** One of our services as a process of its own, to be killed. */
export class ServiceChild {
  readonly ready: Told;
  /** Exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #output: string[];

  private constructor(child: ChildProcess, ready: Told, output: string[]) {
    this.#child = child;
    this.ready = ready;
    this.#output = output;
    this.exited = once(child, 'exit').then(([code]) => code);
  }

  /** @throws Error with what it wrote when it does not get ready. */
  static start(name: string, environment: Readonly<Record<string, string>>): Promise<ServiceChild> {
    return ServiceChild.run(
      path.join(REPOSITORY, 'services', name, 'dist', 'main.js'),
      environment,
    );
  }

  /** Any program that says when it is ready. @throws as `start`. */
  static async run(
    file: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<ServiceChild> {
    const { PATH = '', HOME = '' } = process.env;
    const child = fork(file, {
      env: { PATH, HOME, EARSHOT_LOG_LEVEL: 'warn', EARSHOT_LISTEN: '127.0.0.1:0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    }
    const ready = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    const message: unknown = ready[0];
    if (!isTold(message) || message.type !== 'ready') {
      child.kill('SIGKILL');
      throw new Error(`${file} did not get ready: ${JSON.stringify(message)} ${output.join('')}`);
    }
    return new ServiceChild(child, message, output);
  }

  /** Everything it wrote so far. */
  get output(): string {
    return this.#output.join('');
  }

  /** A member of what it said when it was ready. */
  text(name: string): string {
    const value = this.ready[name];
    if (typeof value !== 'string') throw new Error(`ready must have ${name}`);
    return value;
  }

  /** Memory that it has now, and the most that it ever had. */
  async memory(): Promise<{ residentBytes: number; peakBytes: number }> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
    return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
  }

  /** Sends an IPC message and resolves with the answer. */
  async request(message: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(message);
    return (await answer)[0];
  }

  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** SIGKILL, whatever state it is in; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await this.exited;
    }
  }
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && 'type' in value;
}

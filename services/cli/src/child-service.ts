import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { CodedError } from '@earshot/async';
import { z } from 'zod';

const READY_TIMEOUT_MS = 30_000;
/** A service closes within 5 s by its own promise; then it is ended. */
const STOP_TIMEOUT_MS = 8_000;

const messageSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('ready') }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
  z.looseObject({ type: z.literal('hostConnected') }),
]);

export interface ChildServiceOptions<Ready> {
  readonly name: string;
  /** Absolute path of the compiled entry. */
  readonly entry: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly ready: z.ZodType<Ready>;
  /** Called when the service ends without having been asked to. */
  onUnexpectedExit(name: string, status: string): void;
}

/** A service of ours as a child process that says over IPC when it is ready. */
export class ChildService<Ready> {
  readonly name: string;
  readonly ready: Ready;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stopping: Promise<void> | undefined;

  private constructor(name: string, ready: Ready, child: ChildProcess, exited: Promise<void>) {
    this.name = name;
    this.ready = ready;
    this.#child = child;
    this.#exited = exited;
  }

  /** @throws CodedError with the service's own code when it can't start. */
  static async start<Ready>(options: ChildServiceOptions<Ready>): Promise<ChildService<Ready>> {
    const child = spawnService(options);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    try {
      const message = await firstMessage(child, options);
      const service = new ChildService(options.name, options.ready.parse(message), child, exited);
      child.once('exit', (code, signal) => {
        if (service.#stopping === undefined) {
          options.onUnexpectedExit(options.name, `${signal ?? code}`);
        }
      });
      return service;
    } catch (error) {
      child.kill('SIGKILL');
      await exited;
      throw error;
    }
  }

  /** Sends an IPC message; resolves with the service's next message of type `reply`. */
  request(message: Readonly<Record<string, unknown>>, reply: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(notReady(this.name, `no ${reply} within ${READY_TIMEOUT_MS} ms`)),
        READY_TIMEOUT_MS,
      );
      const settle = (answer: unknown): void => {
        const parsed = messageSchema.safeParse(answer);
        if (!parsed.success) return;
        const { data } = parsed;
        if (data.type !== reply && data.type !== 'failed') return;
        clearTimeout(timer);
        this.#child.off('message', settle);
        if (data.type === 'failed') reject(new CodedError(data.code, data.message));
        else resolve();
      };
      this.#child.on('message', settle);
      this.#child.send(message);
    });
  }

  /** SIGTERM, a deadline, then SIGKILL. Idempotent; resolves when the process is gone. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

function spawnService<Ready>(options: ChildServiceOptions<Ready>): ChildProcess {
  const log = openSync(options.logFile, 'a');
  try {
    return spawn(process.execPath, ['--enable-source-maps', options.entry], {
      env: { ...process.env, ...options.environment },
      // A group of its own: Ctrl-C reaches this command only, which then stops services in order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

function firstMessage<Ready>(
  child: ChildProcess,
  options: ChildServiceOptions<Ready>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(notReady(options.name, `not ready within ${READY_TIMEOUT_MS} ms`)),
      READY_TIMEOUT_MS,
    );
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(notReady(options.name, `exited with ${signal ?? code}${lastLine(options.logFile)}`));
    });
    child.once('message', (message) => {
      clearTimeout(timer);
      const parsed = messageSchema.safeParse(message);
      if (parsed.success && parsed.data.type === 'failed') {
        reject(new CodedError(parsed.data.code, parsed.data.message));
      } else resolve(message);
    });
  });
}

function notReady(name: string, actual: string): CodedError {
  return new CodedError(
    'service_not_ready',
    `Cannot start ${name}: it must report ready, ${actual}`,
  );
}

function lastLine(logFile: string): string {
  const line = readFileSync(logFile, 'utf8').trim().split('\n').at(-1);
  return line ? `; its last line: ${line.slice(0, 300)}` : '';
}

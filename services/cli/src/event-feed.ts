import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EarshotEvent } from '@earshot/events';
import { parseEvent } from '@earshot/events';

/** A consumer ends the batch it is at, then it is ended. */
const STOP_TIMEOUT_MS = 12_000;

export interface EventFeedOptions {
  readonly redisUrl: string;
  readonly logFile: string;
  onEvent(event: EarshotEvent): void;
  onUnexpectedExit(name: string, status: string): void;
}

/** A consumer in a process of its own, `earshot events tail`, as anyone could run one. */
export class EventFeed {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stopping = false;

  constructor(options: EventFeedOptions) {
    const log = openSync(options.logFile, 'a');
    const main = fileURLToPath(new URL('./main.js', import.meta.url));
    const child = spawn(
      process.execPath,
      [
        main,
        'events',
        'tail',
        '--redis',
        options.redisUrl,
        '--subscription',
        'default',
        '--parent',
      ],
      { detached: true, stdio: ['ignore', 'pipe', log, 'ipc'] },
    );
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()));
    child.once('exit', (code, signal) => {
      if (!this.#stopping) options.onUnexpectedExit('events tail', `${signal ?? code}`);
    });
    if (child.stdout === null) throw new Error('the consumer was spawned without a pipe');
    createInterface({ input: child.stdout }).on('line', (line) => {
      options.onEvent(parseEvent(JSON.parse(line)));
    });
  }

  /** Ends the consumer; resolves when its last line has been read. */
  async close(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
    }
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

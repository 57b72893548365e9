import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BRIDGE_KEY } from './test-bench.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const KEY = Buffer.from(BRIDGE_KEY).toString('base64url');

export interface Message {
  readonly type: string;
  readonly url?: string;
  readonly workerId?: string;
  readonly code?: string;
  readonly message?: string;
}

/** The worker as a process of its own, with what it writes. */
export class WorkerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr = '';

  constructor(redisUrl: string, environment: Record<string, string> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    this.child = fork(MAIN, {
      env: {
        PATH,
        HOME,
        REDIS_URL: redisUrl,
        EARSHOT_BRIDGE_KEY: KEY,
        EARSHOT_LOG_LEVEL: 'error',
        EARSHOT_DECODE_THREADS: '1',
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const written = this.child.stderr === null ? undefined : once(this.child.stderr, 'end');
    this.exited = once(this.child, 'exit').then(async ([code]) => {
      await written;
      return code;
    });
  }

  async told(): Promise<Message> {
    const [message] = await once(this.child, 'message');
    return message;
  }
}

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './ask.js';
import { processIdentity } from './process-identity.js';
import type { RedisServer } from './start-redis.js';

const POLL_MS = 250;
const CLOSE_POLL_MS = 10;
const STOP_LIMIT_MS = 5_000;

/** The server that already answers on `socketPath`, left by a process that was killed. */
export async function takeOver(socketPath: string): Promise<RedisServer | undefined> {
  if ((await ask(socketPath, 'PING')) !== '+PONG') return undefined;
  const info = (await ask(socketPath, 'INFO server')) ?? '';
  const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;

  const stopWithParent = () => signal(pid, 'SIGTERM');
  process.once('exit', stopWithParent);
  let markExited = () => {};
  const exited = new Promise<void>((resolve) => {
    markExited = resolve;
  });
  // Not a child of ours: nobody tells when it ends, so look.
  const watch = setInterval(() => {
    if (processIdentity(pid) === '') ended();
  }, POLL_MS).unref();
  function ended(): void {
    clearInterval(watch);
    process.removeListener('exit', stopWithParent);
    markExited();
  }
  async function stop(): Promise<void> {
    await ask(socketPath, 'SHUTDOWN NOSAVE');
    for (let waitedMs = 0; processIdentity(pid) !== ''; waitedMs += CLOSE_POLL_MS) {
      // It may refuse to shut down, as while it cannot write its append-only file.
      if (waitedMs === STOP_LIMIT_MS) signal(pid, 'SIGKILL');
      await sleep(CLOSE_POLL_MS);
    }
    ended();
  }
  let closing: Promise<void> | undefined;
  return {
    url: socketPath,
    source: 'running',
    pid,
    exited,
    close: () => (closing ??= stop()),
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './ask.js';
import { processIdentity } from './process-identity.js';
import type { RedisServer } from './start-redis.js';

const POLL_MS = 250;
const CLOSE_POLL_MS = 10;

/** The server that already answers on `socketPath`, left by a process that was killed. */
export async function takeOver(socketPath: string): Promise<RedisServer | undefined> {
  if ((await ask(socketPath, 'PING')) !== '+PONG') return undefined;
  const info = (await ask(socketPath, 'INFO server')) ?? '';
  const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;

  const stopWithParent = () => terminate(pid);
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
    while (processIdentity(pid) !== '') await sleep(CLOSE_POLL_MS);
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

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended already.
  }
}

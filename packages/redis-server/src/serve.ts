import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@earshot/async';
import { ask } from './ask.js';
import type { Program } from './program.js';
import type { RedisServer } from './start-redis.js';

/** Loading a large log of commands takes long; a server that says nothing at all does not. */
const READY_WITHIN_MS = 60_000;
const POLL_MS = 10;
const CLOSE_WITHIN_MS = 5_000;

export interface ServeOptions {
  readonly program: Program;
  readonly dataDir: string;
  readonly socketPath: string;
  readonly persistent: boolean;
}

/** Runs the program as a child that ends with this process, and waits until it answers. */
export async function serve(options: ServeOptions): Promise<RedisServer> {
  const logFile = path.join(options.dataDir, 'redis.log');
  const { child, exited, failed } = await spawnServer(options, logFile);
  const stopWithParent = () => child.kill('SIGTERM');
  process.once('exit', stopWithParent);
  void exited.then(() => process.removeListener('exit', stopWithParent));
  try {
    await Promise.race([untilReady(options.socketPath), failed]);
  } catch (cause) {
    await stop(child, exited);
    throw new CodedError(
      'redis_not_startable',
      `Cannot start Redis: ${options.program.file} must answer on its socket, got ${await lastWords(logFile, cause)}`,
      { cause, fix: `Look into ${logFile}; or set REDIS_URL to a running Redis.` },
    );
  }
  let closing: Promise<void> | undefined;
  return {
    url: options.socketPath,
    source: options.program.source,
    pid: child.pid ?? 0,
    exited,
    close: () => (closing ??= stop(child, exited)),
  };
}

interface Spawned {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  /** Never resolves; rejects with how the program ended. */
  readonly failed: Promise<never>;
}

async function spawnServer(options: ServeOptions, logFile: string): Promise<Spawned> {
  const log = await open(logFile, 'w', 0o600);
  try {
    const child = spawn(options.program.file, serverArguments(options), {
      argv0: 'redis-server',
      cwd: options.dataDir,
      env: options.program.env,
      // Its own process group: Ctrl-C is for the parent, which closes what needs Redis first.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    const ended = new Promise<Error>((resolve) => {
      child.once('error', resolve);
      child.once('exit', (code, signal) => {
        resolve(new Error(`it ended with ${signal ?? `code ${code}`}`));
      });
    });
    const failed = ended.then((error) => Promise.reject(error));
    failed.catch(() => {});
    return { child, exited: ended.then(() => {}), failed };
  } finally {
    await log.close();
  }
}

function serverArguments({ dataDir, socketPath, persistent }: ServeOptions): string[] {
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: dataDir,
    save: '',
    appendonly: persistent ? 'yes' : 'no',
    // With `everysec` Redis may answer before it has written, and forget what it said yes to when killed.
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    loglevel: 'notice',
    logfile: '',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

async function untilReady(socketPath: string): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while ((await ask(socketPath, 'PING')) !== '+PONG') {
    if (performance.now() > deadlineMs) throw new Error('no answer in time');
    await sleep(POLL_MS);
  }
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), CLOSE_WITHIN_MS);
  await exited;
  clearTimeout(killer);
}

async function lastWords(logFile: string, cause: unknown): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const line = log.trimEnd().split('\n').at(-1) ?? '';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return line === '' ? reason : `${reason}: ${line}`;
}

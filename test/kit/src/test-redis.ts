import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { RedisServer } from '@earshot/redis-server';
import { startRedis } from '@earshot/redis-server';
import { Redis } from 'ioredis';

export interface TestRedisOptions {
  /**
   * Keeps data over `kill` and `restart`; with `always` what it has answered is on disk, and not
   * only within a second. @defaultValue false: memory only
   */
  readonly persistent?: boolean | 'always';
}

/** A private Redis of one test file. */
export interface TestRedis {
  /** Absolute path of its unix socket; the same after `restart`. */
  readonly url: string;
  /** Sends one command, for what only Redis itself can do. */
  ask(command: string, ...args: readonly string[]): Promise<unknown>;
  /** Ends it at once (SIGKILL), as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same socket, after `kill`. */
  restart(): Promise<void>;
  /** Stops it and removes its files; idempotent. */
  close(): Promise<void>;
}

/** Starts a Redis of its own on a private socket with a short path; call `close` at the end. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const { persistent = false } = options;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'es-'));
  const start = async (): Promise<RedisServer> => {
    const server = await startRedis({ dataDir: folder, persistent: persistent !== false });
    if (persistent === 'always') await syncAlways(server.url);
    return server;
  };
  let server = await start();
  return {
    url: server.url,
    async ask(command, ...args) {
      const client = new Redis(server.url);
      try {
        return await client.call(command, ...args);
      } finally {
        client.disconnect();
      }
    },
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.close();
    },
    async restart() {
      server = await start();
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function syncAlways(url: string): Promise<void> {
  const client = new Redis(url);
  try {
    await client.config('SET', 'appendfsync', 'always');
  } finally {
    client.disconnect();
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processIdentity } from '../src/process-identity.js';
import type { RedisOptions, RedisServer } from '../src/start-redis.js';
import { startRedis } from '../src/start-redis.js';
import { program, temporaryFolder } from './support.js';

async function start(options: RedisOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.close());
  return server;
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** Another process that starts a server in `dataDir`, says its pid, and lives on. */
async function startElsewhere(dataDir: string, then: string) {
  const entry = new URL('../dist/index.js', import.meta.url).href;
  const script = `
    import { startRedis } from ${JSON.stringify(entry)};
    const server = await startRedis({ dataDir: ${JSON.stringify(dataDir)}, persistent: true });
    console.log(server.pid);
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, serverPid: Number(line) };
}

const LIVE_ON = 'setInterval(() => {}, 1_000_000);';

function isAlive(pid: number): boolean {
  return processIdentity(pid) !== '';
}

describe('startRedis', () => {
  it('answers on a private unix socket, and on nothing else', async () => {
    const server = await start({ dataDir: temporaryFolder() });
    expect(path.isAbsolute(server.url)).toBe(true);
    const settings = await ask(server.url, (redis) =>
      redis.config('GET', 'port', 'unixsocketperm', 'maxmemory-policy', 'appendonly', 'save'),
    );
    expect(settings).toEqual(
      expect.arrayContaining(['port', '0', '700', 'noeviction', 'appendonly', 'no', 'save', '']),
    );
  });

  it('keeps data when asked to, and only then', async () => {
    for (const persistent of [true, false]) {
      const dataDir = temporaryFolder();
      const first = await startRedis({ dataDir, persistent });
      await ask(first.url, (redis) => redis.set('key', 'value'));
      await first.close();
      const second = await start({ dataDir, persistent });
      expect(await ask(second.url, (redis) => redis.get('key'))).toBe(persistent ? 'value' : null);
    }
  });

  it('ends the server on close, which may be called again', async () => {
    const server = await start({ dataDir: temporaryFolder() });
    await Promise.all([server.close(), server.close()]);
    await server.close();
    await server.exited;
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(server.url)).toBe(false);
  });

  it('tells when the server ends by itself', async () => {
    const server = await start({ dataDir: temporaryFolder() });
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    await server.close();
  });

  it('finds a short path for the socket of a folder with a long one', async () => {
    const dataDir = path.join(temporaryFolder(), 'x'.repeat(120), 'data');
    const server = await start({ dataDir });
    expect(Buffer.byteLength(server.url)).toBeLessThan(108);
    expect(await ask(server.url, (redis) => redis.ping())).toBe('PONG');
    await server.close();
    expect(existsSync(path.dirname(server.url))).toBe(false);
  });

  it('ends the server when the process that started it ends', async () => {
    const { child, serverPid } = await startElsewhere(temporaryFolder(), 'process.exit(3);');
    const [code] = await once(child, 'exit');
    expect(code).toBe(3);
    await expect.poll(() => isAlive(serverPid), { timeout: 20_000 }).toBe(false);
  });

  it('takes over a server whose process was killed, with its data', async () => {
    const dataDir = temporaryFolder();
    const { child, serverPid } = await startElsewhere(dataDir, LIVE_ON);
    await ask(path.join(dataDir, 'redis.sock'), (redis) => redis.set('key', 'kept'));
    child.kill('SIGKILL');
    await once(child, 'exit');

    const server = await start({ dataDir, persistent: true });
    expect([server.source, server.pid]).toEqual(['running', serverPid]);
    expect(await ask(server.url, (redis) => redis.get('key'))).toBe('kept');
    await server.close();
    await server.exited;
    expect(isAlive(serverPid)).toBe(false);
  });

  it('leaves alone the server of a process that lives', async () => {
    const dataDir = temporaryFolder();
    const { child, serverPid } = await startElsewhere(dataDir, LIVE_ON);
    await expect(startRedis({ dataDir })).rejects.toMatchObject({ code: 'data_dir_in_use' });
    expect(isAlive(serverPid)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await start({ dataDir });
  });

  it('refuses a second server in the same folder, also of the same process', async () => {
    const dataDir = temporaryFolder();
    const settled = await Promise.allSettled([start({ dataDir }), start({ dataDir })]);
    // Either may be the first to have made the folder.
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(settled.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'data_dir_in_use' },
    });
  });

  it('ignores the claim of a process that is gone, whose id another has now', async () => {
    const dataDir = temporaryFolder();
    await writeFile(path.join(dataDir, 'owner'), `${process.ppid} 1`);
    await start({ dataDir });
    expect(await readFile(path.join(dataDir, 'owner'), 'utf8')).toMatch(`${process.pid} `);
  });

  it('says why a program ended instead of answering', async () => {
    const bin = temporaryFolder();
    await program(bin, 'redis-server', [
      'if [ "$1" = --version ]; then echo "Redis server v=7.0.15 sha=0"; exit 0; fi',
      'echo "Fatal: no memory"; exit 1',
    ]);
    const dataDir = temporaryFolder();
    const starting = startRedis({ dataDir, env: { PATH: bin } });
    await expect(starting).rejects.toMatchObject({
      code: 'redis_not_startable',
      message: expect.stringContaining('it ended with code 1: Fatal: no memory'),
    });
    await start({ dataDir });
  });
});

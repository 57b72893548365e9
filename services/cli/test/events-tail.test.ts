import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@earshot/async/system';
import { EventPublisher, Subscriptions } from '@earshot/events';
import type { RedisServer } from '@earshot/redis-server';
import { startRedis } from '@earshot/redis-server';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { event } from './fixtures.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const WAIT = { timeout: 50_000, interval: 20 };

describe('earshot events tail', () => {
  let folder: string;
  let redis: RedisServer;
  let subscriptions: Subscriptions;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'earshot-tail-'));
    redis = await startRedis({ dataDir: folder });
    subscriptions = new Subscriptions({ redisUrl: redis.url });
    await subscriptions.ready();
  });

  afterEach(() => child?.kill('SIGKILL'));

  afterAll(async () => {
    await subscriptions.close();
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  function tail(redisUrl: string): { exited: Promise<unknown[]>; stderr: () => string } {
    child = spawn(process.execPath, [MAIN, 'events', 'tail', '--redis', redisUrl], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr += text;
    });
    return { exited: once(child, 'exit'), stderr: () => stderr };
  }

  async function names(): Promise<string[]> {
    return (await subscriptions.list()).map(({ name }) => name);
  }

  it('leaves no subscription behind when its terminal goes', async () => {
    const { exited } = tail(redis.url);
    await vi.waitUntil(async () => (await names()).length === 2, WAIT);
    child?.kill('SIGHUP');
    expect(await exited).toEqual([0, null]);
    expect(await names()).toEqual(['default']);
  });

  it('leaves one that ends by itself when it is killed', async () => {
    const { exited } = tail(redis.url);
    await vi.waitUntil(async () => (await names()).length === 2, WAIT);
    child?.kill('SIGKILL');
    expect(await exited).toEqual([null, 'SIGKILL']);
    const [, left] = await subscriptions.list();
    expect(left).toMatchObject({ name: expect.stringMatching(/^tail-/), isEphemeral: true });
    await subscriptions.remove(left?.name ?? '');
  });

  it('ends quietly, and with its subscription, when nobody reads any more', async () => {
    const { exited, stderr } = tail(redis.url);
    await vi.waitUntil(async () => (await names()).length === 2, WAIT);
    child?.stdout?.destroy();
    const publisher = new EventPublisher({ redisUrl: redis.url, clock: systemClock });
    await publisher.ready();
    publisher.publish(event('speech.started', { startMs: 0 }));
    expect(await exited).toEqual([0, null]);
    expect(stderr()).toBe('');
    expect(await names()).toEqual(['default']);
    await publisher.close();
  });

  it('ends when its parent goes, which read it, with events still on their way', async () => {
    const args = [MAIN, 'events', 'tail', '--redis', redis.url, '--parent'];
    child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] });
    const exited = once(child, 'exit');
    await vi.waitUntil(async () => (await names()).length === 2, WAIT);
    const publisher = new EventPublisher({ redisUrl: redis.url, clock: systemClock });
    await publisher.ready();
    // More than a pipe holds, so that it is on its way when the parent goes.
    const participant = { id: 'p', displayName: 'x'.repeat(2_000_000) };
    publisher.publish({ ...event('speech.started', { startMs: 0 }), participant });
    await once(child.stdout!, 'readable');
    child.disconnect();
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.stdout?.destroy();
    expect(await exited).toEqual([0, null]);
    expect(await names()).toEqual(['default']);
    await publisher.close();
  });

  it('ends with a code when Redis is not there', async () => {
    const { exited, stderr } = tail('/nowhere/redis.sock');
    expect(await exited).toEqual([1, null]);
    expect(stderr()).toContain('[redis_unreachable]');
  });
});

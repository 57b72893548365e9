import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { EventConsumer, EventPublisher, Subscriptions } from '@earshot/events';
import type { RedisServer } from '@earshot/redis-server';
import { startRedis } from '@earshot/redis-server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { event } from './fixtures.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const WAIT = { timeout: 50_000, interval: 20 };

describe('earshot events dead', () => {
  let folder: string;
  let redis: RedisServer;
  let subscriptions: Subscriptions;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'earshot-dead-'));
    redis = await startRedis({ dataDir: folder });
    subscriptions = new Subscriptions({ redisUrl: redis.url });
    await subscriptions.ready();
    await setAside(['one', 'two', 'three']);
  });

  afterAll(async () => {
    await subscriptions.close();
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** One event per name, set aside in this order; the last one is of another call and type. */
  function setAside(ids: readonly string[]): Promise<void> {
    return setAsideAll(
      ids.map((id, index) => {
        const isLast = index === ids.length - 1;
        const more = { id, position: index, callId: isLast ? 'c_2' : 'c_1' };
        return isLast
          ? event('media.recovered', { deafMs: 1 }, more)
          : event('speech.started', { startMs: 0 }, more);
      }),
    );
  }

  async function setAsideAll(events: readonly EarshotEvent[]): Promise<void> {
    const options = { redisUrl: redis.url, clock: systemClock };
    const failing = new EventConsumer({
      ...options,
      handler: ({ id }) => Promise.reject(new Error(`no\n\u001b[31m${id}`)),
    });
    await failing.start();
    const publisher = new EventPublisher(options);
    await publisher.ready();
    for (const [index, one] of events.entries()) {
      publisher.publish(one);
      await vi.waitUntil(() => failing.stats.failed === index + 1, WAIT);
    }
    await publisher.close();
    await failing.close();
  }

  const dead = (...args: string[]) => eventsCommand('dead', ...args);

  async function eventsCommand(...args: string[]) {
    const child = spawn(process.execPath, [MAIN, 'events', ...args, '--redis', redis.url]);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { stdout, stderr, code };
  }

  it('lists them, page by page, as a table or as JSON', async () => {
    const { stdout, code } = await dead('list', '--limit', '2');
    expect(code).toBe(0);
    const [headings, first, second, more] = stdout.split('\n');
    expect(headings).toMatch(/^ID +FAILED AT +TYPE +CALL +POSITION +ERROR$/);
    expect(first).toMatch(/^\d+-\d+ +\d{4}-\S+Z +media\.recovered +c_2 +2 +no \[31mthree$/);
    expect(second).toMatch(/speech\.started +c_1 +1 +no \[31mtwo$/);
    const [, id] = more?.match(/^more: --before (\d+-\d+)$/) ?? [];
    const next = JSON.parse((await dead('list', '--before', id ?? '', '--json')).stdout);
    expect(next).toMatchObject({ letters: [{ event: { id: 'one' } }], next: null });
    const ofCall = JSON.parse((await dead('list', '--call', 'c_1', '--json')).stdout);
    expect(ofCall.letters.length).toBe(2);
    const ofType = JSON.parse((await dead('list', '--type', 'media.recovered', '--json')).stdout);
    expect(ofType.letters.length).toBe(1);
    expect((await dead('list', '--subscription', 'other')).stdout).toBe('no dead letters\n');
  });

  it('has subscriptions listed, begun and ended', async () => {
    expect((await eventsCommand('subscriptions', 'add', 'later')).code).toBe(0);
    const listed = await eventsCommand('subscriptions', 'list');
    expect(listed.stdout).toBe('default 0 3 lasting\nlater 0 0 lasting\n');
    expect((await eventsCommand('subscriptions', 'remove', 'later')).code).toBe(0);
    expect((await eventsCommand('subscriptions', 'list')).stdout).toBe('default 0 3 lasting\n');
    const refused = await eventsCommand('subscriptions', 'add', 'a b');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('[invalid_subscription]');
  });

  it('shows one', async () => {
    const [letter] = (await subscriptions.deadLetters('default', { limit: 1 })).letters;
    const { stdout } = await dead('show', letter?.id ?? '');
    expect(JSON.parse(stdout)).toEqual(letter);
    const missing = await dead('show', '1-1');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('[dead_letter_not_found]');
    expect((await dead('show', 'x')).stderr).toContain('[invalid_dead_letter_id]');
  });

  it('replays and drops what is selected, and only that, however often', async () => {
    for (const command of ['replay', 'drop']) {
      const { stderr, code } = await dead(command);
      expect(code).toBe(1);
      expect(stderr).toContain('[nothing_selected]');
    }
    const ofCall = ['--call', 'c_1'];
    expect((await dead('replay', ...ofCall)).stdout).toBe('replayed 2 events\n');
    expect((await dead('replay', ...ofCall)).stdout).toBe('replayed 0 events\n');
    const { letters } = await subscriptions.deadLetters('default');
    expect(letters.length).toBe(1);
    const got: string[] = [];
    const consumer = new EventConsumer({
      redisUrl: redis.url,
      clock: systemClock,
      handler: ({ id }) => void got.push(id),
    });
    await consumer.start();
    await vi.waitUntil(() => got.length === 2, WAIT);
    expect(got).toEqual(['one', 'two']);
    await consumer.close();
    const id = letters[0]?.id ?? '';
    expect((await dead('drop', id)).stdout).toBe('dropped 1 event\n');
    expect((await dead('drop', '--all', '--json')).stdout).toBe('{"dropped":0}\n');
  });

  it('says why what somebody keyed can not be replayed', async () => {
    const data = { digits: '4711', reason: 'length', startMs: 0, endMs: 900 } as const;
    await setAsideAll([event('tone.collected', data, { id: 'keys', callId: 'c_3', position: 0 })]);
    const ofCall = ['--call', 'c_3'];
    const listed = (await dead('list', ...ofCall)).stdout;
    expect(listed).toMatch(/tone\.collected +c_3 +0 +Error \(content not kept\)$/m);
    expect((await dead('list', ...ofCall, '--json')).stdout).not.toContain('4711');
    expect((await dead('replay', ...ofCall)).stdout).toBe(
      'replayed 0 events\nkept 1 event: what was said or keyed is gone, recording gate closed\n',
    );
    expect((await dead('drop', ...ofCall)).stdout).toBe('dropped 1 event\n');
  });
});

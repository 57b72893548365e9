import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Registry } from '../src/registry.js';
import { callRecord, LOCK_KEY, useRedis } from './support.js';

const redis = useRedis();

/** Stands before Redis and can swallow one answer: Redis did it, the client never hears so. */
class LossyLink {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #swallowAnswerTo: string | undefined;
  swallowed = 0;

  constructor(redisPath: string) {
    this.path = `${redisPath}.lossy`;
    this.#server = createServer((client) => {
      const upstream = createConnection(redisPath);
      let isLost = false;
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
      client.on('data', (data) => {
        const wanted = this.#swallowAnswerTo;
        if (wanted !== undefined && data.includes(wanted)) {
          this.#swallowAnswerTo = undefined;
          isLost = true;
        }
        upstream.write(data);
      });
      upstream.on('data', (data) => {
        if (!isLost) return client.write(data);
        this.swallowed += 1;
        return client.destroy();
      });
    });
  }

  async open(): Promise<void> {
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }

  /** The answer to the next command that holds `text` is lost, with the connection. */
  swallowAnswerTo(text: string): void {
    this.#swallowAnswerTo = text;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await rm(this.path, { force: true });
  }
}

describe('a step whose answer is lost is sent again, and', () => {
  let link: LossyLink;
  let registry: Registry;

  beforeEach(async () => {
    link = new LossyLink(redis.url);
    await link.open();
    registry = new Registry({ redisUrl: link.path, clock: new VirtualClock() });
    await registry.ready();
    // The scripts are loaded by then: a step is one command.
    await registry.appendNotification('c_0', 'warm');
    await registry.takeNotifications('c_0', async () => {});
    await registry.createCall(callRecord('c_0'));
  });

  afterEach(async () => {
    await registry.close();
    await link.close();
  });

  it('takes off no notification that was not handled', async () => {
    for (const raw of ['one', 'two', 'three']) await registry.appendNotification('c_1', raw);
    const handled: string[] = [];
    await registry.takeNotifications('c_1', async (raw) => {
      handled.push(raw);
      if (raw === 'one') link.swallowAnswerTo('{c_1}:notifications');
    });
    expect(link.swallowed).toBe(1);
    expect(handled).toEqual(['one', 'two', 'three']);
  });

  it('knows its own lock', async () => {
    await registry.appendNotification('c_1', 'one');
    const handled: string[] = [];
    link.swallowAnswerTo(LOCK_KEY);
    await registry.takeNotifications('c_1', async (raw) => void handled.push(raw));
    expect(link.swallowed).toBe(1);
    expect(handled).toEqual(['one']);
  });

  it('knows the call that it made itself', async () => {
    link.swallowAnswerTo('{c_1}:record');
    await registry.createCall(callRecord());
    expect(link.swallowed).toBe(1);
    expect(await registry.openCalls()).toContain('c_1');
    await expect(registry.createCall(callRecord())).rejects.toMatchObject({ code: 'call_exists' });
  });
});

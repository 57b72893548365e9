import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@earshot/async/system';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { AddressRules } from '../src/address-rules.js';
import type { WebhookMessage } from '../src/webhook.js';
import type { WebhooksOptions } from '../src/webhooks.js';
import { Webhooks } from '../src/webhooks.js';

export const LOCAL: AddressRules = new AddressRules({ allowedRanges: ['127.0.0.0/8'] });
/** The schedule of the tests: as long as the real one, but in milliseconds. */
export const FAST: readonly number[] = [5, 10, 15];

export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: WebhookMessage & { readonly n?: number };
}

export type Answering = (received: Received, response: ServerResponse) => void;

/** An endpoint; `answer` may be changed at any time. */
export class Receiver {
  readonly got: Received[] = [];
  readonly url: string;
  answer: Answering = (_received, response) => void response.writeHead(204).end();
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<Receiver> {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { headers } = request;
      const received = {
        id: String(headers['webhook-id']),
        headers,
        body,
        event: JSON.parse(body),
      };
      receiver.got.push(received);
      receiver.answer(received, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(`http://127.0.0.1:${port}/hook`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    return receiver;
  }

  close(): Promise<void> {
    return this.#close();
  }

  numbers(callId?: string): (number | undefined)[] {
    return this.got
      .filter(({ event }) => callId === undefined || event.callId === callId)
      .map(({ event }) => event.n);
  }
}

/** One Redis for a test file, emptied after each test, with pods and endpoints. */
export function usePods(options: { persistent?: 'always' } = {}) {
  let server: TestRedis;
  let raw: Redis;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startTestRedis(options);
    raw = new Redis(server.url, { maxRetriesPerRequest: null });
    raw.on('error', () => {});
  });
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
    await raw.flushall();
  });
  afterAll(async () => {
    raw.disconnect();
    await server.close();
  });

  return {
    get raw(): Redis {
      return raw;
    },
    get server(): TestRedis {
      return server;
    },
    async pod(
      more: Partial<WebhooksOptions> = {},
      { starts = true }: { starts?: boolean } = {},
    ): Promise<Webhooks> {
      const webhooks = new Webhooks({
        redisUrl: server.url,
        clock: systemClock,
        random: () => 0,
        addresses: LOCAL,
        ...more,
        limits: {
          retryScheduleMs: FAST,
          rest: { afterFailures: 1_000, baseMs: 1, maxMs: 1 },
          ...more.limits,
        },
      });
      open.push(webhooks);
      await webhooks.ready();
      if (starts) await webhooks.start();
      return webhooks;
    },
    async receiver(): Promise<Receiver> {
      const receiver = await Receiver.start();
      open.unshift(receiver);
      return receiver;
    },
  };
}

export function message(callId: string, n: number): WebhookMessage & { n: number } {
  return { id: `${callId}/${n}`, type: 'speech.started', callId, n };
}

/** Waits for other processes' doing; the test's time limit ends it when it never comes true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(2);
}

export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

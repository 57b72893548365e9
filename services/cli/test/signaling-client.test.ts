import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SignalingClient } from '../src/signaling-client.js';

describe('SignalingClient', () => {
  let server: Server;
  let client: SignalingClient;
  let answer: (url: URL) => string;

  beforeEach(async () => {
    server = createServer((request, response) => {
      response.end(answer(new URL(request.url ?? '', 'http://localhost')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    client = new SignalingClient({ url: `http://127.0.0.1:${port}`, apiKey: undefined });
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('lists the calls of all pages', async () => {
    answer = ({ searchParams }) => {
      const page = Number(searchParams.get('cursor') ?? 0);
      const calls = [{ id: `c_${page}`, state: 'established' }];
      return JSON.stringify(page < 2 ? { calls, nextCursor: `${page + 1}` } : { calls });
    };
    expect((await client.list()).map(({ id }) => id)).toEqual(['c_0', 'c_1', 'c_2']);
  });

  it('makes, reads and removes webhooks', async () => {
    const webhook = { id: 'wh_1', url: 'https://x.example/', enabled: true, backlog: 0 };
    const delivery = { id: 'msg_1', type: 'x', status: 'failed', attempts: 7, updatedAt: 'now' };
    const asked: string[] = [];
    answer = ({ pathname, search }) => {
      asked.push(pathname + search);
      if (pathname.endsWith('/redeliver')) return JSON.stringify(delivery);
      if (pathname.endsWith('/deliveries')) return JSON.stringify({ deliveries: [delivery] });
      const all = { ...webhook, secret: 'whsec_x', webhooks: [webhook] };
      return JSON.stringify(all);
    };
    expect(await client.webhooks()).toEqual([webhook]);
    expect((await client.addWebhook({ url: webhook.url })).secret).toBe('whsec_x');
    expect(await client.deliveries('wh_1', 5)).toEqual([delivery]);
    expect(await client.redeliver('wh_1', 'msg/1')).toEqual(delivery);
    await client.removeWebhook('wh_1');
    expect(asked.slice(2)).toEqual([
      '/v1/webhooks/wh_1/deliveries?limit=5',
      '/v1/webhooks/wh_1/deliveries/msg%2F1/redeliver',
      '/v1/webhooks/wh_1',
    ]);
  });

  it('tells in one line that something else answers', async () => {
    answer = () => '<html>';
    for (const asking of [client.list(), client.read('c_1'), client.join('url')]) {
      await expect(asking).rejects.toMatchObject({ code: 'signaling_error' });
    }
  });
});

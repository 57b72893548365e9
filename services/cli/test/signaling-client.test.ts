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

  it('tells in one line that something else answers', async () => {
    answer = () => '<html>';
    for (const asking of [client.list(), client.read('c_1'), client.join('url')]) {
      await expect(asking).rejects.toMatchObject({ code: 'signaling_error' });
    }
  });
});

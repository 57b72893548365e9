import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operationLine, participantLine } from '../src/commands/call-control.js';
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

  it('gives up on pages that do not end', async () => {
    answer = () => JSON.stringify({ calls: [], nextCursor: 'again' });
    await expect(client.list()).rejects.toMatchObject({ code: 'signaling_error' });
  });

  it('lists participants and operations of all pages', async () => {
    const asked: string[] = [];
    const who = { kind: 'user', isInLobby: false, isMuted: true, isSelf: false, sourceIds: ['7'] };
    const what = { kind: 'mute', status: 'completed', updatedAt: 'now' };
    answer = ({ pathname, searchParams }) => {
      asked.push(`${pathname} ${searchParams.get('presence') ?? '-'}`);
      const page = Number(searchParams.get('cursor') ?? 0);
      return JSON.stringify({
        participants: [{ ...who, id: `p_${page}` }],
        operations: [{ ...what, operationId: `o_${page}` }],
        ...(page < 1 ? { nextCursor: '1' } : {}),
      });
    };
    const participants = await client.participants('c/1', 'left');
    expect(participants.map(participantLine)).toEqual(['p_0 user muted 7 -', 'p_1 user muted 7 -']);
    const operations = await client.operations('c/1');
    expect(operations.map(operationLine)).toEqual([
      'o_0 mute completed - -',
      'o_1 mute completed - -',
    ]);
    expect(asked.slice(1)).toEqual([
      '/v1/calls/c%2F1/participants left',
      ...['/v1/calls/c%2F1/operations -', '/v1/calls/c%2F1/operations -'],
    ]);
  });

  it('asks things of Teams, and tells what they became', async () => {
    const failed = {
      ...{ operationId: 'o_1', kind: 'muteParticipant', status: 'failed', updatedAt: 'now' },
      ...{ participantId: 'p_1', resultCode: 403, resultSubcode: 7504 },
    };
    answer = ({ pathname }) => JSON.stringify({ ...failed, kind: pathname.split('/').at(-1) });
    const asked = await client.ask('POST', 'c_1', 'participants/p_1/mute');
    expect(operationLine(asked)).toBe('o_1 mute failed p_1 403/7504');
    expect(await client.operation('c_1', 'o_1')).toMatchObject({ kind: 'o_1', status: 'failed' });
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

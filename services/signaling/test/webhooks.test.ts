import { once } from 'node:events';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@earshot/async/system';
import { verifyWebhook } from '@earshot/webhooks';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type {
  DeliveryListView,
  DeliveryView,
  NewWebhookView,
  WebhookListView,
  WebhookView,
} from '../src/rest/webhook-schemas.js';
import type { Problem } from './support/harness.js';
import { Harness } from './support/harness.js';
import { stateItem } from './support/notifications.js';

const WAIT = { timeout: 40_000, interval: 5 };

describe('the REST API of webhooks', () => {
  let harness: Harness;
  let endpoint: Server;
  let url: string;
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  let status = 200;

  beforeAll(async () => {
    endpoint = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      got.push({ headers: request.headers, body });
      response.writeHead(status).end();
    });
    endpoint.listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/hook`;
    harness = await Harness.open();
    await harness.start({ environment: { EARSHOT_WEBHOOK_ALLOWED_RANGES: '127.0.0.0/8' } });
    await harness.host({ capacity: 100 });
  });

  afterAll(async () => {
    await harness.close();
    endpoint.closeAllConnections();
    endpoint.close();
  });

  it.each([
    ['POST', '/v1/webhooks', {}, 400, 'invalid_request'],
    [
      'POST',
      '/v1/webhooks',
      { url: 'https://x.example', eventTypes: ['x'] },
      400,
      'invalid_request',
    ],
    ['POST', '/v1/webhooks', { url: 'https://x.example', more: 1 }, 400, 'invalid_request'],
    ['POST', '/v1/webhooks', { url: 'http://x.example' }, 422, 'invalid_webhook_url'],
    ['POST', '/v1/webhooks', { url: 'https://10.0.0.1/' }, 422, 'address_not_allowed'],
    ['POST', '/v1/webhooks', { url: 'https://x.example', secret: 'x' }, 422, 'invalid_secret'],
    ['GET', '/v1/webhooks/wh_x', undefined, 404, 'webhook_not_found'],
    ['PATCH', '/v1/webhooks/wh_x', { enabled: true }, 404, 'webhook_not_found'],
    ['PATCH', '/v1/webhooks/wh_x', { enabled: false }, 404, 'webhook_not_found'],
    ['DELETE', '/v1/webhooks/wh_x', undefined, 404, 'webhook_not_found'],
    ['POST', '/v1/webhooks/wh_x/test', undefined, 404, 'webhook_not_found'],
    ['POST', '/v1/webhooks/wh_x/secret', undefined, 404, 'webhook_not_found'],
    ['GET', '/v1/webhooks/wh_x/deliveries', undefined, 404, 'webhook_not_found'],
    ['GET', '/v1/webhooks/wh_x/deliveries?limit=0', undefined, 400, 'invalid_request'],
    ['POST', '/v1/webhooks/wh_x/deliveries/msg_x/redeliver', undefined, 404, 'webhook_not_found'],
  ])('answers %s %s %j with a problem', async (method, path, body, expected, code) => {
    const answer = await harness.request<Problem>(method, path, body);
    expect(answer.body).toMatchObject({ status: expected, code });
    expect(answer.status).toBe(expected);
  });

  it('needs the key', async () => {
    expect((await fetch(`${harness.signaling.url}/v1/webhooks`)).status).toBe(401);
  });

  it('leads the events of a call to an endpoint, signed, and keeps account', async () => {
    const made = await harness.request<NewWebhookView>('POST', '/v1/webhooks', {
      url,
      eventTypes: ['call.stateChanged'],
      description: 'for the tests',
    });
    expect(made.status).toBe(201);
    const { secret, id } = made.body;
    expect(made.headers.get('location')).toBe(`/v1/webhooks/${id}`);
    const shown = await harness.get<WebhookView>(`/v1/webhooks/${id}`);
    expect(shown.body).toMatchObject({ id, url, enabled: true, backlog: 0 });
    expect(JSON.stringify(shown.body)).not.toContain(secret);

    const call = (await harness.join()).body;
    await harness.graph.notify([stateItem(harness.graph.lastLeg.id, 'established')]);
    await vi.waitUntil(() => got.length > 0, WAIT);
    const first = got[0];
    if (first === undefined) throw new Error('nothing came');
    verifyWebhook({ ...first, secret, clock: systemClock });
    expect(JSON.parse(first.body)).toMatchObject({ type: 'call.stateChanged', callId: call.id });
    await vi.waitUntil(async () => (await deliveriesOf(id))[0]?.status === 'delivered', WAIT);
    const [delivery] = await deliveriesOf(id);
    expect(delivery).toMatchObject({
      ...{ id: first.headers['webhook-id'], callId: call.id, attempts: 1, responseStatus: 200 },
    });
    expect(await harness.metric('earshot_webhook_attempts_total')).toBeGreaterThan(0);

    const rotated = await harness.request<NewWebhookView>('POST', `/v1/webhooks/${id}/secret`);
    expect(rotated.body.secrets).toHaveLength(2);
    const before = got.length;
    await harness.request('POST', `/v1/webhooks/${id}/deliveries/${delivery?.id}/redeliver`);
    const test = await harness.request<DeliveryView>('POST', `/v1/webhooks/${id}/test`);
    expect(test).toMatchObject({ status: 202, body: { type: 'webhook.test', status: 'pending' } });
    await vi.waitUntil(() => got.length === before + 2, WAIT);
    for (const each of got.slice(before)) {
      verifyWebhook({ ...each, secret, clock: systemClock });
      verifyWebhook({ ...each, secret: rotated.body.secret, clock: systemClock });
    }

    const off = await harness.request<WebhookView>('PATCH', `/v1/webhooks/${id}`, {
      enabled: false,
    });
    expect(off.body).toMatchObject({ enabled: false, disabled: { reason: 'requested' } });
    const refused = await harness.request<Problem>('POST', `/v1/webhooks/${id}/test`);
    expect(refused.body).toMatchObject({ status: 409, code: 'webhook_disabled' });
    const on = await harness.request<WebhookView>('PATCH', `/v1/webhooks/${id}`, { enabled: true });
    expect(on.body.enabled).toBe(true);
    expect(on.body.disabled).toBeUndefined();

    const removed = await harness.request('DELETE', `/v1/webhooks/${id}`);
    expect(removed.status).toBe(204);
    const list = await harness.get<{ webhooks: WebhookView[] }>('/v1/webhooks');
    expect(list.body.webhooks).toEqual([]);
  });

  it('lists webhooks page by page, oldest first, and misses none when one goes', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const made = await harness.request<NewWebhookView>('POST', '/v1/webhooks', { url });
      ids.push(made.body.id);
    }
    const page = async (query: string): Promise<WebhookListView> =>
      (await harness.get<WebhookListView>(`/v1/webhooks?${query}`)).body;
    const first = await page('limit=2');
    expect(first.webhooks).toHaveLength(2);
    await harness.request('DELETE', `/v1/webhooks/${first.webhooks[1]?.id}`);
    const second = await page(`limit=2&cursor=${first.nextCursor}`);
    expect(second.nextCursor).toBeUndefined();
    const listed = [...first.webhooks, ...second.webhooks];
    expect(listed.map(({ id }) => id).sort()).toEqual(ids.sort());
    const times = listed.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort());
    const refused = await harness.get<Problem>('/v1/webhooks?cursor=x!');
    expect(refused.body).toMatchObject({ status: 400, code: 'invalid_cursor' });
    for (const id of ids) await harness.request('DELETE', `/v1/webhooks/${id}`);
  });

  it('lists deliveries page by page, newest first', async () => {
    status = 410;
    const { id } = (await harness.request<NewWebhookView>('POST', '/v1/webhooks', { url })).body;
    await harness.request('POST', `/v1/webhooks/${id}/test`);
    await vi.waitUntil(async () => (await deliveriesOf(id)).length === 2, WAIT);
    const first = await harness.get<DeliveryListView>(`/v1/webhooks/${id}/deliveries?limit=1`);
    expect(first.body.deliveries).toMatchObject([
      { type: 'webhook.disabled', status: 'disabled', error: 'gone' },
    ]);
    const next = await harness.get<DeliveryListView>(
      `/v1/webhooks/${id}/deliveries?limit=1&cursor=${first.body.nextCursor}`,
    );
    expect(next.body).toMatchObject({
      deliveries: [{ type: 'webhook.test', status: 'failed', responseStatus: 410 }],
    });
    expect(next.body.nextCursor).toBeUndefined();
  });

  async function deliveriesOf(id: string): Promise<readonly DeliveryView[]> {
    const { body } = await harness.get<DeliveryListView>(`/v1/webhooks/${id}/deliveries`);
    return body.deliveries;
  }
});

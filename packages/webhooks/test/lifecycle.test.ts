import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import { AddressRules } from '../src/address-rules.js';
import { verifyWebhook } from '../src/signature.js';
import type { Webhooks } from '../src/webhooks.js';
import { message, until, upTo, usePods } from './support.js';

const pods = usePods();
const DAY_MS = 86_400_000;

async function statusesOf(pod: Webhooks, id: string): Promise<string[]> {
  const { deliveries } = await pod.admin.deliveries(id, { limit: 100 });
  return deliveries.map(({ status }) => status);
}

describe('turning off', () => {
  it('happens at a 410: what waits is given up, and the history says so', async () => {
    const told: string[] = [];
    const pod = await pods.pod({ onDisabled: (_id, reason) => told.push(reason) });
    const other = await pods.pod();
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    let release = (): void => {};
    endpoint.answer = (_received, response) => {
      release = () => response.writeHead(410).end();
    };
    for (const n of upTo(5)) await pod.dispatch(message('c_0', n));
    await until(() => endpoint.got.length === 1);
    release();
    await until(async () => (await statusesOf(pod, id)).includes('disabled'));
    await until(async () => (await pod.admin.find(id)).health.dropped === 4);
    expect(await statusesOf(pod, id)).toEqual([
      ...['disabled', 'dropped', 'dropped', 'dropped', 'dropped', 'failed'],
    ]);
    expect(told.length).toBeLessThanOrEqual(1);
    await other.dispatch(message('c_0', 5));
    expect(await pod.admin.find(id)).toMatchObject({
      backlog: 0,
      webhook: { disabled: { reason: 'gone' } },
    });
    for (const refused of [pod.admin.test(id), pod.admin.redeliver(id, 'msg_x')]) {
      await expect(refused).rejects.toMatchObject({ code: 'webhook_disabled' });
    }

    endpoint.answer = (_received, response) => void response.writeHead(200).end();
    await pod.admin.enable(id);
    await pod.dispatch(message('c_0', 6));
    await until(() => endpoint.numbers().includes(6));
    expect(endpoint.numbers()).toEqual([0, 6]);
  });

  it('gives up what is under way, which does not come when it is on again', async () => {
    const pod = await pods.pod({ limits: { retryScheduleMs: [100_000] } });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    let release = (): void => {};
    endpoint.answer = (_received, response) => {
      release = () => response.writeHead(500).end();
    };
    await pod.dispatch(message('c_0', 0));
    await until(() => endpoint.got.length === 1);
    await pod.admin.disable(id, 'requested');
    release();
    await until(async () => (await pod.admin.find(id)).health.dropped === 1);
    expect(await statusesOf(pod, id)).toEqual(['disabled', 'dropped']);
    // As if its next attempt had been set a moment after that.
    await pods.raw.hset(`earshot:{${id}}:delivery:late`, 'id', 'late', 'status', 'pending');
    await pods.raw.zadd(`earshot:{${id}}:history`, 99, 'late');
    await pod.admin.enable(id);
    expect((await pod.admin.find(id)).backlog).toBe(0);
    expect((await statusesOf(pod, id))[0]).toBe('dropped');
  });

  it('happens after five days without one success', async () => {
    const clock = new VirtualClock();
    const pod = await pods.pod({ clock, limits: { retryScheduleMs: [] } });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    const fail = async (n: number) => {
      endpoint.answer = (_received, response) => void response.writeHead(500).end();
      await pod.dispatch(message('c_0', n));
      await until(async () => !(await statusesOf(pod, id)).includes('pending'));
    };
    await fail(0);
    clock.advance(4 * DAY_MS);
    await fail(1);
    // One success, and the time begins anew.
    endpoint.answer = (_received, response) => void response.writeHead(200).end();
    await pod.dispatch(message('c_0', 2));
    await until(async () => (await pod.admin.find(id)).health.delivered === 1);
    await fail(3);
    clock.advance(5 * DAY_MS - 1);
    await fail(4);
    expect((await pod.admin.find(id)).webhook.disabled).toBeUndefined();
    clock.advance(1);
    await fail(5);
    await until(async () => (await statusesOf(pod, id))[0] === 'disabled');
    expect((await pod.admin.find(id)).webhook.disabled?.reason).toBe('failing');
  });
});

describe('a secret', () => {
  it('is replaced while both sign for a day', async () => {
    const clock = new VirtualClock();
    const pod = await pods.pod({ clock });
    const endpoint = await pods.receiver();
    const older = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
    const { id } = await pod.admin.create({ url: endpoint.url, secret: older });
    const rotated = await pod.admin.rotateSecret(id);
    const newer = rotated.secrets[0]?.secret ?? '';
    const holds = async (n: number): Promise<boolean[]> => {
      await pod.dispatch(message('c_0', n));
      await until(() => endpoint.got.length === n + 1);
      return [older, newer].map((secret) => {
        try {
          verifyWebhook({ ...got(n), secret, clock });
          return true;
        } catch {
          return false;
        }
      });
    };
    const got = (n: number) => {
      const { headers = {}, body = '' } = endpoint.got[n] ?? {};
      return { headers, body };
    };
    expect(newer).not.toBe(older);
    expect(await holds(0)).toEqual([true, true]);
    clock.advance(DAY_MS - 1);
    expect(await holds(1)).toEqual([true, true]);
    clock.advance(1);
    expect(await holds(2)).toEqual([false, true]);
    await expect(pod.admin.rotateSecret(id, { secret: 'x' })).rejects.toMatchObject({
      code: 'invalid_secret',
    });
  });
});

describe('what may not be reached', () => {
  it('is not, whatever a name meant when it was asked before', async () => {
    const answers = ['127.0.0.1', '127.0.0.1'];
    let asked = 0;
    const addresses = new AddressRules({
      resolveAll: (_name, done) => {
        asked += 1;
        done(null, [{ address: answers[0] ?? '', family: 4 }]);
      },
    });
    const endpoint = await pods.receiver();
    const pod = await pods.pod({ addresses, allowHttp: true, limits: { retryScheduleMs: [] } });
    const url = endpoint.url.replace('127.0.0.1', 'rebound.example');
    const { id } = await pod.admin.create({ url });
    await pod.dispatch(message('c_0', 0));
    await until(async () => (await statusesOf(pod, id))[0] === 'failed');
    const { deliveries } = await pod.admin.deliveries(id, { limit: 1 });
    expect(deliveries[0]).toMatchObject({
      error: 'address_not_allowed',
      responseStatus: undefined,
    });
    expect(asked).toBe(1);
    expect(endpoint.got).toEqual([]);
  });

  it('is reached where it is allowed, by the very address that was judged', async () => {
    const addresses = new AddressRules({
      allowedRanges: ['127.0.0.1/32'],
      resolveAll: (_name, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const endpoint = await pods.receiver();
    const pod = await pods.pod({ addresses, allowHttp: true });
    await pod.admin.create({ url: endpoint.url.replace('127.0.0.1', 'inside.example') });
    await pod.dispatch(message('c_0', 0));
    await until(() => endpoint.got.length === 1);
    expect(endpoint.got[0]?.headers.host).toMatch(/^inside\.example:/);
  });
});

describe('the history', () => {
  it('keeps the newest, page by page, and forgets in time', async () => {
    const pod = await pods.pod({ limits: { maxHistory: 25, keepHistoryMs: 60_000 } });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    for (const n of upTo(40)) await pod.dispatch(message('c_0', n));
    await until(async () => (await pod.admin.find(id)).health.delivered === 40);
    const pages: string[][] = [];
    let before: number | undefined;
    do {
      const page = await pod.admin.deliveries(id, { limit: 10, before });
      pages.push(page.deliveries.map(({ eventId }) => eventId));
      before = page.next;
    } while (before !== undefined);
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat()).toEqual(upTo(25).map((i) => `c_0/${39 - i}`));
    const keys = await pods.raw.keys(`earshot:{${id}}:delivery:*`);
    expect(keys).toHaveLength(25);
    expect(await pods.raw.pttl(keys[0] ?? '')).toBeLessThanOrEqual(60_000);
  });

  it('sends again what ended, under the same id, and a test when asked', async () => {
    const pod = await pods.pod({ limits: { retryScheduleMs: [] } });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url, eventTypes: ['tone.detected'] });
    const test = await pod.admin.test(id);
    expect(test).toMatchObject({ type: 'webhook.test', attempts: 0 });
    await until(() => endpoint.got.length === 1);
    expect(endpoint.got[0]?.event).toMatchObject({ type: 'webhook.test', data: { webhookId: id } });

    endpoint.answer = (_received, response) => void response.writeHead(500).end();
    await pod.dispatch({ ...message('c_0', 1), type: 'tone.detected' });
    await until(async () => (await statusesOf(pod, id))[0] === 'failed');
    endpoint.answer = (_received, response) => void response.writeHead(200).end();
    const failed = endpoint.got[1];
    await pod.admin.redeliver(id, failed?.id ?? '');
    await until(async () => (await statusesOf(pod, id))[0] === 'delivered');
    expect(endpoint.got[2]).toMatchObject({ id: failed?.id, body: failed?.body });
    const { deliveries } = await pod.admin.deliveries(id, { limit: 1 });
    expect(deliveries[0]?.attempts).toBe(2);
    await expect(pod.admin.redeliver(id, 'msg_x')).rejects.toMatchObject({
      code: 'delivery_not_found',
    });
  });
});

it('keeps nothing of what may not be kept, once it was delivered', async () => {
  const pod = await pods.pod({ mayKeep: ({ type }) => type !== 'tone.detected' });
  const endpoint = await pods.receiver();
  const { id } = await pod.admin.create({ url: endpoint.url });
  const secret = { ...message('c_0', 1), type: 'tone.detected', data: { digit: '7-secret' } };
  endpoint.answer = (_received, response) =>
    void response.writeHead(endpoint.got.length === 1 ? 500 : 200).end();
  await pod.dispatch(secret);
  await pod.dispatch(message('c_0', 2));
  await until(async () => (await statusesOf(pod, id)).every((status) => status === 'delivered'));
  expect(endpoint.got.filter(({ body }) => body.includes('7-secret'))).toHaveLength(2);
  const { deliveries } = await pod.admin.deliveries(id, { limit: 2 });
  await expect(pod.admin.redeliver(id, deliveries[1]?.id ?? '')).rejects.toMatchObject({
    code: 'delivery_not_kept',
  });
  const kept = await pods.raw.keys('*:delivery:*');
  expect(kept).toHaveLength(2);
  for (const key of kept) {
    expect(JSON.stringify(await pods.raw.hgetall(key))).not.toContain('7-secret');
  }
  await pod.admin.redeliver(id, deliveries[0]?.id ?? '');
});

describe('webhooks', () => {
  it('are removed with all that was theirs', async () => {
    const [pod, other] = [await pods.pod(), await pods.pod()];
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = () => {};
    for (const n of upTo(3)) await pod.dispatch(message('c_0', n));
    await until(() => endpoint.got.length === 1);
    await other.admin.remove(id);
    await other.dispatch(message('c_0', 9));
    await endpoint.close();
    await until(async () => (await pods.raw.keys(`*${id}*`)).length === 0);
    await expect(pod.admin.find(id)).rejects.toMatchObject({ code: 'webhook_not_found' });
    await expect(pod.admin.remove(id)).rejects.toMatchObject({ code: 'webhook_not_found' });
    expect(await pod.admin.list()).toEqual([]);
  });

  it('are as many as may be', async () => {
    const pod = await pods.pod({ limits: { maxWebhooks: 2 } });
    const url = 'https://example.com/';
    await Promise.all([pod.admin.create({ url }), pod.admin.create({ url })]);
    await expect(pod.admin.create({ url })).rejects.toMatchObject({ code: 'too_many_webhooks' });
  });
});

describe('a process that ends in the middle of a delivery', () => {
  it('leaves it to the next one, and it does not count as a failure', async () => {
    const endpoint = await pods.receiver();
    endpoint.answer = () => {};
    const pod = await pods.pod();
    const { id } = await pod.admin.create({ url: endpoint.url });
    await pod.dispatch(message('c_0', 0));
    await until(() => endpoint.got.length === 1);
    await pod.close();
    endpoint.answer = (_received, response) => void response.writeHead(204).end();
    const next = await pods.pod();
    await until(async () => (await statusesOf(next, id))[0] === 'delivered');
    const { deliveries } = await next.admin.deliveries(id, { limit: 1 });
    expect(deliveries[0]?.attempts).toBe(1);
    const { health } = await next.admin.find(id);
    expect(health).toMatchObject({ delivered: 1, failed: 0, failingSinceMs: undefined });
  });

  it('leaves nothing that only seems to wait', async () => {
    const endpoint = await pods.receiver();
    const pod = await pods.pod();
    const { id } = await pod.admin.create({ url: endpoint.url });
    await pod.dispatch(message('c_0', 0));
    await until(async () => (await statusesOf(pod, id))[0] === 'delivered');
    const [delivery] = (await pod.admin.deliveries(id, { limit: 1 })).deliveries;
    const deliveryId = delivery?.id ?? '';
    // As if it had died between noting and queueing.
    await pods.raw.hset(`earshot:{${id}}:delivery:${deliveryId}`, 'status', 'pending');
    await pod.admin.redeliver(id, deliveryId);
    await until(() => endpoint.got.length === 2);
  });
});

import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { describe, expect, it } from 'vitest';
import { DeliveryQueues } from '../src/delivery-queues.js';
import { Names } from '../src/names.js';
import { connect, createClient, disconnect } from '../src/redis.js';
import { verifyWebhook } from '../src/signature.js';
import { message, until, upTo, usePods } from './support.js';

const pods = usePods();

describe('events', () => {
  it('arrive in order per call, signed, over all pods, once each', async () => {
    const [one, two] = [await pods.pod(), await pods.pod()];
    const endpoint = await pods.receiver();
    const { id, secrets } = await one.admin.create({ url: endpoint.url });
    const calls = upTo(6).map((i) => `c_${i}`);
    await Promise.all(
      calls.map(async (callId, i) => {
        const pod = i % 2 === 0 ? one : two;
        for (const n of upTo(20)) await pod.dispatch(message(callId, n));
        // A consumer that died before it could say so hands its last event out again.
        await one.dispatch(message(callId, 19));
      }),
    );
    await until(async () => (await one.admin.find(id)).health.delivered === 120);
    for (const callId of calls) expect(endpoint.numbers(callId)).toEqual(upTo(20));
    const secret = secrets.map((each) => each.secret);
    for (const { headers, body } of endpoint.got) {
      verifyWebhook({ headers, body, secret, clock: systemClock });
    }
    expect(new Set(endpoint.got.map((each) => each.id)).size).toBe(120);
    expect(endpoint.got[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Earshot-Webhooks/1',
    });
  });

  it('go where they are wanted', async () => {
    const pod = await pods.pod();
    const [all, tones, call] = await Promise.all(upTo(3).map(() => pods.receiver()));
    await pod.admin.create({ url: all?.url ?? '' });
    await pod.admin.create({ url: tones?.url ?? '', eventTypes: ['tone.detected'] });
    await pod.admin.create({ url: call?.url ?? '', callId: 'c_1' });
    await pod.dispatch(message('c_0', 0));
    await pod.dispatch(message('c_1', 1));
    await pod.dispatch({ ...message('c_2', 2), type: 'tone.detected' });
    const got = () => [all, tones, call].map((each) => each?.numbers().sort());
    await until(() => got().flat().length === 5);
    expect(got()).toEqual([[0, 1, 2], [2], [1]]);
  });

  it('find a webhook that another pod has just made', async () => {
    const clock = new VirtualClock();
    const [maker, other] = [await pods.pod({ clock }), await pods.pod({ clock })];
    const endpoint = await pods.receiver();
    await maker.admin.create({ url: endpoint.url });
    await other.dispatch(message('c_0', 0));
    await until(() => endpoint.got.length === 1);
  });
});

describe('a delivery that fails', () => {
  it('comes again under the same id, freshly signed, and the history tells', async () => {
    const pod = await pods.pod();
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = (_received, response) =>
      void response.writeHead(endpoint.got.length < 3 ? 500 : 200).end('secret text');
    await pod.dispatch(message('c_0', 0));
    await until(async () => (await pod.admin.find(id)).health.delivered === 1);
    const deliveries = await settled(pod, id);
    expect(new Set(endpoint.got.map((each) => each.id)).size).toBe(1);
    expect(deliveries).toMatchObject([
      {
        id: endpoint.got[0]?.id,
        ...{ eventId: 'c_0/0', type: 'speech.started', callId: 'c_0', status: 'delivered' },
        ...{ attempts: 3, responseStatus: 200, error: undefined, nextAttemptAtMs: undefined },
      },
    ]);
    expect(JSON.stringify(await pods.raw.keys('*'))).not.toContain('secret text');
    expect((await pod.admin.find(id)).health.failingSinceMs).toBeUndefined();
  });

  it('does not hold up the others, and ends when the schedule does', async () => {
    const pod = await pods.pod();
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = ({ event }, response) =>
      void response.writeHead(event.n === 1 ? 400 : 200).end();
    for (const n of upTo(4)) await pod.dispatch(message('c_0', n));
    await until(async () => (await pod.admin.find(id)).health.failed === 1);
    await until(async () => (await pod.admin.find(id)).health.delivered === 3);
    const deliveries = await settled(pod, id);
    const numbers = endpoint.numbers();
    expect(numbers.filter((n) => n === 1)).toHaveLength(4);
    expect(numbers.filter((n) => n !== 1)).toEqual([0, 2, 3]);
    expect(deliveries.map(({ status, attempts, error }) => [status, attempts, error])).toEqual([
      ['delivered', 1, undefined],
      ['delivered', 1, undefined],
      ['failed', 4, 'http_status'],
      ['delivered', 1, undefined],
    ]);
  });

  it.each([
    [302, 'redirect_refused'],
    [404, 'http_status'],
    [204, undefined],
  ])('with status %i tells %s, and no redirect is followed', async (status, error) => {
    const pod = await pods.pod({ limits: { retryScheduleMs: [] } });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = (_received, response) =>
      void response.writeHead(status, { location: endpoint.url }).end();
    await pod.dispatch(message('c_0', 0));
    const [delivery] = await settled(pod, id);
    expect(delivery).toMatchObject({ responseStatus: status, error, attempts: 1 });
    expect(endpoint.got).toHaveLength(1);
  });

  it('is one when no answer comes for 10 s', async () => {
    const clock = new VirtualClock();
    const pod = await pods.pod({ clock, limits: { retryScheduleMs: [] } });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = () => {};
    await pod.dispatch(message('c_0', 0));
    await until(() => endpoint.got.length === 1);
    clock.advance(9_999);
    expect((await pod.admin.deliveries(id, { limit: 1 })).deliveries[0]?.status).toBe('pending');
    clock.advance(1);
    expect(await settled(pod, id)).toMatchObject([
      { status: 'failed', error: 'timeout', durationMs: 10_000, responseStatus: undefined },
    ]);
  });

  it('waits as long as Retry-After asks, and so does the webhook', async () => {
    const clock = new VirtualClock();
    const pod = await pods.pod({ clock });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = (_received, response) =>
      void response.writeHead(429, { 'retry-after': '600' }).end();
    await pod.dispatch(message('c_0', 0));
    const limited = async () => pods.raw.keys(`*{${id}}*:limiter`);
    await until(async () => (await limited()).length === 4);
    const { deliveries } = await pod.admin.deliveries(id, { limit: 1 });
    expect(deliveries).toMatchObject([
      { status: 'pending', responseStatus: 429, nextAttemptAtMs: clock.wallclockMs() + 600_000 },
    ]);
    for (const key of await limited()) expect(await pods.raw.pttl(key)).toBeGreaterThan(590_000);
  });

  it('does not cut short a longer rest of its webhook', async () => {
    const connection = createClient(pods.server.url, { waits: true });
    await connect(connection);
    const names = new Names('earshot');
    const onDropped = async () => {};
    const queues = new DeliveryQueues({
      ...{ client: connection, names, maxBacklog: 4, attempts: 1, onDropped },
    });
    for (const durationMs of [1_000, 600_000, 1_000]) await queues.rest('wh_1', durationMs);
    const keys = await pods.raw.keys('*{wh_1}*:limiter');
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(await pods.raw.pttl(key)).toBeGreaterThan(590_000);
    await queues.close();
    await disconnect(connection);
  });
});

describe('an endpoint that hangs', () => {
  it('holds up only its own webhook, up to a bound', async () => {
    const dropped: number[] = [];
    const pod = await pods.pod({
      limits: { maxBacklog: 40 },
      onDropped: (count) => dropped.push(count),
    });
    const [slow, quick] = [await pods.receiver(), await pods.receiver()];
    slow.answer = () => {};
    const hung = await pod.admin.create({ url: slow.url });
    await pod.admin.create({ url: quick.url });
    await pod.dispatch(message('c_0', 0));
    await until(() => slow.got.length === 1);
    for (const n of upTo(30)) await pod.dispatch(message('c_0', n + 1));
    await until(() => quick.got.length === 31);
    expect(quick.numbers()).toEqual(upTo(31));
    // One is under way, a lane's share of 10 waits, the oldest have given way.
    const state = await pod.admin.find(hung.id);
    expect(state).toMatchObject({ backlog: 10, health: { dropped: 20 } });
    expect(dropped).toHaveLength(20);
    const { deliveries } = await pod.admin.deliveries(hung.id, { limit: 100 });
    const given = deliveries.filter(({ status }) => status === 'dropped');
    expect(given.map(({ eventId }) => eventId)).toEqual(upTo(20).map((i) => `c_0/${20 - i}`));
    expect(given[0]?.error).toBe('backlog_full');
  });

  it('rests after failures in a row, and what waits keeps its attempts', async () => {
    const pod = await pods.pod({
      limits: { rest: { afterFailures: 2, baseMs: 60_000, maxMs: 60_000 } },
    });
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    endpoint.answer = (_received, response) => void response.writeHead(503).end();
    for (const n of upTo(20)) await pod.dispatch(message('c_0', n));
    await until(async () => (await pods.raw.keys(`*{${id}}*:limiter`)).length === 4);
    const { deliveries } = await pod.admin.deliveries(id, { limit: 100 });
    const attempts = deliveries.reduce((sum, each) => sum + each.attempts, 0);
    expect(attempts).toBe(2);
    expect((await pod.admin.find(id)).backlog).toBe(20);
  });
});

async function settled(pod: Awaited<ReturnType<typeof pods.pod>>, id: string) {
  const read = async () => (await pod.admin.deliveries(id, { limit: 100 })).deliveries;
  await until(async () => (await read()).every(({ status }) => status !== 'pending'));
  return read();
}

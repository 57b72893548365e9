import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { Registry } from '@earshot/registry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TestHost } from './support/harness.js';
import { Harness, TENANT, WAIT } from './support/harness.js';
import {
  answeredCall,
  CALLER_NAME,
  callOfLeg,
  incomingItem,
  MEETING_TOKEN,
  ring,
} from './support/incoming.js';
import { endItem, stateItem } from './support/notifications.js';

/** Stands still: no call is answered too late for a slow machine. */
const clock = new VirtualClock();
const OTHER_TENANT = '00000000-86f1-41af-91ab-2d7cd011db47';

describe('a call that comes in', () => {
  let harness: Harness;
  let host: TestHost;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({ clock, environment: { EARSHOT_INCOMING: 'all' } });
    await harness.consume();
  });
  beforeEach(async () => {
    host = await harness.host();
  });
  afterEach(() => harness.disconnect(host));
  afterAll(() => harness.close());

  const webhook = () => `${harness.signaling.url}/v1/callbacks/incoming`;
  const answers = (id: string) => harness.graph.count('POST', `${id}/answer`);

  it('is stored, acknowledged and answered with a blob and an address of its own', async () => {
    const { leg, response } = await ring(harness, 'user');
    expect(response.status).toBe(202);
    const call = await callOfLeg(harness, leg, (seen) => seen.media.hostId === host.hostId);
    expect(call).toMatchObject({
      direction: 'incoming',
      incoming: { scenario: 'user' },
      tenantId: TENANT,
      recording: { gate: 'closed', opensBy: 'declaration' },
    });
    await vi.waitUntil(() => answers(leg.id) === 1, WAIT);
    const answer = harness.graph.requests.find(({ path }) => path.endsWith(`${leg.id}/answer`));
    expect(answer?.body).toEqual({
      callbackUri: expect.stringMatching(/\/v1\/callbacks\/[\w-]{32}$/),
      mediaConfig: {
        '@odata.type': '#microsoft.graph.appHostedMediaConfig',
        blob: `blob-${call.id}`,
      },
      acceptedModalities: ['audio'],
    });
    expect(answer?.authorization).toBe(`Bearer token-of-${TENANT}`);
    await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
    await harness.reaches(call.id, 'established');
    await harness.graph.notify([endItem(leg.id, 200, 5002)], { leg });
    const events = await harness.endOf(call.id);
    expect(events[0]).toMatchObject({ type: 'call.incoming', data: { scenario: 'user' } });
    // No worker came: the host has to keep what was said for one that may still come.
    expect(host.released).toEqual([]);
    await harness.pass(clock, 12_000);
    await vi.waitUntil(() => host.released.length > 0, WAIT);
    await harness.closed(call.id);
  });

  it('is one call however often, and in whatever form of its id, it is told', async () => {
    const { leg } = await ring(harness, 'group');
    const again = { ...leg, id: leg.id.replaceAll('-', '').toUpperCase() };
    const responses = await Promise.all([
      harness.graph.notify([incomingItem(leg, 'group')], { callbackUri: webhook(), leg }),
      harness.graph.notify([incomingItem(again, 'group')], { callbackUri: webhook(), leg }),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([202, 202]);
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => leg.blob !== undefined, WAIT);
    await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
    await harness.reaches(id, 'established');
    expect(answers(leg.id)).toBe(1);
    expect(host.allocated.filter((callId) => callId === id)).toHaveLength(1);
  });

  it('in the older format is answered 204, and nothing is made of it', async () => {
    const before = await harness.registry.openCalls();
    const leg = harness.graph.ring(webhook(), TENANT);
    const legacy = JSON.stringify({ id: leg.id, isMultiparty: false, participants: [] });
    expect((await harness.graph.post(legacy, { leg })).status).toBe(204);
    const after = await harness.registry.openCalls();
    expect(after.filter((id) => !before.includes(id))).toEqual([]);
  });

  it('is refused without a token, with one of another tenant, and when it is unreadable', async () => {
    const leg = harness.graph.ring(webhook(), TENANT);
    const item = incomingItem(leg, 'user');
    expect((await harness.graph.notify([item], { leg, authorization: null })).status).toBe(401);
    expect(
      (await harness.graph.notify([item], { leg, claims: { tid: OTHER_TENANT } })).status,
    ).toBe(403);
    expect((await harness.graph.post('{', { leg })).status).toBe(400);
    expect(answers(leg.id)).toBe(0);
  });

  it('that the caller ends while it rings is over', async () => {
    const gate = deferred();
    await harness.disconnect(host);
    const slow = await harness.host({
      async allocate(callId) {
        await gate.promise;
        return { mediaId: `m-${callId}`, blob: `blob-${callId}` };
      },
    });
    const { leg } = await ring(harness, 'user');
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => slow.allocated.includes(id), WAIT);
    await harness.graph.notify([endItem(leg.id, 200, 4097)], { leg });
    const call = await harness.reaches(id, 'terminated');
    gate.resolve();
    expect(call.result).toMatchObject({ cause: 'ended_by_teams', resultSubcode: 4097 });
    await vi.waitUntil(() => slow.released.includes(`m-${id}`), WAIT);
    expect(answers(leg.id)).toBe(0);
    await harness.disconnect(slow);
  });

  it('is rejected when no host has room', async () => {
    await harness.disconnect(host);
    const { leg } = await ring(harness, 'policyRecording');
    const call = await callOfLeg(harness, leg, ({ state }) => state === 'terminated');
    expect(call.result).toMatchObject({ cause: 'rejected_busy', retryClass: 'backOff' });
    const reject = harness.graph.requests.find(({ path }) => path.endsWith(`${leg.id}/reject`));
    expect(reject?.body).toEqual({ reason: 'busy' });
    await harness.closed(call.id);
  });

  it('is answered on another host when the first has no blob', async () => {
    await harness.disconnect(host);
    const broken = await harness.host({
      allocate: () => Promise.reject(new Error('this host has no blob')),
    });
    const other = await harness.host();
    const { leg } = await ring(harness, 'policyRecording');
    const { id } = await callOfLeg(harness, leg, ({ media }) => media.hostId === other.hostId);
    await vi.waitUntil(() => leg.blob === `blob-${id}`, WAIT);
    expect(broken.allocated).toEqual([id]);
    expect(harness.graph.count('POST', `${leg.id}/reject`)).toBe(0);
    await Promise.all([harness.disconnect(broken), harness.disconnect(other)]);
  });

  it('is told to all processes, for the one that took it may die', async () => {
    const woken: string[] = [];
    const registry = new Registry({ redisUrl: harness.redis.url, clock: systemClock });
    await registry.listenForCalls((callId) => woken.push(callId));
    const { leg } = await ring(harness, 'policyRecording');
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => woken.includes(id), WAIT);
    await vi.waitUntil(() => leg.blob !== undefined, WAIT);
    await registry.close();
  });

  it('that Graph no longer lets be answered ends, and its host is free again', async () => {
    harness.graph.answerNext('answer', {
      status: 404,
      body: { error: { code: 'NotFound', message: 'Call not found. (8522)' } },
    });
    const { leg } = await ring(harness, 'user');
    const call = await callOfLeg(harness, leg, ({ state }) => state === 'terminated');
    expect(call.result).toMatchObject({ cause: 'graph_refused' });
    await vi.waitUntil(() => host.released.includes(`m-${call.id}`), WAIT);
    await harness.closed(call.id);
  });

  it('is not answered twice when it is not known whether the first answer came through', async () => {
    harness.graph.answerNext('answer', 'cut');
    const { leg } = await ring(harness, 'user');
    const call = await callOfLeg(harness, leg, ({ state }) => state === 'terminated');
    expect(answers(leg.id)).toBe(1);
    expect(call.result).toMatchObject({ cause: 'graph_unavailable' });
    await vi.waitUntil(() => harness.graph.count('DELETE', leg.id) === 1, WAIT);
  });

  it('is rejected by hanging up while it rings', async () => {
    const gate = deferred();
    await harness.disconnect(host);
    const slow = await harness.host({
      async allocate() {
        await gate.promise;
        throw new Error('this host has no blob');
      },
    });
    const { leg } = await ring(harness, 'user');
    const { id } = await callOfLeg(harness, leg);
    await vi.waitUntil(() => slow.allocated.includes(id), WAIT);
    await harness.request('DELETE', `/v1/calls/${id}`);
    gate.resolve();
    const call = await harness.reaches(id, 'terminated');
    expect(call.result?.cause).toBe('hung_up');
    expect(harness.graph.count('POST', `${leg.id}/reject`)).toBe(1);
    await harness.disconnect(slow);
  });

  it('keeps what joins its meeting again in the record, and shows none of it', async () => {
    const { id } = await answeredCall(harness, 'policyRecording');
    const record = JSON.stringify(await harness.registry.readCall(id));
    expect(record).toContain(MEETING_TOKEN);
    expect(record).toContain(CALLER_NAME);
    const shown = JSON.stringify(await harness.call(id));
    expect(shown).not.toContain(MEETING_TOKEN);
    expect(shown).not.toContain('user-carla');
    expect(shown).toContain('USEA');
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('which calls are answered', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
  });
  afterEach(() => harness.stop());
  afterAll(() => harness.close());

  it.each([
    [undefined, 'policyRecording', 'rejected_forbidden'],
    ['off', 'user', 'rejected_forbidden'],
    ['policyRecording', 'group', 'rejected_forbidden'],
  ] as const)('%s: not one of kind %s', async (setting, kind, cause) => {
    await harness.start({
      clock,
      environment: setting === undefined ? {} : { EARSHOT_INCOMING: setting },
    });
    const host = await harness.host();
    const { leg, response } = await ring(harness, kind);
    expect(response.status).toBe(202);
    const call = await callOfLeg(harness, leg, ({ state }) => state === 'terminated');
    expect(call.result?.cause).toBe(cause);
    const reject = harness.graph.requests.find(({ path }) => path.endsWith(`${leg.id}/reject`));
    expect(reject?.body).toEqual({ reason: 'forbidden' });
    expect(host.allocated).toEqual([]);
    await host.close();
  });

  it('policyRecording: one of a recording policy', async () => {
    await harness.start({ clock, environment: { EARSHOT_INCOMING: 'policyRecording' } });
    const host = await harness.host();
    const { id } = await answeredCall(harness, 'policyRecording');
    expect((await harness.call(id)).incoming?.scenario).toBe('policyRecording');
    await host.close();
  });

  it('one of another region is sent there', async () => {
    await harness.start({
      environment: {
        EARSHOT_INCOMING: 'all',
        EARSHOT_INCOMING_REDIRECTS: 'usea=https://us.example.com/v1/callbacks/incoming',
      },
    });
    const leg = harness.graph.ring(`${harness.signaling.url}/v1/callbacks/incoming`, TENANT);
    const token = await harness.graph.token({ tid: TENANT });
    const response = await fetch(leg.callbackUri, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ value: [incomingItem(leg, 'policyRecording')] }),
    });
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('https://us.example.com/v1/callbacks/incoming');
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { VirtualClock } from '@earshot/async';
import { checkType } from '@earshot/graph-metadata';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RingingSummary } from '../src/incoming/ringing-call.js';
import { GraphClient } from './graph-client.js';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const WAIT = { timeout: 50_000, interval: 10 };

let stage: Stage;
let clock: VirtualClock;
let graph: GraphClient;

beforeEach(async () => {
  clock = new VirtualClock(Date.now());
  stage = await openStage({ clock });
  vi.stubGlobal('fetch', stage.fetch);
  graph = await GraphClient.open(stage);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await stage.close();
});

async function ring(body: object): Promise<string> {
  const answer = await graph.send('POST', '/sandbox/incoming', {
    webhook: stage.bot.uri('webhook'),
    ...body,
  });
  expect(answer.status).toBe(201);
  return String(answer.body['id']);
}

async function seen(id: string): Promise<RingingSummary> {
  const { body } = await graph.send('GET', `/sandbox/incoming/${id}`);
  return body as unknown as RingingSummary;
}

const until = (id: string, holds: (call: RingingSummary) => boolean): Promise<RingingSummary> =>
  vi.waitUntil(async () => {
    const call = await seen(id);
    return holds(call) && call;
  }, WAIT);

function answerBody(key: string, more: object = {}): object {
  return {
    callbackUri: stage.bot.uri(key),
    acceptedModalities: ['audio'],
    ...graph.appHosted(),
    ...more,
  };
}

describe('a call that rings', () => {
  it('is told to the webhook with a token of its tenant, after the older format where wanted', async () => {
    stage.bot.answers.push(204);
    const id = await ring({ kind: 'policyRecording', legacyFirst: true });
    const { data, claims } = await stage.bot.untilState('webhook', 'incoming');
    expect(claims['tid']).toBe(stage.sandbox.ready.tenantId);
    expect(data).toMatchObject({
      id,
      direction: 'incoming',
      meetingInfo: { token: expect.any(String) },
      applicationMetadata: { botData: { inviteReasons: ['PolicyBasedRecording'] } },
    });
    const faults = stage.bot.bodies.flatMap((body) =>
      checkType('commsNotifications', body, { from: 'service' }),
    );
    expect(faults).toEqual([]);
  });

  it('is set up under the same id once it is answered, and hears its meeting', async () => {
    const id = await ring({ kind: 'group' });
    await stage.bot.untilState('webhook', 'incoming');
    expect((await graph.send('POST', `/${id}/answer`, answerBody('call'))).status).toBe(202);
    clock.advance(200);
    await stage.bot.untilState('call', 'established');
    expect((await graph.send('GET', `/${id}`)).body).toMatchObject({
      id,
      direction: 'incoming',
      state: 'established',
    });
    expect(await seen(id)).toMatchObject({ state: 'answered' });
    expect(await graph.refusal('POST', `/${id}/answer`, answerBody('again'))).toBe('409/8519');
    const status = { clientContext: 'x', status: 'recording' };
    expect(await graph.refusal('POST', `/${id}/updateRecordingStatus`, status)).toBe('403/8506');
  });

  it.each([
    ['user', 15_000],
    ['policyRecording', 5_000],
  ])('as %s ends with 8587 when nothing was done within %d ms', async (kind, limitMs) => {
    const id = await ring({ kind });
    // One that the bot did not take would end otherwise.
    await until(id, ({ isAcknowledged }) => isAcknowledged);
    clock.advance(limitMs - 1);
    expect(await seen(id)).toMatchObject({ state: 'ringing' });
    clock.advance(1);
    const { data } = await stage.bot.untilState('webhook', 'terminated');
    expect(data).toMatchObject({ resultInfo: { subcode: 8587 } });
    expect(await graph.refusal('POST', `/${id}/answer`, answerBody('late'))).toBe('404/8522');
  });

  it('ends with 8586 when the bot does not take it', async () => {
    stage.bot.answers.push(400);
    const id = await ring({ kind: 'user' });
    await until(id, ({ state }) => state === 'notAcknowledged');
    const { data } = await stage.bot.untilState('webhook', 'terminated');
    expect(data).toMatchObject({ resultInfo: { subcode: 8586 } });
  });

  it('may be rejected, and is over then', async () => {
    const id = await ring({ kind: 'user' });
    await stage.bot.untilState('webhook', 'incoming');
    expect((await graph.send('POST', `/${id}/reject`, { reason: 'busy' })).status).toBe(202);
    await stage.bot.untilState('webhook', 'terminated');
    expect(await seen(id)).toMatchObject({ state: 'rejected', reason: 'busy' });
  });

  it('may be sent to other parties', async () => {
    const id = await ring({ kind: 'user' });
    await stage.bot.untilState('webhook', 'incoming');
    const targets = [
      {
        '@odata.type': '#microsoft.graph.invitationParticipantInfo',
        identity: {
          '@odata.type': '#microsoft.graph.identitySet',
          user: { '@odata.type': '#microsoft.graph.identity', id: crypto.randomUUID() },
        },
      },
    ];
    const answer = await graph.send('POST', `/${id}/redirect`, { targets, timeout: 60 });
    expect(answer.status).toBe(202);
    expect(await seen(id)).toMatchObject({ state: 'redirected' });
  });

  it('is refused an answer that lacks what Graph wants', async () => {
    const id = await ring({ kind: 'user' });
    const { callbackUri: _, ...body } = answerBody('x') as Record<string, unknown>;
    expect(await graph.refusal('POST', `/${id}/answer`, body)).toBe('400/8523');
    expect(await graph.refusal('POST', `/${crypto.randomUUID()}/reject`, {})).toBe('404/8522');
  });
});

describe('a recording of several', () => {
  it('asks the bot about each, and takes its answer from the response', async () => {
    const asked: Record<string, unknown>[] = [];
    const replies = ['acceptJoinResponse', 'acceptJoinResponse', 'rejectJoinResponse', 'nonsense'];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on('end', () => {
        const body: Record<string, unknown> = JSON.parse(text);
        const isAbout = String(body['@odata.type']).startsWith('#microsoft.graph.participant');
        if (isAbout) asked.push(body);
        const isJoining = String(body['@odata.type']).includes('Joining');
        const type = `#microsoft.graph.${isJoining ? replies.shift() : ''}`;
        response.writeHead(isJoining ? 200 : 202).end(JSON.stringify({ '@odata.type': type }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stage.closers.defer(async () => void server.close());
    const parties = ['Bo', 'Cy', 'Di', 'Ed'].map((displayName, n) => ({
      displayName,
      joinAfterMs: 1_000 * (n + 1),
      ...(n === 0 ? { leaveAfterMs: 500 } : {}),
    }));
    const id = await ring({ kind: 'policyRecording', participants: parties });
    await stage.bot.untilState('webhook', 'incoming');
    const callbackUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/call`;
    const answer = answerBody('unused', { callbackUri, participantCapacity: 3 });
    expect((await graph.send('POST', `/${id}/answer`, answer)).status).toBe(202);
    for (let n = 1; n <= 4; n += 1) {
      clock.advance(1_000);
      await until(id, ({ parties: told }) => told.length === n);
    }
    const call = await seen(id);
    expect(call).toMatchObject({ state: 'answered', participantCapacity: 3 });
    expect(call.parties.map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'accepted',
      'rejected',
      'invalid',
    ]);
    await vi.waitUntil(() => asked.length === 5, WAIT);
    const left = asked.find((body) => String(body['@odata.type']).includes('Left'));
    expect(left?.['participantId']).toBe(call.parties[0]?.participantId);
    const status = { clientContext: 'x', status: 'recording' };
    const told = await graph.send('POST', `/${id}/updateRecordingStatus`, status);
    expect([told.status, told.body['status']]).toEqual([200, 'completed']);
  });
});

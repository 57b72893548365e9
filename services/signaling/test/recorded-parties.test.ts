import { VirtualClock } from '@earshot/async';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphLeg } from './support/graph-server.js';
import type { TestHost } from './support/harness.js';
import { Harness } from './support/harness.js';
import { answeredCall, OBSERVED } from './support/incoming.js';

const ACCEPTED = { '@odata.type': '#microsoft.graph.acceptJoinResponse' };
const REJECTED = { '@odata.type': '#microsoft.graph.rejectJoinResponse', reason: 'busy' };

describe('recording several participants in one call', () => {
  let harness: Harness;
  let host: TestHost;
  let leg: GraphLeg;
  /** Stands still: no call is answered too late for a slow machine. */
  const clock = new VirtualClock();

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({
      clock,
      environment: { EARSHOT_INCOMING: 'policyRecording', EARSHOT_PARTICIPANT_CAPACITY: '3' },
    });
    host = await harness.host({ capacity: 2 });
    ({ leg } = await answeredCall(harness, 'policyRecording'));
  });
  afterAll(() => harness.close());

  const invited = () => ({
    '@odata.type': '#microsoft.graph.inviteNewBotResponse',
    inviteUri: `${harness.signaling.url}/v1/callbacks/incoming`,
  });

  async function tell(kind: 'Joining' | 'Left', participantId: string, where = leg.callbackUri) {
    const call = {
      '@odata.type': '#microsoft.graph.call',
      id: leg.id,
      source: { id: participantId },
    };
    const body = {
      '@odata.type': `#microsoft.graph.participant${kind}Notification`,
      call,
      ...(kind === 'Left' ? { participantId } : {}),
    };
    const response = await harness.graph.post(JSON.stringify(body), { leg, callbackUri: where });
    const text = await response.text();
    const said: unknown = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, said };
  }

  it('is offered with the answer', () => {
    const answer = harness.graph.requests.find(({ path }) => path.endsWith('/answer'));
    expect(answer?.body?.['participantCapacity']).toBe(3);
  });

  it('takes as many as there is room for, the one that it began with among them', async () => {
    expect(await tell('Joining', OBSERVED)).toEqual({ status: 200, said: ACCEPTED });
    expect((await tell('Joining', 'p-2')).said).toEqual(ACCEPTED);
    expect((await tell('Joining', 'p-3')).said).toEqual(ACCEPTED);
    expect((await tell('Joining', 'p-3')).said).toEqual(ACCEPTED);
    expect((await tell('Joining', 'p-4')).said).toEqual(invited());
  });

  it('frees the place of those who leave, once', async () => {
    expect((await tell('Left', 'p-2')).status).toBe(202);
    expect((await tell('Left', 'p-2')).status).toBe(202);
    expect((await tell('Joining', 'p-4')).said).toEqual(ACCEPTED);
    expect((await tell('Joining', 'p-5')).said).toEqual(invited());
  });

  it('knows a participant by its id in any form', async () => {
    const id = '5f2b8c1e-0d7a-4c39-9b64-1a2e3d4c5b6a';
    await tell('Left', 'p-4');
    expect((await tell('Joining', id)).said).toEqual(ACCEPTED);
    expect((await tell('Joining', id.toUpperCase())).said).toEqual(ACCEPTED);
    await tell('Left', id.replaceAll('-', '').toUpperCase());
    expect((await tell('Joining', 'p-4')).said).toEqual(ACCEPTED);
    expect((await tell('Joining', 'p-5')).said).toEqual(invited());
  });

  it('is asked at the webhook as well, in the usual envelope', async () => {
    const item = {
      '@odata.type': '#microsoft.graph.commsNotification',
      changeType: 'updated',
      resourceUrl: `/communications/calls/${leg.id}`,
      resourceData: {
        '@odata.type': '#microsoft.graph.participantJoiningNotification',
        call: { source: { id: 'p-4' } },
      },
    };
    const response = await harness.graph.notify([item], {
      leg,
      callbackUri: `${harness.signaling.url}/v1/callbacks/incoming`,
    });
    expect(await response.json()).toEqual(ACCEPTED);
  });

  it('goes on in another process, with what the first one knew', async () => {
    const { pathname } = new URL(leg.callbackUri);
    await harness.stop();
    await harness.start({
      clock,
      environment: { EARSHOT_INCOMING: 'policyRecording', EARSHOT_PARTICIPANT_CAPACITY: '3' },
    });
    leg.callbackUri = harness.signaling.url + pathname;
    expect((await tell('Joining', 'p-4')).said).toEqual(ACCEPTED);
    await harness.disconnect(host);
    // Nobody could take a call of its own.
    expect((await tell('Joining', 'p-6')).said).toEqual(REJECTED);
  });
});

import { VirtualClock } from '@earshot/async';
import type { CallMedia, CallRef, CallTarget } from '@earshot/graph';
import { GraphCalls } from '@earshot/graph';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const FILE = { uri: 'https://media.example/a.wav' };

let stage: Stage;
/** Stands still but where a test moves it. */
const clock = new VirtualClock(Date.now());

beforeAll(async () => {
  stage = await openStage({ clock });
  const participants = [{ key: 'ada', displayName: 'Ada' }];
  await stage.sandbox.addMeeting({ name: 'long', durationMs: 3_600_000, participants });
});

afterAll(() => stage.close());

describe.each(['v1.0', 'beta'] as const)('the client of Graph, against %s', (version) => {
  let graph: GraphCalls;

  beforeAll(() => {
    const { graphBaseUrl, authorityUrl, callbackOpenIdUrl, callbackIssuer } = stage.sandbox.ready;
    graph = new GraphCalls({
      endpoints: {
        graphBaseUrl,
        authorityBaseUrl: authorityUrl,
        callbackOpenIdUrls: [callbackOpenIdUrl],
        callbackIssuers: [callbackIssuer],
      },
      tokens: stage.tokens,
      fetch: stage.fetch,
      version,
    });
  });

  async function open(key: string, media: CallMedia, target?: CallTarget): Promise<CallRef> {
    const { tenantId } = stage.sandbox.ready;
    const token = stage.sandbox.meetings().find(({ name }) => name === 'long')?.joinToken ?? '';
    const { graphCallId, state } = await graph.create({
      target: target ?? { kind: 'token', token },
      tenantId,
      callbackUri: stage.bot.uri(`${version}-${key}`),
      media,
      scenarioId: crypto.randomUUID(),
    });
    expect(state).toBe('establishing');
    clock.advance(1_000);
    await stage.bot.untilState(`${version}-${key}`, 'established');
    return { tenantId, graphCallId, media: media.kind };
  }

  function ownMedia(): CallMedia {
    const { blob } = stage.sandbox.mediaHost.allocate(`c_${crypto.randomUUID()}`);
    return { kind: 'appHosted', blob };
  }

  it('has all of a meeting with media of its own', async () => {
    const call = await open('own', ownMedia());
    expect(await graph.get(call)).toMatchObject({ state: 'established' });
    const [bot, ada] = await graph.listParticipants(call);
    const [sources, receivers] = [[bot?.id ?? ''], [ada?.id ?? '']];
    const participantId = ada?.id ?? '';
    expect(await graph.getParticipant(call, { participantId })).toEqual(ada);
    expect(await graph.mute(call)).toMatchObject({ status: 'completed' });
    expect(await graph.unmute(call)).toMatchObject({ type: 'unmuteParticipantOperation' });
    await graph.keepAlive(call);
    expect(await graph.sendDtmfTones(call, { tones: ['tone1'] })).toMatchObject({
      status: 'running',
    });
    await graph.changeScreenSharingRole(call, { role: 'sharer' });
    await expect(graph.updateRecordingStatus(call, { status: 'recording' })).rejects.toMatchObject({
      subcode: 8506,
    });
    await graph.addLargeGalleryView(call);
    const eve = { party: { kind: 'user', id: 'eve-id', displayName: 'Eve' } } as const;
    await graph.inviteParticipants(call, { participants: [eve] });
    await graph.startHoldMusic(call, { participantId });
    await graph.stopHoldMusic(call, { participantId });
    await graph.muteParticipant(call, { participantId });

    const pair = { routingMode: 'oneToOne', sources, receivers } as const;
    const group = await graph.createAudioRoutingGroup(call, pair);
    const groupId = group.id;
    const wide = { ...pair, routingMode: 'multicast' } as const;
    await graph.updateAudioRoutingGroup(call, { groupId, ...wide });
    expect(await graph.getAudioRoutingGroup(call, { groupId })).toEqual({ id: groupId, ...wide });
    expect(await graph.listAudioRoutingGroups(call)).toHaveLength(1);
    await graph.deleteAudioRoutingGroup(call, { groupId });

    await graph.removeParticipant(call, { participantId });
    await graph.delete(call);
    clock.advance(1_000);
    await stage.bot.untilState(`${version}-own`, 'terminated');
    await expect(graph.get(call)).rejects.toMatchObject({ status: 404, subcode: 8522 });
  });

  it('has the voice of a meeting whose media Graph hosts', async () => {
    const call = await open('voice', { kind: 'serviceHosted' });
    expect(await graph.subscribeToTone(call)).toMatchObject({ status: 'completed' });
    expect(await graph.playPrompt(call, { prompts: [FILE] })).toMatchObject({ status: 'running' });
    expect(await graph.recordResponse(call, { stopTones: ['#'] })).toMatchObject({
      type: 'recordOperation',
    });
    expect(await graph.cancelMediaProcessing(call)).toMatchObject({
      type: 'cancelMediaProcessingOperation',
    });
    await graph.delete(call);
  });

  it('calls people and a phone, and hands a call over', async () => {
    const { tenantId } = stage.sandbox.ready;
    const users = [{ id: 'ada-id', displayName: 'Ada' }];
    const one = await open('one', ownMedia(), { kind: 'users', users, tenantId });
    await graph.transfer(one, { target: { party: { kind: 'user', id: 'bob-id' } } });
    const several = { kind: 'users', users: [...users, { id: 'bob-id' }], tenantId } as const;
    await graph.delete(await open('several', { kind: 'serviceHosted' }, several));
    const phone = {
      kind: 'phone',
      phoneNumber: '+442079460000',
      applicationInstance: { id: 'our-number' },
      tenantId,
    } as const;
    await graph.delete(await open('phone', ownMedia(), phone));
  });

  it('tells of the quality of a device', async () => {
    await graph.logTeleconferenceDeviceQuality(stage.sandbox.ready.tenantId, {
      callChainId: '0622673d-9f69-49b3-9d4f-5ec64f42ecce',
      participantId: 'ea078406-b5d4-4d3c-b85e-90103dcec7f6',
      mediaLegId: 'bd9ee398-4b9d-42c7-8b8d-4e8efad9435f',
      deviceName: 'a room',
      deviceDescription: 'with a screen',
      channels: [{ kind: 'screenSharing', channelIndex: 1, inbound: { averageJitterMs: 12 } }],
    });
  });
});

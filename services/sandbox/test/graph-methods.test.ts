import { VirtualClock } from '@earshot/async';
import { checkType, faultText } from '@earshot/graph-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkScenario } from '../src/scenario/parse-scenario.js';
import { GraphClient, phoneTarget, userTarget } from './graph-client.js';
import type { Callback } from './test-bot.js';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const ONE_HOUR_MS = 3_600_000;
const ADA = { key: 'ada', displayName: 'Ada' };

let stage: Stage;
let graph: GraphClient;
let calls = 0;
/** Stands still but where a test moves it. */
const clock = new VirtualClock(Date.now());

beforeAll(async () => {
  stage = await openStage({ clock });
  graph = await GraphClient.open(stage);
  await stage.sandbox.addMeeting({ name: 'long', durationMs: ONE_HOUR_MS, participants: [ADA] });
});

afterAll(async () => {
  // Everything that any test was told or answered keeps to Graph's metadata.
  const told = stage.bot.bodies.map((value) => ({ type: 'commsNotifications', value }));
  const faults = [...told, ...graph.resources].flatMap(({ type, value }) =>
    checkType(type, value, { from: 'service' }).map((fault) => `${type}: ${faultText(fault)}`),
  );
  await stage.close();
  expect(graph.resources.length).toBeGreaterThan(40);
  expect(faults).toEqual([]);
});

interface Open {
  readonly key: string;
  /** Below the calls' own address. */
  readonly path: string;
}

/** A call that is established. */
async function open(body: object = graph.meeting('long')): Promise<Open> {
  calls += 1;
  const key = `call-${calls}`;
  const { status, body: call } = await graph.create(key, body);
  expect(status).toBe(201);
  clock.advance(1_000);
  await stage.bot.untilState(key, 'established');
  return { key, path: `/${call['id']}` };
}

/** Waits for the last word on an operation of this call. */
function operationEnd({ key }: Open, type: string): Promise<Callback> {
  return stage.bot.callbacks.first(
    ({ path, data }) =>
      path === `/callbacks/${key}` &&
      !Array.isArray(data) &&
      data['@odata.type'] === `#microsoft.graph.${type}`,
  );
}

/** The roster as Graph lists it: names or `bot`, in order. */
async function roster({ path }: Open): Promise<Record<string, unknown>[]> {
  const { body } = await graph.send('GET', `${path}/participants`);
  return body['value'] as Record<string, unknown>[];
}

const PROMPTS = [
  {
    '@odata.type': '#microsoft.graph.mediaPrompt',
    mediaInfo: { '@odata.type': '#microsoft.graph.mediaInfo', uri: 'https://a.example/b.wav' },
  },
];

describe('a call whose media Graph hosts', () => {
  it('plays a prompt and tells when it is over', async () => {
    const call = await open();
    const body = { prompts: PROMPTS, clientContext: 'hello' };
    const { body: operation } = await graph.send('POST', `${call.path}/playPrompt`, body);
    expect(operation).toMatchObject({ status: 'running', clientContext: 'hello' });
    clock.advance(1_000);
    const end = await operationEnd(call, 'playPromptOperation');
    expect(end).toMatchObject({
      changeType: 'deleted',
      resourceUrl: expect.stringContaining(`/operations/${operation['id']}`),
      data: { status: 'completed', clientContext: 'hello', resultInfo: { code: 200 } },
    });
    expect(await graph.refusal('POST', `${call.path}/playPrompt`, { prompts: [] })).toBe(
      '400/8523',
    );
  });

  it('records, one recording at a time, for as long as it may', async () => {
    const call = await open();
    const body = { maxRecordDurationInSeconds: 3 };
    await graph.send('POST', `${call.path}/recordResponse`, body);
    expect(await graph.refusal('POST', `${call.path}/recordResponse`, body)).toBe('409/8519');
    clock.advance(3_000);
    const { data } = await operationEnd(call, 'recordOperation');
    expect(data).toMatchObject({
      status: 'completed',
      resultInfo: { code: 200, subcode: 8515 },
      recordingAccessToken: expect.any(String),
    });
    const tooLong = { maxRecordDurationInSeconds: 121 };
    expect(await graph.refusal('POST', `${call.path}/recordResponse`, tooLong)).toBe('400/8523');
  });

  it('cancels what is playing', async () => {
    const call = await open();
    await graph.send('POST', `${call.path}/playPrompt`, { prompts: PROMPTS });
    await graph.send('POST', `${call.path}/microsoft.graph.cancelMediaProcessing`, {});
    const { data } = await operationEnd(call, 'playPromptOperation');
    expect(data).toMatchObject({ status: 'failed', resultInfo: { code: 400, subcode: 8508 } });
  });

  it('has no screen to share', async () => {
    const { path } = await open();
    const body = { role: 'sharer' };
    expect(await graph.refusal('POST', `${path}/changeScreenSharingRole`, body)).toBe('500/9999');
  });
});

describe('a call whose media the app hosts', () => {
  it('sends tones, one row at a time', async () => {
    const call = await open({ ...graph.meeting('long'), ...graph.appHosted() });
    const body = { tones: ['tone1', 'Pound'], clientContext: 'tones' };
    const { body: operation } = await graph.send('POST', `${call.path}/sendDtmfTones`, body);
    expect(operation).toMatchObject({ status: 'running' });
    expect(await graph.refusal('POST', `${call.path}/sendDtmfTones`, body)).toBe('409/8519');
    clock.advance(1_000);
    const { data } = await operationEnd(call, 'sendDtmfTonesOperation');
    expect(data).toMatchObject({ completionReason: 'completedSuccessfully' });
  });

  it('shows in the roster that it shares its screen', async () => {
    const call = await open({ ...graph.meeting('long'), ...graph.appHosted() });
    const change = `${call.path}/changeScreenSharingRole`;
    expect((await graph.send('POST', change, { role: 'Sharer' })).status).toBe(202);
    expect(await roster(call)).toMatchObject([
      {
        mediaStreams: [
          { mediaType: 'audio' },
          { mediaType: 'videoBasedScreenSharing', direction: 'sendOnly' },
        ],
      },
      {},
    ]);
    await graph.send('POST', change, { role: 'viewer' });
    expect(await roster(call)).toMatchObject([{ mediaStreams: [{ mediaType: 'audio' }] }, {}]);
  });
});

describe('participants of a call', () => {
  it('are invited, muted and removed; each is told in the roster', async () => {
    const call = await open();
    const participants = [userTarget('eve-id', 'Eve')];
    const { body: operation, headers } = await graph.send(
      'POST',
      `${call.path}/participants/invite`,
      { participants, clientContext: 'invitation' },
    );
    expect(operation).toMatchObject({ status: 'running', clientContext: 'invitation' });
    expect(headers.get('location')).toContain(String(operation['id']));
    clock.advance(1_000);
    await operationEnd(call, 'inviteParticipantsOperation');
    const [, ada, eve] = await roster(call);
    expect(eve).toMatchObject({ info: { identity: { user: { id: 'eve-id' } } } });

    const muted = await graph.send('POST', `${call.path}/participants/${eve?.['id']}/mute`, {});
    expect(muted.body).toMatchObject({ status: 'completed' });
    expect((await roster(call))[2]).toMatchObject({
      isMuted: true,
      mediaStreams: [{ serverMuted: true }],
    });

    const one = `${call.path}/participants/${ada?.['id']}`;
    expect((await graph.send('GET', one)).body).toMatchObject({ id: ada?.['id'] });
    expect((await graph.send('DELETE', one)).status).toBe(204);
    expect(await graph.refusal('DELETE', one)).toBe('404/NotFound');
    expect(await roster(call)).toHaveLength(2);
  });

  it('may be put on hold and given another view', async () => {
    const call = await open();
    const [, ada] = await roster(call);
    await graph.send('POST', `${call.path}/participants/${ada?.['id']}/startHoldMusic`, {});
    await graph.send('POST', `${call.path}/addLargeGalleryView`, {});
    clock.advance(1_000);
    await operationEnd(call, 'startHoldMusicOperation');
    await operationEnd(call, 'addLargeGalleryViewOperation');
  });

  it('hear one another in groups', async () => {
    const call = await open();
    const [bot, ada] = await roster(call);
    const groups = `${call.path}/audioRoutingGroups`;
    const pair = { routingMode: 'oneToOne', sources: [bot?.['id']], receivers: [ada?.['id']] };
    const { status, body: group } = await graph.send('POST', groups, pair);
    expect([status, group['routingMode']]).toEqual([201, 'oneToOne']);
    const many = { ...pair, receivers: [bot?.['id'], ada?.['id']] };
    expect(await graph.refusal('POST', groups, many)).toBe('400/8523');
    const strangers = { ...pair, receivers: ['nobody'] };
    expect(await graph.refusal('POST', groups, strangers)).toBe('400/8523');
    const change = { routingMode: 'multicast', receivers: many.receivers };
    const changed = await graph.send('PATCH', `${groups}/${group['id']}`, change);
    expect(changed.body).toMatchObject({ receivers: many.receivers, sources: pair.sources });
    expect((await graph.send('GET', groups)).body).toMatchObject({ value: [{ id: group['id'] }] });
    expect((await graph.send('DELETE', `${groups}/${group['id']}`)).status).toBe(204);
    expect(await graph.refusal('GET', `${groups}/${group['id']}`)).toBe('404/NotFound');
  });

  it('are told by their changes only where the bot wants that', async () => {
    const callOptions = {
      '@odata.type': '#microsoft.graph.outgoingCallOptions',
      isDeltaRosterEnabled: true,
    };
    const call = await open({ ...graph.meeting('long'), callOptions });
    const deltas = (): unknown[] =>
      stage.bot
        .of(call.key)
        .flatMap(({ data, resourceUrl }) => (resourceUrl.endsWith('participants') ? [data] : []));
    await stage.bot.callbacks.first(() => deltas().length === 2);
    const [, ada] = await roster(call);
    await graph.send('DELETE', `${call.path}/participants/${ada?.['id']}`);
    await stage.bot.callbacks.first(() => deltas().length === 3);
    expect(deltas()).toMatchObject([
      { sequenceNumber: 1, participants: [{ isInLobby: false }] },
      { sequenceNumber: 2, participants: [{ id: ada?.['id'] }] },
      { sequenceNumber: 3, participants: [{ id: ada?.['id'], removedState: {} }] },
    ]);
  });
});

describe('a call to people', () => {
  const phone = {
    targets: [phoneTarget('+442079460000')],
    source: {
      '@odata.type': '#microsoft.graph.participantInfo',
      identity: {
        '@odata.type': '#microsoft.graph.identitySet',
        applicationInstance: { '@odata.type': '#microsoft.graph.identity', id: 'our-number' },
      },
    },
  };

  it.each([
    ['one', { targets: [userTarget('ada-id')] }, false],
    ['a phone', phone, false],
    ['several', { targets: [userTarget('ada-id'), userTarget('bob-id')] }, true],
  ])('with %s is answered', async (_name, body, hasRoster) => {
    const call = await open(body);
    expect(stage.bot.states(call.key)).toEqual(['establishing', 'established']);
    await graph.send('DELETE', call.path);
    await stage.bot.untilState(call.key, 'terminated');
    expect(stage.bot.rosters(call.key).length > 0).toBe(hasRoster);
  });

  it('is handed on to somebody else, and is over then', async () => {
    const call = await open({ targets: [userTarget('ada-id')] });
    const body = { transferTarget: userTarget('bob-id') };
    expect((await graph.send('POST', `${call.path}/transfer`, body)).status).toBe(202);
    clock.advance(1_000);
    const end = await stage.bot.untilState(call.key, 'terminated');
    expect(end.data).toMatchObject({ resultInfo: { code: 0, subcode: 7015 } });
    expect(stage.bot.states(call.key)).toEqual([
      'establishing',
      'established',
      'transferring',
      'transferAccepted',
      'terminated',
    ]);
  });

  it.each(['mute', 'unmute'])('knows no %s', async (action) => {
    const { path } = await open({ targets: [userTarget('ada-id')] });
    expect(await graph.refusal('POST', `${path}/${action}`, {})).toBe('400/8548');
  });
});

describe('the permission of the moment', () => {
  const grant = (permissions: string[] | Record<string, string[]>): void => {
    stage.sandbox.scenarios.add(checkScenario({ name: 'permissions', permissions }));
  };
  const refusalNow = async (body: object): Promise<unknown> => {
    const answer = await graph.create('refused', body);
    return (answer.body['error'] as { code: string } | undefined)?.code;
  };

  afterEach(() => stage.sandbox.scenarios.clear());

  it.each([
    ['a meeting', () => graph.meeting('long'), 'Calls.JoinGroupCall.All'],
    ['one person', () => ({ targets: [userTarget('a')] }), 'Calls.Initiate.All'],
    [
      'several',
      () => ({ targets: [userTarget('a'), userTarget('b')] }),
      'Calls.InitiateGroupCall.All',
    ],
  ])('to call %s is asked for', async (_name, bodyNow, permission) => {
    grant(['Calls.AccessMedia.All']);
    expect(await refusalNow(bodyNow())).toBe('7504');
    grant([permission]);
    expect(await refusalNow(bodyNow())).toBeUndefined();
  });

  it('is that of the tenant', async () => {
    const { tenantId } = stage.sandbox.ready;
    grant({ '0f0e0d0c-0b0a-4908-8706-050403020100': [] });
    expect(await refusalNow(graph.meeting('long'))).toBeUndefined();
    grant({ [tenantId.toUpperCase()]: [] });
    expect(await refusalNow(graph.meeting('long'))).toBe('7504');
  });

  it('is worth nothing to an app that is not registered for calling', async () => {
    stage.sandbox.scenarios.add(checkScenario({ name: 'unregistered', registered: false }));
    expect(await refusalNow(graph.meeting('long'))).toBe('7503');
  });
});

describe('the quality of a device', () => {
  const quality = {
    '@odata.type': '#microsoft.graph.teleconferenceDeviceQuality',
    callChainId: '0622673d-9f69-49b3-9d4f-5ec64f42ecce',
    participantId: 'ea078406-b5d4-4d3c-b85e-90103dcec7f6',
    mediaLegId: 'bd9ee398-4b9d-42c7-8b8d-4e8efad9435f',
    deviceName: 'a room',
    deviceDescription: 'with a screen',
    mediaQualityList: [
      { '@odata.type': '#microsoft.graph.teleconferenceDeviceAudioQuality', channelIndex: 1 },
    ],
  };

  it('is taken where it is whole, under one of the two names', async () => {
    const name = 'logTeleconferenceDeviceQuality';
    expect((await graph.send('POST', `/${name}`, { quality })).status).toBe(200);
    const { mediaLegId: _, ...rest } = quality;
    expect(await graph.refusal('POST', `/${name}`, { quality: rest })).toBe('400/8523');
    const older = `/v1.0/app/calls/${name}`;
    expect((await graph.send('POST', older, { quality })).status).toBe(400);
  });
});

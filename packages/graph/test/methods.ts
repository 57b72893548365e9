import type { GraphCalls } from '../src/graph-calls.js';

/** One request of Graph: how it is asked for, and what must be sent and may be answered. */
export interface MethodCase {
  readonly name: keyof GraphCalls;
  readonly ask: (calls: GraphCalls) => Promise<unknown>;
  /** Method and path after the version. */
  readonly request: string;
  /** What the body must keep to: a type, or an action with what it is bound to. */
  readonly body?: { readonly type: string } | { readonly boundTo: string; readonly action: string };
  /** Properties that must be in the body, as sent. */
  readonly sends?: object;
  readonly status: number;
  readonly answer?: unknown;
  readonly gives?: unknown;
}

export const APP = { tenantId: 't-1', graphCallId: 'g-1', media: 'appHosted' } as const;
export const SERVICE = { ...APP, media: 'serviceHosted' } as const;

const CALL = '/communications/calls/g-1';
const CONTEXT = { clientContext: 'why' } as const;
const USER = { party: { kind: 'user', id: 'u-1', displayName: 'Ada', tenantId: 't-1' } } as const;
const PHONE = { party: { kind: 'phone', id: '+12065550100' } } as const;
const FILE = { uri: 'https://media.example/a.wav', resourceId: 'r-1' } as const;
const RAW_OPERATION = { id: 'o-1', status: 'Running', clientContext: 'why' } as const;
const OPERATION = { id: 'o-1', status: 'running', clientContext: 'why' } as const;
const RAW_GROUP = {
  id: 'a-1',
  routingMode: 'OneToOne',
  sources: ['p-1'],
  receivers: ['p-2'],
} as const;
const GROUP = { routingMode: 'oneToOne', sources: ['p-1'], receivers: ['p-2'] } as const;
const JOIN = {
  tenantId: 't-1',
  callbackUri: 'https://calls.example/v1/callbacks/k',
  media: { kind: 'appHosted', blob: 'opaque' },
  scenarioId: '6a1f6f9e-0000-4000-8000-000000000000',
} as const;
const CREATED = {
  id: 'g-1',
  state: 'establishing',
  chatInfo: { threadId: '19:a@thread.v2' },
} as const;

function operation(
  name: keyof GraphCalls,
  action: string,
  ask: MethodCase['ask'],
  sends: object = CONTEXT,
  path = `/${action}`,
  boundTo = 'call',
): MethodCase {
  return {
    name,
    ask,
    request: `POST ${CALL}${path}`,
    body: { boundTo, action },
    sends,
    status: 200,
    answer: RAW_OPERATION,
    gives: OPERATION,
  };
}

function create(ask: MethodCase['ask'], sends: object): MethodCase {
  return {
    name: 'create',
    ask,
    request: 'POST /communications/calls',
    body: { type: 'call' },
    sends,
    status: 201,
    answer: CREATED,
    gives: { graphCallId: 'g-1', state: 'establishing', chatInfo: CREATED.chatInfo },
  };
}

function action(name: keyof GraphCalls, ask: MethodCase['ask'], sends: object): MethodCase {
  const body = { boundTo: 'call', action: name };
  return { name, ask, request: `POST ${CALL}/${name}`, body, sends, status: 202 };
}

export const NEW_CALLS: readonly MethodCase[] = [
  create(
    (calls) =>
      calls.create({
        ...JOIN,
        target: {
          kind: 'organizer',
          threadId: '19:meeting_a@thread.v2',
          messageId: '0',
          tenantId: 't-1',
          organizerId: 'o-1',
        },
        options: { isDeltaRosterEnabled: true },
        displayName: 'Notes',
      }),
    {
      chatInfo: { threadId: '19:meeting_a@thread.v2' },
      meetingInfo: { organizer: { user: { id: 'o-1', tenantId: 't-1' } } },
      callOptions: {
        '@odata.type': '#microsoft.graph.outgoingCallOptions',
        isDeltaRosterEnabled: true,
      },
      source: { identity: { guest: { displayName: 'Notes' } } },
    },
  ),
  create((calls) => calls.create({ ...JOIN, target: { kind: 'token', token: 'secret' } }), {
    meetingInfo: { '@odata.type': '#microsoft.graph.tokenMeetingInfo', token: 'secret' },
  }),
  create(
    (calls) =>
      calls.create({
        ...JOIN,
        target: { kind: 'joinMeetingId', joinMeetingId: '123', passcode: 'p' },
        media: { kind: 'serviceHosted', preFetchMedia: [FILE] },
      }),
    {
      meetingInfo: { joinMeetingId: '123', passcode: 'p' },
      mediaConfig: {
        '@odata.type': '#microsoft.graph.serviceHostedMediaConfig',
        preFetchMedia: [FILE],
      },
    },
  ),
  create(
    (calls) =>
      calls.create({
        ...JOIN,
        target: { kind: 'users', users: [{ id: 'u-1', displayName: 'Ada' }], tenantId: 't-1' },
        media: { kind: 'serviceHosted' },
        source: { kind: 'application', id: 'app-1', displayName: 'Bot' },
      }),
    {
      targets: [{ identity: { user: { id: 'u-1', displayName: 'Ada' } } }],
      source: { identity: { application: { id: 'app-1' } } },
    },
  ),
  create(
    (calls) =>
      calls.create({
        ...JOIN,
        target: {
          kind: 'users',
          users: ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id })),
          tenantId: 't-1',
        },
        modalities: ['audio', 'videoBasedScreenSharing'],
      }),
    {
      targets: ['a', 'b', 'c', 'd', 'e'].map((id) => ({ identity: { user: { id } } })),
      requestedModalities: ['audio', 'videoBasedScreenSharing'],
    },
  ),
  create(
    (calls) =>
      calls.create({
        ...JOIN,
        target: {
          kind: 'phone',
          phoneNumber: '+12065550100',
          applicationInstance: { id: 'i-1', displayName: 'Line' },
          tenantId: 't-1',
        },
      }),
    {
      source: { identity: { applicationInstance: { id: 'i-1', displayName: 'Line' } } },
      targets: [{ identity: { phone: { id: '+12065550100' } } }],
    },
  ),
  create(
    (calls) => calls.create({ ...JOIN, target: { kind: 'chat', threadId: '19:a@thread.v2' } }),
    {
      chatInfo: { threadId: '19:a@thread.v2' },
    },
  ),
];

const READS: readonly MethodCase[] = [
  {
    name: 'get',
    ask: (calls) => calls.get({ ...APP, graphCallId: 'g/1' }),
    request: 'GET /communications/calls/g%2F1',
    status: 200,
    answer: { id: 'g-1', state: 'Established', resultInfo: { code: '0', subcode: 0 }, new: 1 },
    gives: { state: 'established', resultInfo: { code: 0, subcode: 0 } },
  },
  {
    name: 'listParticipants',
    ask: (calls) => calls.listParticipants(APP),
    request: `GET ${CALL}/participants`,
    status: 200,
    answer: { value: [{ id: 'p-1', isMuted: true }, { isMuted: true }, 7] },
    gives: [{ id: 'p-1', isMuted: true, isRemoved: false }],
  },
  {
    name: 'getParticipant',
    ask: (calls) => calls.getParticipant(APP, { participantId: 'p/1' }),
    request: `GET ${CALL}/participants/p%2F1`,
    status: 200,
    answer: { id: 'p/1', isInLobby: false },
    gives: { id: 'p/1', isInLobby: false, isRemoved: false },
  },
];

const OPERATIONS: readonly MethodCase[] = [
  operation('mute', 'mute', (calls) => calls.mute(APP, CONTEXT)),
  operation('unmute', 'unmute', (calls) => calls.unmute(SERVICE, CONTEXT)),
  operation(
    'playPrompt',
    'playPrompt',
    (calls) => calls.playPrompt(SERVICE, { ...CONTEXT, prompts: [FILE] }),
    { prompts: [{ '@odata.type': '#microsoft.graph.mediaPrompt', mediaInfo: FILE }] },
  ),
  operation(
    'recordResponse',
    'recordResponse',
    (calls) =>
      calls.recordResponse(SERVICE, {
        prompt: FILE,
        bargeInAllowed: true,
        initialSilenceTimeoutSeconds: 10,
        maxSilenceTimeoutSeconds: 20,
        maxRecordDurationSeconds: 120,
        playBeep: false,
        stopTones: ['#'],
      }),
    {
      prompts: [{ mediaInfo: FILE }],
      bargeInAllowed: true,
      initialSilenceTimeoutInSeconds: 10,
      maxSilenceTimeoutInSeconds: 20,
      maxRecordDurationInSeconds: 120,
      playBeep: false,
      stopTones: ['#'],
    },
  ),
  operation('cancelMediaProcessing', 'cancelMediaProcessing', (calls) =>
    calls.cancelMediaProcessing(SERVICE, CONTEXT),
  ),
  operation('subscribeToTone', 'subscribeToTone', (calls) =>
    calls.subscribeToTone(SERVICE, CONTEXT),
  ),
  operation(
    'sendDtmfTones',
    'sendDtmfTones',
    (calls) => calls.sendDtmfTones(APP, { tones: ['tone1', 'flash'], delayBetweenTonesMs: 250 }),
    { tones: ['tone1', 'flash'], delayBetweenTonesMs: 250 },
  ),
  operation(
    'updateRecordingStatus',
    'updateRecordingStatus',
    (calls) => calls.updateRecordingStatus(APP, { ...CONTEXT, status: 'recording' }),
    { ...CONTEXT, status: 'recording' },
  ),
  operation('addLargeGalleryView', 'addLargeGalleryView', (calls) =>
    calls.addLargeGalleryView(APP, CONTEXT),
  ),
  operation(
    'inviteParticipants',
    'invite',
    (calls) =>
      calls.inviteParticipants(APP, {
        participants: [{ ...USER, isHidden: true, replacesCallId: 'g-2' }, PHONE],
      }),
    {
      participants: [
        {
          identity: { user: { id: 'u-1', displayName: 'Ada' } },
          hidden: true,
          replacesCallId: 'g-2',
        },
        { identity: { phone: { id: '+12065550100' } } },
      ],
    },
    '/participants/invite',
    'Collection(participant)',
  ),
  operation(
    'muteParticipant',
    'mute',
    (calls) => calls.muteParticipant(APP, { ...CONTEXT, participantId: 'p/1' }),
    CONTEXT,
    '/participants/p%2F1/mute',
    'participant',
  ),
  operation(
    'startHoldMusic',
    'startHoldMusic',
    (calls) => calls.startHoldMusic(APP, { ...CONTEXT, participantId: 'p' }),
    CONTEXT,
    '/participants/p/startHoldMusic',
    'participant',
  ),
  operation(
    'startHoldMusic',
    'startHoldMusic',
    (calls) => calls.startHoldMusic(SERVICE, { customPrompt: FILE, participantId: 'p' }),
    { customPrompt: { mediaInfo: FILE } },
    '/participants/p/startHoldMusic',
    'participant',
  ),
  operation(
    'stopHoldMusic',
    'stopHoldMusic',
    (calls) => calls.stopHoldMusic(APP, { ...CONTEXT, participantId: 'p' }),
    CONTEXT,
    '/participants/p/stopHoldMusic',
    'participant',
  ),
];

const ACTIONS: readonly MethodCase[] = [
  { name: 'delete', ask: (calls) => calls.delete(APP), request: `DELETE ${CALL}`, status: 204 },
  {
    name: 'keepAlive',
    ask: (calls) => calls.keepAlive(APP),
    request: `POST ${CALL}/keepAlive`,
    status: 200,
  },
  {
    ...action(
      'changeScreenSharingRole',
      (calls) => calls.changeScreenSharingRole(APP, { role: 'sharer' }),
      { role: 'sharer' },
    ),
  },
  action(
    'answer',
    (calls) =>
      calls.answer(APP, {
        callbackUri: JOIN.callbackUri,
        media: JOIN.media,
        participantCapacity: 50,
        options: { isDeltaRosterEnabled: true },
      }),
    {
      callbackUri: JOIN.callbackUri,
      mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig', blob: 'opaque' },
      acceptedModalities: ['audio'],
      participantCapacity: 50,
      callOptions: {
        '@odata.type': '#microsoft.graph.incomingCallOptions',
        isDeltaRosterEnabled: true,
      },
    },
  ),
  action('reject', (calls) => calls.reject(APP, { reason: 'busy' }), { reason: 'busy' }),
  action(
    'redirect',
    (calls) => calls.redirect(APP, { targets: [USER, PHONE], timeoutSeconds: 30 }),
    { targets: [{}, {}], timeout: 30 },
  ),
  action(
    'transfer',
    (calls) =>
      calls.transfer(APP, { target: { ...USER, replacesCallId: 'g-2' }, transferee: PHONE.party }),
    {
      transferTarget: { identity: { user: { id: 'u-1' } }, replacesCallId: 'g-2' },
      transferee: { identity: { phone: { id: '+12065550100' } } },
    },
  ),
  {
    name: 'removeParticipant',
    ask: (calls) => calls.removeParticipant(APP, { participantId: 'p/1' }),
    request: `DELETE ${CALL}/participants/p%2F1`,
    status: 204,
  },
  {
    name: 'logTeleconferenceDeviceQuality',
    ask: (calls) =>
      calls.logTeleconferenceDeviceQuality('t-1', {
        callChainId: '0622673d-9f69-49b3-9d4f-5ec64f42ecce',
        participantId: 'ea078406-b5d4-4d3c-b85e-90103dcec7f6',
        mediaLegId: 'bd9ee398-4b9d-42c7-8b8d-4e8efad9435f',
        deviceName: 'Room',
        deviceDescription: 'Unit',
        cloudService: {
          name: 'interop',
          instanceName: 'i',
          deploymentId: 'd',
          deploymentEnvironment: 'e',
        },
        channels: [
          {
            kind: 'video',
            channelIndex: 1,
            mediaDurationMs: 1_200_000,
            networkLinkSpeedBytes: 13_000,
            local: { address: '192.0.2.1', port: 5_000 },
            remote: { address: '192.0.2.2', port: 5_001 },
            inbound: {
              packets: 5_500,
              averagePacketLossPercent: 0.1,
              averageJitterMs: 12.4,
              averageBitRate: 1e6,
            },
            outbound: { maximumRoundTripMs: 70, averageFrameRate: 29.5 },
          },
          { kind: 'audio', channelIndex: 2 },
        ],
      }),
    request: 'POST /communications/calls/logTeleconferenceDeviceQuality',
    body: { boundTo: 'Collection(call)', action: 'logTeleconferenceDeviceQuality' },
    sends: {
      quality: {
        cloudServiceDeploymentId: 'd',
        mediaQualityList: [
          {
            '@odata.type': '#microsoft.graph.teleconferenceDeviceVideoQuality',
            mediaDuration: 'PT1200.000S',
            averageInboundJitter: 'PT0.012S',
            maximumOutboundRoundTripDelay: 'PT0.070S',
            averageOutboundFrameRate: 29.5,
          },
          { '@odata.type': '#microsoft.graph.teleconferenceDeviceAudioQuality', channelIndex: 2 },
        ],
      },
    },
    status: 200,
  },
];

const GROUPS: readonly MethodCase[] = [
  {
    name: 'listAudioRoutingGroups',
    ask: (calls) => calls.listAudioRoutingGroups(APP),
    request: `GET ${CALL}/audioRoutingGroups`,
    status: 200,
    answer: { value: [RAW_GROUP, {}] },
    gives: [{ id: 'a-1', ...GROUP }],
  },
  {
    name: 'createAudioRoutingGroup',
    ask: (calls) => calls.createAudioRoutingGroup(APP, GROUP),
    request: `POST ${CALL}/audioRoutingGroups`,
    body: { type: 'audioRoutingGroup' },
    sends: GROUP,
    status: 201,
    answer: RAW_GROUP,
    gives: { id: 'a-1', ...GROUP },
  },
  {
    name: 'getAudioRoutingGroup',
    ask: (calls) => calls.getAudioRoutingGroup(APP, { groupId: 'a/1' }),
    request: `GET ${CALL}/audioRoutingGroups/a%2F1`,
    status: 200,
    answer: RAW_GROUP,
    gives: { id: 'a-1', ...GROUP },
  },
  {
    name: 'updateAudioRoutingGroup',
    ask: (calls) =>
      calls.updateAudioRoutingGroup(APP, { groupId: 'a-1', ...GROUP, routingMode: 'multicast' }),
    request: `PATCH ${CALL}/audioRoutingGroups/a-1`,
    body: { type: 'audioRoutingGroup' },
    sends: { ...GROUP, routingMode: 'multicast' },
    status: 200,
    answer: { ...RAW_GROUP, routingMode: 'multicast', receivers: null },
    gives: { id: 'a-1', ...GROUP, routingMode: 'multicast', receivers: [] },
  },
  {
    name: 'deleteAudioRoutingGroup',
    ask: (calls) => calls.deleteAudioRoutingGroup(APP, { groupId: 'a-1' }),
    request: `DELETE ${CALL}/audioRoutingGroups/a-1`,
    status: 204,
  },
];

export const METHODS: readonly MethodCase[] = [
  ...NEW_CALLS,
  ...READS,
  ...OPERATIONS,
  ...ACTIONS,
  ...GROUPS,
];

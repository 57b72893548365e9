/** Bodies as Graph's documents show them, as few properties as each may have. */

const GRAPH = '#microsoft.graph.';

export const APP_HOSTED = {
  '@odata.type': `${GRAPH}appHostedMediaConfig`,
  blob: 'opaque',
} as const;
export const SERVICE_HOSTED = { '@odata.type': `${GRAPH}serviceHostedMediaConfig` } as const;
export const USER = { identity: { user: { id: 'u-1', displayName: 'Ada' } } } as const;
export const PROMPT = {
  '@odata.type': `${GRAPH}mediaPrompt`,
  mediaInfo: { uri: 'https://media.example/a.wav', resourceId: 'r-1' },
} as const;

const BASE = {
  '@odata.type': `${GRAPH}call`,
  callbackUri: 'https://calls.example/v1/callbacks/k',
  requestedModalities: ['audio'],
  mediaConfig: APP_HOSTED,
} as const;

export const NEW_CALLS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  organizer: {
    ...BASE,
    chatInfo: { threadId: '19:meeting_a@thread.v2', messageId: '0' },
    meetingInfo: {
      '@odata.type': `${GRAPH}organizerMeetingInfo`,
      organizer: { user: { id: 'o-1', tenantId: 't-1' } },
      allowConversationWithoutHost: true,
    },
    tenantId: 't-1',
    callOptions: { '@odata.type': `${GRAPH}outgoingCallOptions`, isDeltaRosterEnabled: true },
  },
  token: {
    ...BASE,
    meetingInfo: { '@odata.type': `${GRAPH}tokenMeetingInfo`, token: 'secret' },
  },
  meetingId: {
    ...BASE,
    meetingInfo: {
      '@odata.type': `${GRAPH}joinMeetingIdMeetingInfo`,
      joinMeetingId: '1234567',
      passcode: null,
    },
    tenantId: 't-1',
  },
  user: { ...BASE, mediaConfig: SERVICE_HOSTED, targets: [USER] },
  group: { ...BASE, targets: [USER, USER, USER, USER, USER] },
  phone: {
    ...BASE,
    source: { identity: { applicationInstance: { id: 'i-1', displayName: 'Line' } } },
    targets: [{ identity: { phone: { id: '+12065550100' } } }],
  },
  chat: { ...BASE, chatInfo: { threadId: '19:a@thread.v2' } },
};

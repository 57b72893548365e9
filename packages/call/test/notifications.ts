/** Bodies as Graph sends them, for one meeting that a bot joins and is removed from. */

export const CALL_ID = '57dab8b1-894c-409a-b240-bd8beae78896';
export const BOT_ID = '0d7664b6-6432-43ed-8d27-d9e7adec188c';
export const ADA_ID = 'a7ebfb2d-871e-419c-87af-27290b22e8db';
export const GRACE_ID = '41f1b9d5-0a4f-4a1f-9d0f-3f6d8f0c0a11';

const GRAPH = '#microsoft.graph.';

export function body(item: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    '@odata.type': `${GRAPH}commsNotifications`,
    value: [{ '@odata.type': `${GRAPH}commsNotification`, ...item }],
  };
}

/** A notification of the call itself. */
export function callBody(
  changeType: string,
  properties: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return body({
    changeType,
    resource: `/app/calls/${CALL_ID}`,
    resourceUrl: `/communications/calls/${CALL_ID}`,
    resourceData: {
      '@odata.type': `${GRAPH}call`,
      '@odata.id': `/communications/calls/${CALL_ID}`,
      '@odata.etag': 'W/"5445"',
      ...properties,
    },
  });
}

/** A notification of the whole roster, every entry with the roster's number. */
export function rosterBody(
  rosterSequenceNumber: number | string,
  participants: readonly Readonly<Record<string, unknown>>[],
): Readonly<Record<string, unknown>> {
  return body({
    changeType: 'updated',
    resource: `/app/calls/${CALL_ID}/participants`,
    resourceUrl: `/communications/calls/${CALL_ID}/participants`,
    resourceData: participants.map((entry) => ({ rosterSequenceNumber, ...entry })),
  });
}

/** An operation's notification. */
export function operationBody(
  changeType: string,
  status: string,
): Readonly<Record<string, unknown>> {
  return body({
    changeType,
    resourceUrl: `/communications/calls/${CALL_ID}/operations/0FE0623FD62842EDB4BD8AC290072CC5`,
    resourceData: {
      '@odata.type': `${GRAPH}muteParticipantOperation`,
      id: '0FE0623FD62842EDB4BD8AC290072CC5',
      status,
      clientContext: 'why',
      resultInfo: status === 'running' ? null : { code: 200, subcode: 0 },
    },
  });
}

export const BOT = {
  '@odata.type': `${GRAPH}participant`,
  id: BOT_ID,
  info: {
    '@odata.type': `${GRAPH}participantInfo`,
    identity: {
      '@odata.type': `${GRAPH}identitySet`,
      user: null,
      application: { '@odata.type': `${GRAPH}identity`, id: 'app-1', displayName: 'Notes bot' },
    },
    endpointType: 'default',
  },
  mediaStreams: [
    {
      mediaType: 'audio',
      label: 'main-audio',
      sourceId: '1',
      direction: 'sendReceive',
      serverMuted: false,
    },
  ],
  isMuted: false,
  isInLobby: false,
} as const;

export const ADA = {
  '@odata.type': `${GRAPH}participant`,
  id: ADA_ID,
  info: {
    identity: {
      user: {
        id: 'ada-oid',
        displayName: 'Ada Lovelace',
        tenantId: 'tenant-1',
        identityProvider: 'AAD',
      },
    },
    languageId: 'en-GB',
  },
  mediaStreams: [
    {
      mediaType: 'audio',
      label: 'main-audio',
      sourceId: '213',
      direction: 'sendReceive',
      serverMuted: false,
    },
    { mediaType: 'video', label: 'main-video', sourceId: '214', direction: 'receiveOnly' },
    { mediaType: 'videoBasedScreenSharing', label: 'applicationsharing-video', sourceId: '215' },
  ],
  isMuted: true,
  isInLobby: false,
} as const;

export const GRACE = {
  id: GRACE_ID,
  info: {
    identity: { guest: { id: 'guest-1', displayName: 'Grace (Guest)', email: 'g@example.com' } },
  },
  mediaStreams: [{ mediaType: 'Audio', sourceId: 301 }],
  isMuted: false,
  isInLobby: false,
} as const;

/** A real sequence, in order: what a bot gets of one meeting. */
export const SEQUENCE: readonly Readonly<Record<string, unknown>>[] = [
  callBody('updated', { state: 'establishing', callChainId: 'chain-1' }),
  callBody('updated', {
    state: 'established',
    myParticipantId: BOT_ID,
    mediaState: { audio: 'inactive' },
  }),
  rosterBody(1, [{ ...BOT, isInLobby: true }]),
  callBody('updated', { mediaState: { audio: 'active' } }),
  rosterBody(2, [BOT, ADA]),
  callBody('updated', { state: 'established' }),
  rosterBody(3, [BOT, { ...ADA, isMuted: false }]),
  rosterBody(4, [BOT, { ...ADA, isMuted: false }, GRACE]),
  callBody('updated', { state: 'established', toneInfo: { sequenceId: 1, tone: 'tone5' } }),
  operationBody('updated', 'running'),
  callBody('updated', { toneInfo: { sequenceId: '2', tone: 'pound' } }),
  operationBody('deleted', 'completed'),
  rosterBody(5, [BOT, GRACE]),
  callBody('updated', { state: 'terminating' }),
  callBody('deleted', {
    state: 'terminated',
    resultInfo: { code: 200, subcode: 5300, message: 'Removed. DiagCode: 200#5300.' },
  }),
];

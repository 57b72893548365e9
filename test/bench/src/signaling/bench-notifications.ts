/** A notification of a call's state, as Graph sends it. */
export function stateBody(graphCallId: string, state: string): string {
  const changeType = state === 'terminated' ? 'deleted' : 'updated';
  const result = { '@odata.type': '#microsoft.graph.resultInfo', code: 200, subcode: 7000 };
  return bodyOf({
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType,
    resource: `/app/calls/${graphCallId}`,
    resourceUrl: `/communications/calls/${graphCallId}`,
    resourceData: {
      '@odata.type': '#microsoft.graph.call',
      state,
      ...(state === 'terminated' ? { resultInfo: result } : {}),
    },
  });
}

/** The whole roster; `muted` is who is muted, and who changed last. */
export function rosterBody(
  graphCallId: string,
  participants: number,
  { muted, sequence }: { muted: number; sequence: number },
): string {
  return bodyOf({
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'updated',
    resource: `/app/calls/${graphCallId}/participants`,
    resourceUrl: `/communications/calls/${graphCallId}/participants`,
    resourceData: Array.from({ length: participants }, (_, index) => ({
      '@odata.type': '#microsoft.graph.participant',
      id: `0d7664b6-6432-43ed-8d27-${String(index).padStart(12, '0')}`,
      info: {
        '@odata.type': '#microsoft.graph.participantInfo',
        identity: {
          '@odata.type': '#microsoft.graph.identitySet',
          user: {
            '@odata.type': '#microsoft.graph.identity',
            id: `550fae72-d251-43ec-868c-${String(index).padStart(12, '0')}`,
            displayName: `Participant ${index}`,
            tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47',
            identityProvider: 'AAD',
          },
        },
        languageId: 'en-US',
        region: 'emea',
      },
      isInLobby: false,
      isMuted: index === muted,
      mediaStreams: [
        {
          mediaType: 'audio',
          label: 'main-audio',
          sourceId: String(100 + index),
          direction: 'sendReceive',
          serverMuted: false,
        },
      ],
      metadata: null,
      recordingInfo: null,
      rosterSequenceNumber: index === muted ? sequence : 1,
    })),
  });
}

function bodyOf(item: unknown): string {
  return JSON.stringify({ '@odata.type': '#microsoft.graph.commsNotifications', value: [item] });
}

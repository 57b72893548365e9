/** Notifications as Graph sends them, for one call each. */

export function stateItem(graphCallId: string, state: string): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'updated',
    resource: `/app/calls/${graphCallId}`,
    resourceUrl: `/communications/calls/${graphCallId}`,
    resourceData: { '@odata.type': '#microsoft.graph.call', state },
  };
}

export function endItem(graphCallId: string, code: number, subcode: number): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'deleted',
    resourceUrl: `/communications/calls/${graphCallId}`,
    resourceData: {
      '@odata.type': '#microsoft.graph.call',
      state: 'terminated',
      resultInfo: { code, subcode, message: 'Ended.' },
    },
  };
}

export interface Attendee {
  readonly id: string;
  readonly name: string;
  readonly sourceId: string;
  readonly muted?: boolean;
  readonly inLobby?: boolean;
  /** Facet of the identity. @defaultValue user */
  readonly kind?: string;
}

export function rosterItem(graphCallId: string, attendees: readonly Attendee[]): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'updated',
    resourceUrl: `/communications/calls/${graphCallId}/participants`,
    resourceData: attendees.map(
      ({ id, name, sourceId, muted = false, inLobby = false, kind = 'user' }) => ({
        '@odata.type': '#microsoft.graph.participant',
        id,
        info: { identity: { [kind]: { id: `user-${id}`, displayName: name } } },
        isInLobby: inLobby,
        isMuted: muted,
        mediaStreams: [
          { mediaType: 'audio', label: 'main-audio', sourceId, direction: 'sendReceive' },
        ],
      }),
    ),
  };
}

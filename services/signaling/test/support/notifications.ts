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

/** A key press, as Graph tells of it in calls whose media it hosts. */
export function toneItem(graphCallId: string, sequenceId: number, tone: string): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'updated',
    resourceUrl: `/communications/calls/${graphCallId}`,
    resourceData: {
      '@odata.type': '#microsoft.graph.call',
      toneInfo: { '@odata.type': '#microsoft.graph.toneInfo', sequenceId, tone },
    },
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

/** What changed in the roster since the one before. */
export function deltaItem(
  graphCallId: string,
  sequenceNumber: number,
  attendees: readonly Attendee[],
): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'updated',
    resourceUrl: `/communications/calls/${graphCallId}/participants`,
    resourceData: {
      '@odata.type': '#microsoft.graph.deltaParticipants',
      sequenceNumber,
      participants: attendees.map(participantEntry),
    },
  };
}

export function rosterItem(graphCallId: string, attendees: readonly Attendee[]): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'updated',
    resourceUrl: `/communications/calls/${graphCallId}/participants`,
    resourceData: attendees.map(participantEntry),
  };
}

/** An entry of a roster. */
export function participantEntry(attendee: Attendee): unknown {
  const { id, name, sourceId, muted = false, inLobby = false, kind = 'user' } = attendee;
  return {
    '@odata.type': '#microsoft.graph.participant',
    id,
    info: { identity: { [kind]: { id: `user-${id}`, displayName: name } } },
    isInLobby: inLobby,
    isMuted: muted,
    mediaStreams: [{ mediaType: 'audio', label: 'main-audio', sourceId, direction: 'sendReceive' }],
  };
}

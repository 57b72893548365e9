import type { GraphParticipant } from './roster.js';

export type ChangeType = 'created' | 'updated' | 'deleted';

/** A notification about the call itself. `properties` are only those that changed, and `state`. */
export function callNotification(
  callId: string,
  changeType: ChangeType,
  properties: Readonly<Record<string, unknown>>,
): unknown {
  return notification(callId, '', changeType, {
    '@odata.type': '#microsoft.graph.call',
    '@odata.id': `communications/calls/${callId}`,
    ...properties,
  });
}

/** A notification with the full roster. */
export function rosterNotification(
  callId: string,
  participants: readonly GraphParticipant[],
): unknown {
  return notification(callId, '/participants', 'updated', participants);
}

function notification(
  callId: string,
  suffix: string,
  changeType: ChangeType,
  resourceData: unknown,
): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotifications',
    value: [
      {
        '@odata.type': '#microsoft.graph.commsNotification',
        changeType,
        resource: `/app/calls/${callId}${suffix}`,
        resourceUrl: `/communications/calls/${callId}${suffix}`,
        resourceData,
      },
    ],
  };
}

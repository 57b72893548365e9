import type { CallbackSubject } from '../scenario/callback-faults.js';
import type { GraphParticipant } from './roster.js';

export type ChangeType = 'created' | 'updated' | 'deleted';

/** A body for the bot, and what it is about. */
export interface Notification {
  readonly subject: CallbackSubject;
  readonly body: unknown;
}

/** About the call itself. `properties` are only those that changed, and `state`. */
export function callNotification(
  callId: string,
  changeType: ChangeType,
  properties: Readonly<Record<string, unknown>>,
): Notification {
  const { state } = properties;
  return {
    subject: { about: 'call', ...(typeof state === 'string' ? { state } : {}) },
    body: notification(callId, '', changeType, {
      '@odata.type': '#microsoft.graph.call',
      '@odata.id': `communications/calls/${callId}`,
      ...properties,
    }),
  };
}

/** With the full roster. */
export function rosterNotification(
  callId: string,
  participants: readonly GraphParticipant[],
): Notification {
  return {
    subject: { about: 'roster' },
    body: notification(callId, '/participants', 'updated', participants),
  };
}

/** With what changed in the roster: its envelope is not documented, and so a guess. */
export function rosterDeltaNotification(
  callId: string,
  delta: { readonly sequenceNumber: number; readonly participants: readonly GraphParticipant[] },
): Notification {
  return {
    subject: { about: 'roster' },
    body: notification(callId, '/participants', 'updated', {
      '@odata.type': '#microsoft.graph.deltaParticipants',
      ...delta,
    }),
  };
}

/** The last word on an operation. */
export function operationNotification(
  callId: string,
  operation: { readonly id: string; readonly [property: string]: unknown },
): Notification {
  return {
    subject: { about: 'operation' },
    body: notification(callId, `/operations/${operation.id}`, 'deleted', operation),
  };
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

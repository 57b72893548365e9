import { vi } from 'vitest';
import type { CallView } from '../../src/rest/schemas.js';
import type { GraphLeg } from './graph-server.js';
import type { Harness } from './harness.js';
import { TENANT, WAIT } from './harness.js';
import { stateItem } from './notifications.js';

export const OBSERVED = 'observed-participant';
/** Names and ids that no log may show. */
export const CALLER_NAME = 'Calling Carla';
export const MEETING_TOKEN = 'a-token-for-the-meeting';

const CALLER = {
  '@odata.type': '#microsoft.graph.participantInfo',
  id: OBSERVED,
  identity: { user: { id: 'user-carla', displayName: CALLER_NAME, tenantId: TENANT } },
  region: 'amer',
};

/** What differs between the kinds of incoming calls. */
const KINDS = {
  user: {},
  group: { chatInfo: { threadId: '19:meeting_x@thread.v2', messageId: '0' } },
  policyRecording: {
    meetingInfo: { '@odata.type': '#microsoft.graph.tokenMeetingInfo', token: MEETING_TOKEN },
    incomingContext: { sourceParticipantId: OBSERVED, observedParticipantId: OBSERVED },
    applicationMetadata: {
      botData: {
        mediaHostedRegion: 'USEA',
        user: { participationMethod: 'callee' },
        inviteReasons: ['PolicyBasedRecording'],
      },
    },
  },
} as const;

export type RingKind = keyof typeof KINDS;

/** The notification of a call that comes in. */
export function incomingItem(leg: GraphLeg, kind: RingKind): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'created',
    resource: `/app/calls/${leg.id}`,
    resourceUrl: `/communications/calls/${leg.id}`,
    resourceData: {
      '@odata.type': '#microsoft.graph.call',
      state: 'incoming',
      direction: 'incoming',
      id: leg.id,
      source: CALLER,
      tenantId: leg.tenantId,
      myParticipantId: `me-${leg.id}`,
      ...KINDS[kind],
    },
  };
}

/** A call that was told of, and what the bot answered to that. */
export interface Ringing {
  readonly leg: GraphLeg;
  readonly response: Response;
}

/** Rings the bot's webhook. */
export async function ring(harness: Harness, kind: RingKind): Promise<Ringing> {
  const leg = harness.graph.ring(`${harness.signaling.url}/v1/callbacks/incoming`, TENANT);
  const response = await harness.graph.notify([incomingItem(leg, kind)], { leg });
  return { leg, response };
}

/** Our call of a leg that rang; waits until it is there and `until` holds. */
export async function callOfLeg(
  harness: Harness,
  leg: GraphLeg,
  until: (call: CallView) => boolean = () => true,
): Promise<CallView> {
  return vi.waitUntil(async () => {
    const { body } = await harness.get<{ calls: CallView[] }>('/v1/calls?limit=100');
    for (const call of body.calls) {
      const record = await harness.registry.readCall(call.id);
      if (record?.model.graphCallId === leg.id) return until(call) && call;
    }
    return false;
  }, WAIT);
}

/** A policy-recording, or other, call that was answered and is established. */
export async function answeredCall(
  harness: Harness,
  kind: RingKind,
): Promise<{ id: string; leg: GraphLeg }> {
  const { leg } = await ring(harness, kind);
  const { id } = await callOfLeg(harness, leg);
  await vi.waitUntil(() => leg.blob !== undefined, WAIT);
  await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
  await harness.reaches(id, 'established');
  return { id, leg };
}

import type { Meeting } from '../meetings/meeting.js';
import type { RingingCall } from './ringing-call.js';

// What Graph sends about calls that come in (Graph: call-answer, participantJoiningNotification).

type Json = Readonly<Record<string, unknown>>;

/** A call comes in. */
export function incomingBody(call: RingingCall, meeting: Meeting, clientId: string): Json {
  return envelope(call.id, 'created', {
    '@odata.type': '#microsoft.graph.call',
    '@odata.id': `/communications/calls/${call.id}`,
    id: call.id,
    state: 'incoming',
    direction: 'incoming',
    source: sourceOf(call),
    targets: [
      {
        '@odata.type': '#microsoft.graph.invitationParticipantInfo',
        identity: {
          '@odata.type': '#microsoft.graph.identitySet',
          application: { '@odata.type': '#microsoft.graph.identity', id: clientId },
        },
      },
    ],
    requestedModalities: ['audio'],
    tenantId: call.tenantId,
    myParticipantId: call.myParticipantId,
    callChainId: call.callChainId,
    ...(call.kind === 'user' ? {} : meetingOf(call, meeting)),
    ...(call.kind === 'policyRecording' ? recordingOf(call) : {}),
  });
}

/** The leg of a call that was not answered is over. */
export function endBody(call: RingingCall, resultInfo: Json): Json {
  return envelope(call.id, 'deleted', {
    '@odata.type': '#microsoft.graph.call',
    state: 'terminated',
    resultInfo,
  });
}

/** The older format, which says that a call comes in and not much more. */
export function legacyBody(call: RingingCall): Json {
  return { id: call.id, isMultiparty: call.kind !== 'user', participants: [], threadId: null };
}

/** May this participant be recorded in the same call? */
export function joiningBody(call: RingingCall, participantId: string, displayName: string): Json {
  return {
    '@odata.type': '#microsoft.graph.participantJoiningNotification',
    call: {
      '@odata.type': '#microsoft.graph.call',
      id: call.id,
      source: sourceOf({ ...call, participantId, callerName: displayName }),
      tenantId: call.tenantId,
    },
  };
}

/** A recorded participant has left. */
export function leftBody(call: RingingCall, participantId: string): Json {
  return {
    '@odata.type': '#microsoft.graph.participantLeftNotification',
    participantId,
    call: { '@odata.type': '#microsoft.graph.call', id: call.id },
  };
}

function sourceOf(caller: {
  readonly participantId: string;
  readonly callerName: string;
  readonly callerId: string;
  readonly tenantId: string;
  readonly region: string | undefined;
}): Json {
  return {
    '@odata.type': '#microsoft.graph.participantInfo',
    id: caller.participantId,
    identity: {
      '@odata.type': '#microsoft.graph.identitySet',
      user: {
        '@odata.type': '#microsoft.graph.identity',
        id: caller.callerId,
        displayName: caller.callerName,
        tenantId: caller.tenantId,
        identityProvider: 'AAD',
      },
    },
    endpointType: 'default',
    region: caller.region ?? null,
    languageId: null,
  };
}

function meetingOf(call: RingingCall, meeting: Meeting): Json {
  if (call.kind === 'policyRecording') {
    const token = meeting.joinToken;
    return { meetingInfo: { '@odata.type': '#microsoft.graph.tokenMeetingInfo', token } };
  }
  return {
    chatInfo: {
      '@odata.type': '#microsoft.graph.chatInfo',
      threadId: meeting.threadId,
      messageId: '0',
    },
    meetingInfo: {
      '@odata.type': '#microsoft.graph.organizerMeetingInfo',
      organizer: {
        '@odata.type': '#microsoft.graph.identitySet',
        user: { '@odata.type': '#microsoft.graph.identity', id: meeting.organizerId },
      },
    },
  };
}

function recordingOf({ participantId, region }: RingingCall): Json {
  return {
    incomingContext: {
      '@odata.type': '#microsoft.graph.incomingContext',
      sourceParticipantId: participantId,
      observedParticipantId: participantId,
    },
    applicationMetadata: {
      botData: {
        mediaHostedRegion: region ?? 'SANDBOX',
        user: { participationMethod: 'callee', clientLocation: 'SANDBOX' },
        inviteReasons: ['PolicyBasedRecording'],
        policyIdentifier: 'Sandbox policy',
        pairedRecorders: [],
        otherRecorders: [],
      },
    },
  };
}

function envelope(callId: string, changeType: string, resourceData: Json): Json {
  return {
    '@odata.type': '#microsoft.graph.commsNotifications',
    value: [
      {
        '@odata.type': '#microsoft.graph.commsNotification',
        changeType,
        resource: `/app/calls/${callId}`,
        resourceUrl: `/communications/calls/${callId}`,
        resourceData,
      },
    ],
  };
}

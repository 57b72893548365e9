import type { MeetingTarget } from '@earshot/call';

export interface CreateCallRequest {
  readonly target: MeetingTarget;
  /** Tenant of the meeting; the token's tenant too. */
  readonly tenantId: string;
  /** https address for this call's notifications; fresh and unguessable for each attempt. */
  readonly callbackUri: string;
  /** Opaque media configuration from the media host; a secret. */
  readonly blob: string;
  /** Joins as a guest of this name instead of as the app; guests wait in the lobby. */
  readonly displayName?: string;
  /** GUID of the whole scenario, for tracing. */
  readonly scenarioId: string;
}

/**
 * Body of `POST /communications/calls` for a join with app-hosted audio
 * (Graph: application-post-calls).
 */
export function createCallBody(request: CreateCallRequest): Readonly<Record<string, unknown>> {
  return {
    '@odata.type': '#microsoft.graph.call',
    callbackUri: request.callbackUri,
    requestedModalities: ['audio'],
    mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig', blob: request.blob },
    ...meetingProperties(request.target),
    ...sourceProperties(request),
    tenantId: request.tenantId,
  };
}

function meetingProperties(target: MeetingTarget): Readonly<Record<string, unknown>> {
  if (target.kind === 'joinMeetingId') {
    return {
      meetingInfo: {
        '@odata.type': '#microsoft.graph.joinMeetingIdMeetingInfo',
        joinMeetingId: target.joinMeetingId,
        passcode: target.passcode ?? null,
      },
    };
  }
  return {
    chatInfo: {
      '@odata.type': '#microsoft.graph.chatInfo',
      threadId: target.threadId,
      messageId: target.messageId,
      ...(target.replyChainMessageId === undefined
        ? {}
        : { replyChainMessageId: target.replyChainMessageId }),
    },
    meetingInfo: {
      '@odata.type': '#microsoft.graph.organizerMeetingInfo',
      organizer: {
        '@odata.type': '#microsoft.graph.identitySet',
        user: {
          '@odata.type': '#microsoft.graph.identity',
          id: target.organizerId,
          tenantId: target.tenantId,
        },
      },
      allowConversationWithoutHost: true,
    },
  };
}

function sourceProperties({
  displayName,
  scenarioId,
}: CreateCallRequest): Readonly<Record<string, unknown>> {
  if (displayName === undefined) return {};
  return {
    source: {
      '@odata.type': '#microsoft.graph.participantInfo',
      identity: {
        '@odata.type': '#microsoft.graph.identitySet',
        guest: { '@odata.type': '#microsoft.graph.identity', id: scenarioId, displayName },
      },
    },
  };
}

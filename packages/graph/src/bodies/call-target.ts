import type { JoinTarget, MeetingIdTarget, OrganizerTarget } from '@earshot/call';
import type { Json } from './json.js';
import { typed } from './json.js';
import { identitySet, invitation, participantInfo } from './party.js';

/** The call of a chat that exists. */
export interface ChatTarget {
  readonly kind: 'chat';
  readonly threadId: string;
  readonly messageId?: string;
}

/** Whom or what a new call calls, or joins. */
export type CallTarget = JoinTarget | ChatTarget;

/** Properties of a new call that name whom or what it calls (Graph: application-post-calls). */
export function targetProperties(target: CallTarget): Json {
  switch (target.kind) {
    case 'organizer':
      return organizerProperties(target);
    case 'joinMeetingId':
      return meetingIdProperties(target);
    case 'token':
      return { meetingInfo: typed('tokenMeetingInfo', { token: target.token }) };
    case 'chat':
      return { chatInfo: chatInfo(target) };
    case 'users':
      return {
        targets: target.users.map((user) => invitation({ party: { kind: 'user', ...user } })),
      };
    case 'phone':
      return {
        source: participantInfo({ kind: 'applicationInstance', ...target.applicationInstance }),
        targets: [invitation({ party: { kind: 'phone', id: target.phoneNumber } })],
      };
  }
}

function organizerProperties(target: OrganizerTarget): Json {
  const { organizerId: id, tenantId } = target;
  return {
    chatInfo: chatInfo(target),
    meetingInfo: typed('organizerMeetingInfo', {
      organizer: identitySet({ kind: 'user', id, tenantId }),
      // The meeting may go on for people when the bot, its first participant, leaves.
      allowConversationWithoutHost: true,
    }),
  };
}

function meetingIdProperties({ joinMeetingId, passcode }: MeetingIdTarget): Json {
  return {
    meetingInfo: typed('joinMeetingIdMeetingInfo', { joinMeetingId, passcode: passcode ?? null }),
  };
}

function chatInfo(chat: {
  readonly threadId: string;
  readonly messageId?: string;
  readonly replyChainMessageId?: string;
}): Json {
  const { threadId, messageId, replyChainMessageId } = chat;
  return typed('chatInfo', { threadId, messageId, replyChainMessageId });
}

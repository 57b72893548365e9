import type { CallBody, MeetingInfoBody, TargetBody } from './call-schema.js';
import { isODataType } from './call-schema.js';
import { badRequest, invalidArgument } from './graph-fault.js';

const E164 = /^\+[1-9]\d{6,14}$/;

/** Whom or what a call is to reach. */
export type CallTarget =
  | { readonly kind: 'organizer'; readonly threadId: string; readonly organizerId: string }
  | {
      readonly kind: 'joinMeetingId';
      readonly joinMeetingId: string;
      readonly passcode: string | undefined;
    }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'chat'; readonly threadId: string }
  | { readonly kind: 'peer'; readonly callees: readonly Callee[] }
  | { readonly kind: 'group'; readonly callees: readonly Callee[] }
  | { readonly kind: 'phone'; readonly callees: readonly Callee[] };

/** Somebody who is called up. */
export interface Callee {
  readonly kind: 'user' | 'phone' | 'applicationInstance';
  readonly id: string;
  readonly displayName: string | undefined;
}

/**
 * What the body asks to reach: people in `targets`, else a meeting, else a chat.
 *
 * @throws GraphFault 400/8523
 */
export function targetOf(call: CallBody): CallTarget {
  if (call.targets && call.targets.length > 0) return peopleOf(call, call.targets);
  const { meetingInfo, chatInfo } = call;
  if (meetingInfo === undefined || meetingInfo === null) {
    if (chatInfo?.threadId) return { kind: 'chat', threadId: chatInfo.threadId };
    throw invalidArgument('meetingInfo', 'must be given, or chatInfo or targets');
  }
  const type = meetingInfo['@odata.type'];
  if (isODataType(type, 'tokenMeetingInfo')) {
    if (!meetingInfo.token) throw invalidArgument('meetingInfo.token', 'must be given');
    return { kind: 'token', token: meetingInfo.token };
  }
  if (isODataType(type, 'joinMeetingIdMeetingInfo')) return byMeetingId(call, meetingInfo);
  if (isODataType(type, 'organizerMeetingInfo')) return byOrganizer(call, meetingInfo);
  throw badRequest("A value without a valid type name was found for 'meetingInfo'.");
}

function byMeetingId({ chatInfo }: CallBody, meetingInfo: MeetingInfoBody): CallTarget {
  if (chatInfo) throw invalidArgument('chatInfo', 'must not be given with a meeting id');
  const { joinMeetingId, passcode } = meetingInfo;
  if (!joinMeetingId) throw invalidArgument('meetingInfo.joinMeetingId', 'must be given');
  return { kind: 'joinMeetingId', joinMeetingId, passcode: passcode ?? undefined };
}

function byOrganizer({ chatInfo }: CallBody, meetingInfo: MeetingInfoBody): CallTarget {
  const organizerId = meetingInfo.organizer?.user?.id;
  if (!organizerId) throw invalidArgument('meetingInfo.organizer.user.id', 'must be given');
  if (!chatInfo?.threadId) throw invalidArgument('chatInfo.threadId', 'must be given');
  return { kind: 'organizer', threadId: chatInfo.threadId, organizerId };
}

function peopleOf(call: CallBody, targets: readonly TargetBody[]): CallTarget {
  if (call.meetingInfo) throw invalidArgument('meetingInfo', 'must not be given with targets');
  const callees = targets.map((target, index) => calleeOf(target, `targets[${index}]`));
  if (!callees.some(({ kind }) => kind === 'phone')) {
    return { kind: callees.length === 1 ? 'peer' : 'group', callees };
  }
  return { kind: 'phone', callees };
}

/**
 * Reads one `invitationParticipantInfo`.
 *
 * @throws GraphFault 400/8523
 */
export function calleeOf({ identity }: TargetBody, path: string): Callee {
  for (const kind of ['user', 'phone', 'applicationInstance'] as const) {
    const facet = identity?.[kind];
    if (!facet) continue;
    if (!facet.id) throw invalidArgument(`${path}.identity.${kind}.id`, 'must be given');
    if (kind === 'phone' && !E164.test(facet.id)) {
      throw invalidArgument(`${path}.identity.phone.id`, 'must be a number in E.164');
    }
    return { kind, id: facet.id, displayName: facet.displayName ?? undefined };
  }
  throw invalidArgument(`${path}.identity`, 'must be a user, a phone or an application instance');
}

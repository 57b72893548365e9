import type { MeetingTarget, OrganizerTarget } from './join-target.js';

const ORIGIN = 'https://teams.microsoft.com';

/**
 * The join URL of a meeting, long or short, in the form that Teams writes; `parseJoinUrl` reads
 * it back. A short URL gets a `tenantId` parameter when the target has one.
 */
export function formatJoinUrl(target: MeetingTarget): string {
  if (target.kind === 'organizer') return formatLong(target);
  const { joinMeetingId, passcode, tenantId } = target;
  const parameters = [
    ...(passcode === undefined ? [] : [`p=${encodeAll(passcode)}`]),
    ...(tenantId === undefined ? [] : [`tenantId=${encodeURIComponent(tenantId)}`]),
  ];
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  return `${ORIGIN}/meet/${encodeURIComponent(joinMeetingId)}${query}`;
}

function formatLong(target: OrganizerTarget): string {
  const { threadId, messageId, replyChainMessageId, tenantId, organizerId } = target;
  const context = {
    Tid: tenantId,
    Oid: organizerId,
    ...(replyChainMessageId === undefined ? {} : { MessageId: replyChainMessageId }),
  };
  const path = `${encode(threadId)}/${encode(messageId)}`;
  return `${ORIGIN}/l/meetup-join/${path}?context=${encode(JSON.stringify(context))}`;
}

/** Teams writes its escapes in lower case. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (encoded) => encoded.toLowerCase());
}

/** Also what may stand in a URL, but at the end of one would be taken for the text around it. */
function encodeAll(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'().]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}

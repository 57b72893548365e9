import { isGuid, isSameGuid } from './guid.js';
import type { MeetingTarget } from './join-target.js';
import { defined, objectOf } from './lenient.js';
import { isConsumerHost, isOtherMicrosoftHost, isTeamsHost } from './teams-hosts.js';
import { unwrapUrl } from './unwrap-url.js';
import type { UrlParts } from './url-parts.js';
import { decodeFully, decodeOnce, queryParameter } from './url-parts.js';

/** Why a URL names no meeting that can be joined. */
export type JoinUrlRefusalCode =
  | 'not_a_url'
  | 'not_a_teams_url'
  | 'unsupported_host'
  | 'consumer_meeting'
  | 'not_a_meeting'
  | 'malformed_join_url'
  | 'missing_tenant';

export interface JoinUrlRefusal {
  readonly ok: false;
  readonly code: JoinUrlRefusalCode;
  /** For people; never holds the URL, which may hold a passcode. */
  readonly message: string;
}

export type JoinUrlResult = { readonly ok: true; readonly target: MeetingTarget } | JoinUrlRefusal;

const MAX_URL_LENGTH = 8_192;
const MAX_DECODINGS = 5;

/** The tenant of all personal accounts. */
const CONSUMER_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

const THREAD = /^19:[^\s/?#%@]+@[a-z0-9.]+$/i;
const LONG_PATH = /^\/+(?:v2\/+)?l\/meetup-join\/+([^/]+)(?:\/+([^/]*))?/i;
const SHORT_PATH = /^\/+(?:v2\/+)?meet\/+([^/]+)/i;

/**
 * Reads a Teams join URL: long (meetings and channel meetings) or short (`/meet/<number>`), in
 * whatever wrapping people paste it, with other text around or broken into lines too. Never
 * throws. A short URL names no tenant, unless a parameter `tenantId` was added to it.
 */
export function parseJoinUrl(url: string): JoinUrlResult {
  if (url.length > MAX_URL_LENGTH) return parseOne('');
  const readings = readingsOf(url).map(parseOne);
  return readings.find(({ ok }) => ok) ?? readings.find(isTelling) ?? parseOne('');
}

/** The text as it is; the first link in it; the text when its line breaks were put in by mail. */
function readingsOf(text: string): string[] {
  const readings = [text];
  const link = /(?:https?|msteams):\S+/i.exec(text)?.[0];
  if (link !== undefined && link !== text) readings.push(link);
  if (/[\r\n]/.test(text.trim())) readings.push(text.trim().replace(/=?\s*[\r\n]\s*/g, ''));
  return readings;
}

function isTelling(result: JoinUrlResult): boolean {
  return !result.ok && result.code !== 'not_a_url';
}

function parseOne(text: string): JoinUrlResult {
  const parts = unwrapUrl(text);
  if (parts === undefined || parts.host === '') {
    return refuse('not_a_url', 'it must be a URL such as https://teams.microsoft.com/…', 'none');
  }
  return refuseHost(parts) ?? parseTeamsUrl(parts);
}

function refuseHost({ scheme, host }: UrlParts): JoinUrlRefusal | undefined {
  const got = quoted(host);
  if (isConsumerHost(host)) {
    return refuse(
      'consumer_meeting',
      'the meeting must belong to a work or school tenant, which personal Teams meetings do not',
      got,
    );
  }
  if (isOtherMicrosoftHost(host)) {
    return refuse('unsupported_host', 'it must be on a Teams host with a calling API', got);
  }
  if (!isTeamsHost(host) || (scheme !== 'https' && scheme !== 'http')) {
    return refuse('not_a_teams_url', 'it must be an https URL of Microsoft Teams', got);
  }
  return undefined;
}

function parseTeamsUrl(parts: UrlParts): JoinUrlResult {
  let { path } = parts;
  for (let round = 0; round < MAX_DECODINGS; round += 1) {
    const long = LONG_PATH.exec(path);
    if (long !== null) return parseLong(long[1] ?? '', long[2] ?? '', parts, path);
    const short = SHORT_PATH.exec(path);
    if (short !== null) return parseShort(short[1] ?? '', parts.query);
    path = decodeOnce(path);
  }
  return refuse(
    'not_a_meeting',
    'its path must be /l/meetup-join/… or /meet/…',
    'another page of Teams',
  );
}

function parseLong(
  thread: string,
  message: string,
  { query }: UrlParts,
  path: string,
): JoinUrlResult {
  const threadId = decodeFully(thread);
  if (!THREAD.test(threadId)) {
    return malformed('its path must name a thread such as 19:meeting_…@thread.v2', 'another');
  }
  // Encoded as a whole, the question mark is part of the path.
  const asked = query === '' ? path.slice(path.indexOf('?') + 1) : query;
  const messageId = decodeFully(message).replace(/\?.*$/s, '') || '0';
  if (!/^\d{1,20}$/.test(messageId)) return malformed('its message id must be a number', 'another');
  const context = parseContext(queryParameter(asked, 'context'));
  if (context === undefined) {
    return malformed('its parameter context must be JSON with Tid and Oid', 'none or broken');
  }
  return organizerTarget({ threadId, messageId }, context);
}

interface Context {
  readonly tid?: string;
  readonly oid?: string;
  readonly messageid?: string;
}

function organizerTarget(
  thread: { readonly threadId: string; readonly messageId: string },
  { tid, oid, messageid }: Context,
): JoinUrlResult {
  if (tid === undefined) {
    return refuse('missing_tenant', 'its context must name the tenant (Tid)', 'none');
  }
  if (!isGuid(tid)) return malformed('its tenant (Tid) must be a GUID', 'another text');
  if (isSameGuid(tid, CONSUMER_TENANT)) {
    return refuse(
      'consumer_meeting',
      'the meeting must belong to a work or school tenant, which personal Teams meetings do not',
      'the tenant of personal accounts',
    );
  }
  if (oid === undefined || !isGuid(oid)) {
    return malformed('its organiser (Oid) must be a GUID', oid === undefined ? 'none' : 'another');
  }
  const replyChainMessageId = messageid === '' ? undefined : messageid;
  return {
    ok: true,
    target: {
      kind: 'organizer',
      ...thread,
      ...defined({ replyChainMessageId }),
      tenantId: tid,
      organizerId: oid,
    },
  };
}

/** JSON, encoded any number of times; its keys in lower case. */
function parseContext(written: string | undefined): Context | undefined {
  let text = written ?? '';
  for (let round = 0; round < MAX_DECODINGS; round += 1) {
    const context = jsonObject(text);
    if (context !== undefined) return context;
    text = decodeOnce(text);
  }
  return undefined;
}

function jsonObject(text: string): Context | undefined {
  try {
    const object = objectOf(JSON.parse(text));
    if (object === undefined) return undefined;
    const texts = Object.entries(object).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key.toLowerCase(), value] as const] : [],
    );
    return Object.fromEntries(texts);
  } catch {
    return undefined;
  }
}

function parseShort(number: string, query: string): JoinUrlResult {
  const joinMeetingId = meetingNumberOf(decodeFully(number));
  if (joinMeetingId === undefined) {
    return malformed('its meeting number must be 6 to 20 digits', 'another');
  }
  const passcode = queryParameter(query, 'p') || undefined;
  const tenantId = tenantOf(query);
  if (tenantId !== undefined && !isGuid(tenantId)) {
    return malformed('its parameter tenantId must be a GUID', 'another text');
  }
  return {
    ok: true,
    target: { kind: 'joinMeetingId', joinMeetingId, ...defined({ passcode, tenantId }) },
  };
}

function tenantOf(query: string): string | undefined {
  const named = queryParameter(query, 'tenantid') ?? queryParameter(query, 'tid');
  return named || parseContext(queryParameter(query, 'context'))?.tid;
}

function malformed(rule: string, got: string): JoinUrlRefusal {
  return refuse('malformed_join_url', rule, got);
}

function refuse(code: JoinUrlRefusalCode, rule: string, got: string): JoinUrlRefusal {
  return { ok: false, code, message: `Cannot read the join URL: ${rule}, got ${got}` };
}

/** The digits of a meeting's number; invitations write them in groups. */
export function meetingNumberOf(written: string): string | undefined {
  const digits = written.replace(/[\s\u200b+.-]/g, '');
  return /^\d{6,20}$/.test(digits) ? digits : undefined;
}

/** A host as a message may show it. */
function quoted(host: string): string {
  return host === '' ? 'no host' : `"${host.slice(0, 100)}"`;
}

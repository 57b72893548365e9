import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJoinUrl } from '../src/format-join-url.js';
import type { MeetingTarget } from '../src/join-target.js';
import { parseJoinUrl } from '../src/parse-join-url.js';
import { parseMeetingId } from '../src/parse-meeting-id.js';
import { guid } from './arbitraries.js';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const ORGANIZER = '550fae72-d251-43ec-868c-373732c2704f';
const MEETING = {
  kind: 'organizer',
  threadId: '19:meeting_NTg0NmQ3NTctZDVkZC00YzRmLThmNmEt@thread.v2',
  messageId: '0',
  tenantId: TENANT,
  organizerId: ORGANIZER,
} as const satisfies MeetingTarget;

const LONG =
  'https://teams.microsoft.com/l/meetup-join/19%3ameeting_NTg0NmQ3NTctZDVkZC00YzRmLThmNmEt%40thread.v2/0' +
  `?context=%7b%22Tid%22%3a%22${TENANT}%22%2c%22Oid%22%3a%22${ORGANIZER}%22%7d`;
const SHORT = 'https://teams.microsoft.com/meet/2735982345671?p=AbC1dE';

function target(url: string): MeetingTarget {
  const result = parseJoinUrl(url);
  if (result.ok) return result.target;
  throw new Error(`${result.code}: ${result.message}`);
}

function code(url: string): string {
  const result = parseJoinUrl(url);
  return result.ok ? 'ok' : result.code;
}

function wrap(checker: string, url: string): string {
  return `${checker}${encodeURIComponent(url)}`;
}

function onHost(url: string, host: string): string {
  return url.replace('teams.microsoft.com', host);
}

/** Up to three of what mail and chat programs do to a link, one upon the other. */
const wrapping: fc.Arbitrary<(url: string) => string> = fc
  .array(
    fc.constantFrom(
      encodeURIComponent,
      (url: string) => `<${url}>`,
      (url: string) => `"${url}", `,
      (url: string) => ` ${url}\n`,
      (url: string) => `${wrap('https://x.safelinks.protection.outlook.com/?url=', url)}&data=1`,
      (url: string) => wrap('https://www.google.com/url?sa=D&q=', url),
      (url: string) => wrap('https://secure-web.cisco.com/1a/', url),
      (url: string) =>
        url.replace(
          /^https:\/\/teams\.microsoft\.com\/(.*)$/s,
          (_, route: string) =>
            `${wrap('https://teams.microsoft.com/dl/launcher/launcher.html?url=', `/_#/${route}`)}&type=meet`,
        ),
    ),
    { maxLength: 3 },
  )
  .map((wrappers) => (url) => wrappers.reduce((text, wrapper) => wrapper(text), url));

describe('a long join URL', () => {
  it('tells thread, message, tenant and organiser', () => {
    expect(target(LONG)).toEqual(MEETING);
  });

  it.each([
    ['white space around', `  ${LONG}\n`],
    ['brackets around', `<${LONG}>`],
    ['no scheme', LONG.replace('https://', '')],
    ['http', LONG.replace('https', 'http')],
    [
      'capitals in scheme, host and path',
      LONG.replace('https://teams', 'HTTPS://Teams').replace('/l/meetup-join', '/L/Meetup-Join'),
    ],
    ['a port', onHost(LONG, 'teams.microsoft.com:443')],
    ['other parameters', `${LONG}&anon=true`],
    ['decoded thread', LONG.replace('%3ameeting', ':meeting').replace('%40thread', '@thread')],
    [
      'doubly encoded thread',
      LONG.replace('%3ameeting', '%253ameeting').replace('%40thread', '%2540thread'),
    ],
    [
      'doubly encoded context',
      LONG.replace(/context=(.*)/, (_, c: string) => `context=${encodeURIComponent(c)}`),
    ],
    ['encoded as a whole', encodeURIComponent(LONG)],
    ['doubly encoded as a whole', encodeURIComponent(encodeURIComponent(LONG))],
    ['encoded path', LONG.replace('/l/meetup-join/', '/l%2Fmeetup-join%2F')],
    ['cloud.microsoft', onHost(LONG, 'teams.cloud.microsoft')],
    ['GCC High', onHost(LONG, 'gov.teams.microsoft.us')],
    ['DoD', onHost(LONG, 'dod.teams.microsoft.us')],
    ['the desktop app', LONG.replace('https:', 'msteams:')],
    ['the desktop app without host', LONG.replace('https://teams.microsoft.com', 'msteams:')],
    ['the web app', LONG.replace('.com/l/', '.com/_#/l/')],
    ['the new web app', LONG.replace('.com/l/', '.com/v2/?meetingjoin=true#/l/')],
    [
      'the launcher',
      `https://teams.microsoft.com/dl/launcher/launcher.html?url=${encodeURIComponent(LONG.replace('https://teams.microsoft.com/', '/_#/'))}&type=meetup-join`,
    ],
    [
      'a link checker',
      `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(LONG)}&data=05%7C01&reserved=0`,
    ],
    [
      'a government link checker',
      `https://usg01.safelinks.protection.office365.us/?url=${encodeURIComponent(LONG)}`,
    ],
    [
      'two link checkers',
      `https://nam02.safelinks.protection.outlook.com/?url=${encodeURIComponent(`https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(LONG)}`)}`,
    ],
    ['US Government', onHost(LONG, 'teams.microsoft.us')],
    ['US Government in another domain', onHost(LONG, 'gov.teams.cloud.microsoft')],
    ['the new web app as a prefix', LONG.replace('.com/l/', '.com/v2/l/')],
    ['a trailing bracket', `${LONG}>`],
    ['a trailing quote and comma', `${LONG}",`],
    ['quotes of a word processor', `“${LONG}”.`],
    ['a bracket that was encoded with it', wrap('https://x.example/?u=', `${LONG}>`)],
    ['text around', `Join the meeting: <${LONG}> Meeting ID: 273 598 234 567`],
    ['lines broken by mail', LONG.replace('meetup-join/', 'meetup-join/\r\n  ')],
    ['lines broken by quoted-printable', LONG.replace('%40', '%4=\r\n0')],
    ['a redirect of a search engine', `${wrap('https://www.google.com/url?q=', LONG)}&sa=D&ust=1`],
    ['a redirect of a chat', wrap('https://slack-redir.net/link?url=', LONG)],
    ['a link checker that has it in its path', wrap('https://secure-web.cisco.com/1AbC-d/', LONG)],
    ['Barracuda', `${wrap('https://linkprotect.cudasvc.com/url?a=', LONG)}&c=E,1,x&typo=1`],
    [
      'Proofpoint of version 2',
      `https://urldefense.proofpoint.com/v2/url?u=${LONG.replaceAll('_', '%5F').replaceAll('-', '%2D').replaceAll('%', '-').replaceAll('/', '_')}&d=DwMF&c=x`,
    ],
    [
      'Proofpoint of version 3',
      `https://urldefense.com/v3/__${LONG.replaceAll('%', '*')}__;JSUlJSUlJSUlJSUlJSUlJSUlJSUl!!AbC!dEf$`,
    ],
    [
      'two different checkers',
      wrap(
        'https://www.google.com/url?q=',
        wrap('https://eur01.safelinks.protection.outlook.com/?url=', LONG),
      ),
    ],
  ])('is read with %s', (_name, url) => {
    expect(target(url)).toEqual(MEETING);
  });

  it('is read out of runs that Proofpoint shortened', () => {
    // `**A` stands for two of the characters behind: here %4.
    const url = 'https://teams.microsoft.com/meet/2735982345671?p=a**A1b';
    expect(target(`https://urldefense.com/v3/__${url}__;JTQ!!x$`)).toMatchObject({
      passcode: 'aAb',
    });
  });

  it('of a channel tells the message', () => {
    const url = formatJoinUrl({
      ...MEETING,
      threadId: '19:2cc3e2f8a8e44bb3@thread.tacv2',
      messageId: '1617613342461',
      replyChainMessageId: '1617613342000',
    });
    expect(target(url)).toMatchObject({
      threadId: '19:2cc3e2f8a8e44bb3@thread.tacv2',
      messageId: '1617613342461',
      replyChainMessageId: '1617613342000',
    });
  });

  it('takes a missing message for 0', () => {
    expect(target(LONG.replace('/0?', '?'))).toEqual(MEETING);
  });

  it('is written as Teams writes it', () => {
    expect(formatJoinUrl(MEETING)).toBe(LONG);
  });

  it('survives the round trip (property)', () => {
    const targets = fc.record(
      {
        kind: fc.constant('organizer' as const),
        threadId: fc
          .tuple(
            fc.stringMatching(/^[\w.!~*-]{1,60}$/),
            fc.constantFrom('thread.v2', 'thread.tacv2', 'thread.skype', 'unq.gbl.spaces'),
          )
          .map(([id, domain]) => `19:${id}@${domain}`),
        messageId: fc.stringMatching(/^\d{1,20}$/),
        replyChainMessageId: fc.stringMatching(/^\d{1,20}$/),
        tenantId: guid,
        organizerId: guid,
      },
      { requiredKeys: ['kind', 'threadId', 'messageId', 'tenantId', 'organizerId'] },
    );
    fc.assert(
      fc.property(targets, wrapping, (meeting, wrapped) => {
        expect(target(wrapped(formatJoinUrl(meeting)))).toEqual(meeting);
      }),
    );
  });
});

describe('a short join URL', () => {
  it('tells number and passcode, and no tenant', () => {
    expect(target(SHORT)).toEqual({
      kind: 'joinMeetingId',
      joinMeetingId: '2735982345671',
      passcode: 'AbC1dE',
    });
  });

  it.each([
    ['tenantId', `${SHORT}&tenantId=${TENANT}`],
    ['tid', `${SHORT}&tid=${TENANT}`],
    ['context', `${SHORT}&context=${encodeURIComponent(`{"Tid":"${TENANT}"}`)}`],
  ])('tells the tenant added as %s', (_name, url) => {
    expect(target(url)).toMatchObject({ tenantId: TENANT, passcode: 'AbC1dE' });
  });

  it.each([
    ['spaces in the number', SHORT.replace('2735982345671', '273%20598%20234%205671')],
    [
      'a link checker',
      `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(SHORT)}`,
    ],
    [
      'the launcher',
      `https://teams.microsoft.com/dl/launcher/launcher.html?url=${encodeURIComponent('/_#/meet/2735982345671?p=AbC1dE')}`,
    ],
    ['encoded as a whole', encodeURIComponent(SHORT)],
    [
      'a link checker that has it in its path, encoded thrice',
      wrap('https://secure-web.cisco.com/1a/', encodeURIComponent(encodeURIComponent(SHORT))),
    ],
    ['cloud.microsoft', onHost(SHORT, 'teams.cloud.microsoft')],
  ])('is read with %s', (_name, url) => {
    expect(target(url)).toMatchObject({ joinMeetingId: '2735982345671', passcode: 'AbC1dE' });
  });

  it('may have no passcode', () => {
    expect(target(SHORT.replace('?p=AbC1dE', ''))).not.toHaveProperty('passcode');
  });

  it('survives the round trip (property)', () => {
    const targets = fc.record(
      {
        kind: fc.constant('joinMeetingId' as const),
        joinMeetingId: fc.stringMatching(/^\d{6,20}$/),
        passcode: fc.string({ unit: 'grapheme-ascii', minLength: 1 }),
        tenantId: guid,
      },
      { requiredKeys: ['kind', 'joinMeetingId'] },
    );
    fc.assert(
      fc.property(targets, wrapping, (meeting, wrapped) => {
        expect(target(wrapped(formatJoinUrl(meeting)))).toEqual(meeting);
      }),
    );
  });
});

describe('refusals', () => {
  it.each([
    ['', 'not_a_url'],
    ['273 598 234 567', 'not_a_url'],
    ['javascript:alert(1)', 'not_a_url'],
    [`${LONG}${'x'.repeat(9_000)}`, 'not_a_url'],
    ['https://example.com/l/meetup-join/19%3ax%40thread.v2/0', 'not_a_teams_url'],
    [onHost(LONG, 'teams.microsoft.com.evil.example'), 'not_a_teams_url'],
    [onHost(LONG, 'teams.microsoft.com@evil.example'), 'not_a_teams_url'],
    [LONG.replace('https', 'ftp'), 'not_a_teams_url'],
    ['https://zoom.us/j/123', 'not_a_teams_url'],
    [onHost(LONG, 'teams.microsoftonline.cn'), 'unsupported_host'],
    ['https://www.microsoft.com/teams', 'unsupported_host'],
    ['https://teams.live.com/meet/9312345678901?p=x', 'consumer_meeting'],
    [LONG.replace(TENANT, '9188040d-6c67-4c5b-b112-36a304b66dad'), 'consumer_meeting'],
    ['https://teams.microsoft.com/', 'not_a_meeting'],
    ['https://teams.microsoft.com/l/channel/19%3ax%40thread.tacv2/General', 'not_a_meeting'],
    ['https://teams.microsoft.com/l/chat/0/0?users=a@example.com', 'not_a_meeting'],
    ['https://teams.microsoft.com/l/meeting/new?subject=x', 'not_a_meeting'],
    ['https://aka.ms/JoinTeamsMeeting', 'unsupported_host'],
    ['https://teams.live.com/v2/meet/9312345678901', 'consumer_meeting'],
    [
      wrap(
        'https://eur01.safelinks.protection.outlook.com/?url=',
        'https://teams.live.com/meet/9312345678901?p=x',
      ),
      'consumer_meeting',
    ],
    [
      wrap('https://eur01.safelinks.protection.outlook.com/?url=', 'https://zoom.us/j/1'),
      'not_a_teams_url',
    ],
    ['https://teams.microsoft.com/meet/abc', 'malformed_join_url'],
    [`${SHORT}&tenantId=contoso`, 'malformed_join_url'],
    [LONG.replace(/\?.*/, ''), 'malformed_join_url'],
    [LONG.slice(0, -20), 'malformed_join_url'],
    [LONG.replace('/0?', '/zero?'), 'malformed_join_url'],
    [LONG.replace('19%3ameeting', 'meeting'), 'malformed_join_url'],
    [LONG.replace(ORGANIZER, 'someone'), 'malformed_join_url'],
    [LONG.replace('Oid', 'Xid'), 'malformed_join_url'],
    [LONG.replace('Tid', 'Xid'), 'missing_tenant'],
  ])('%s: %s', (url, expected) => {
    expect(code(url)).toBe(expected);
  });

  it('never show the passcode', () => {
    const urls = [onHost(SHORT, 'teams.live.com'), onHost(SHORT, 'example.com'), `${SHORT}&tid=x`];
    expect(JSON.stringify(urls.map(parseJoinUrl))).not.toContain('AbC1dE');
  });

  it('are what any other text gets, never an exception (property)', () => {
    const pieces = fc.constantFrom(
      'https://',
      'teams.microsoft.com',
      'teams.live.com',
      '/l/meetup-join/',
      '/meet/',
      '19:x@thread.v2',
      '?context=',
      '{"Tid":',
      '%',
      '%25',
      '%7b',
      '?p=',
      '#',
      '\\',
      '/dl/launcher/x?url=',
      'msteams:',
      'https://a.safelinks.protection.outlook.com/?url=',
      '123456789',
      '"__proto__"',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.array(fc.oneof(pieces, fc.string()), { maxLength: 8 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (url) => {
        const result = parseJoinUrl(url);
        expect(result.ok || result.message.startsWith('Cannot read the join URL: ')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a meeting id', () => {
  it.each([
    ['273 598 234 567 1', '2735982345671'],
    ['273-598-234-567', '273598234567'],
    [' 273\u00a0598\u00a0234 ', '273598234'],
  ])('%j is read as invitations write it', (meetingId, joinMeetingId) => {
    expect(parseMeetingId({ meetingId, passcode: ' Ab1cD ', tenantId: TENANT })).toEqual({
      ok: true,
      target: { kind: 'joinMeetingId', joinMeetingId, passcode: 'Ab1cD', tenantId: TENANT },
    });
  });

  it('may have no passcode', () => {
    const result = parseMeetingId({ meetingId: '273598234', passcode: '' });
    expect(result).toEqual({
      ok: true,
      target: { kind: 'joinMeetingId', joinMeetingId: '273598234' },
    });
  });

  it('is the short URL of the same meeting (property)', () => {
    const passcodes = fc.stringMatching(/^[A-Za-z0-9]{1,10}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^\d{6,20}$/), passcodes, (meetingId, passcode) => {
        const result = parseMeetingId({ meetingId, passcode });
        expect(result.ok && target(formatJoinUrl(result.target))).toEqual(
          result.ok && result.target,
        );
      }),
    );
  });

  it('that is none is refused, and neither shown nor thrown (property)', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3 }), fc.string({ minLength: 3 }), (text, passcode) => {
        const result = parseMeetingId({ meetingId: `x${text}`, passcode: `~${passcode}` });
        expect(result).toMatchObject({ ok: false, code: 'malformed_meeting_id' });
        expect(JSON.stringify(result)).not.toContain(`~${passcode}`);
      }),
    );
  });
});

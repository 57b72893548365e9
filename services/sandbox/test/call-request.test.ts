import {
  anything,
  assert,
  constantFrom,
  dictionary,
  letrec,
  oneof,
  property,
  string,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AppIdentity } from '../src/graph/app-tokens.js';
import { parseCallRequest } from '../src/graph/call-request.js';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

const APP: AppIdentity = {
  tenantId: TENANT,
  clientId: 'app',
  roles: new Set(['Calls.JoinGroupCall.All', 'Calls.AccessMedia.All']),
};

const JOIN = 'Calls.JoinGroupCall.All';
const ALL_ROLES = [
  'Calls.Initiate.All',
  'Calls.InitiateGroupCall.All',
  JOIN,
  'Calls.JoinGroupCallAsGuest.All',
  'Calls.JoinGroupCalls.Chat',
  'Calls.AccessMedia.All',
];

/** Two permissions of which one is enough to join. */
function isJoin(a: string, b: string): boolean {
  return [a, b].every((role) => role === JOIN || role === 'Calls.JoinGroupCalls.Chat');
}

type Json = Record<string, unknown>;

function body(changes: Json = {}): Json {
  return {
    '@odata.type': '#microsoft.graph.call',
    callbackUri: 'https://bot.example/callbacks/1',
    requestedModalities: ['audio'],
    mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig', blob: 'blob' },
    chatInfo: {
      '@odata.type': '#microsoft.graph.chatInfo',
      threadId: '19:x@thread.v2',
      messageId: '0',
    },
    meetingInfo: {
      '@odata.type': '#microsoft.graph.organizerMeetingInfo',
      organizer: {
        '@odata.type': '#microsoft.graph.identitySet',
        user: { '@odata.type': '#microsoft.graph.identity', id: 'oid', tenantId: TENANT },
      },
    },
    tenantId: TENANT,
    ...changes,
  };
}

const BY_ID: Json = {
  chatInfo: undefined,
  meetingInfo: {
    '@odata.type': '#microsoft.graph.joinMeetingIdMeetingInfo',
    joinMeetingId: '123',
    passcode: 'abc',
  },
};

const NOWHERE: Json = { chatInfo: undefined, meetingInfo: undefined };
const FROM_OUR_NUMBER: Json = { source: { identity: { applicationInstance: { id: 'a' } } } };
const SERVICE_HOSTED: Json = {
  mediaConfig: { '@odata.type': '#microsoft.graph.serviceHostedMediaConfig' },
};

function user(id: string): Json {
  return { identity: { user: { id } } };
}

function phone(id: string): Json {
  return { identity: { phone: { id } } };
}

function tokenInfo(token: string): Json {
  return { '@odata.type': '#microsoft.graph.tokenMeetingInfo', token };
}

function calling(...targets: Json[]): Json {
  return body({ ...NOWHERE, ...SERVICE_HOSTED, targets, tenantId: undefined });
}

function refusal(value: unknown, app: AppIdentity = APP): string {
  const result = parseCallRequest(value, app);
  return result.ok ? 'accepted' : `${result.fault.status}/${result.fault.code}`;
}

describe('parseCallRequest', () => {
  it('takes a join by thread and organiser', () => {
    const result = parseCallRequest(body(), APP);
    expect(result).toMatchObject({
      ok: true,
      request: {
        media: { hosted: 'app', blob: 'blob' },
        tenantId: TENANT,
        target: { kind: 'organizer', threadId: '19:x@thread.v2', organizerId: 'oid' },
        bot: { kind: 'application', id: 'app' },
      },
    });
  });

  it('takes a join by meeting id, with or without a passcode', () => {
    const result = parseCallRequest(body(BY_ID), APP);
    expect(result).toMatchObject({
      ok: true,
      request: { target: { kind: 'joinMeetingId', joinMeetingId: '123', passcode: 'abc' } },
    });
    const open = { ...(BY_ID['meetingInfo'] as Json), passcode: null };
    expect(refusal(body({ ...BY_ID, meetingInfo: open }))).toBe('accepted');
  });

  it.each([
    ['a loopback http callback', { callbackUri: 'http://127.0.0.1:9/cb' }],
    ['a tenant in other letters', { tenantId: TENANT.toUpperCase() }],
    ['modalities in other letters', { requestedModalities: ['Audio', 'VideoBasedScreenSharing'] }],
    ['no type on the call itself', { '@odata.type': undefined }],
    ['properties nobody knows', { fancy: { new: true } }],
  ])('takes %s', (_name, changes) => {
    expect(refusal(body(changes))).toBe('accepted');
  });

  it.each([
    ['text', 'call', '400/BadRequest'],
    ['nothing', undefined, '400/BadRequest'],
    ['a list', [], '400/BadRequest'],
    ['another type', body({ '@odata.type': '#microsoft.graph.chat' }), '400/BadRequest'],
    ['no callbackUri', body({ callbackUri: undefined }), '400/8523'],
    ['an http callbackUri', body({ callbackUri: 'http://bot.example/' }), '400/8523'],
    ['no URL as callbackUri', body({ callbackUri: 'here' }), '400/8523'],
    ['no modalities', body({ requestedModalities: [] }), '400/8523'],
    ['an unknown modality', body({ requestedModalities: ['smell'] }), '400/8523'],
    ['no mediaConfig', body({ mediaConfig: undefined }), '400/8523'],
    ['an untyped mediaConfig', body({ mediaConfig: { blob: 'b' } }), '400/BadRequest'],
    [
      'no blob',
      body({ mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig' } }),
      '400/8523',
    ],
    ['an untyped meetingInfo', body({ meetingInfo: { organizer: {} } }), '400/BadRequest'],
    ['neither meeting, chat nor people', body(NOWHERE), '400/8523'],
    ['a token that is empty', body({ ...NOWHERE, meetingInfo: tokenInfo('') }), '400/8523'],
    ['no thread', body({ chatInfo: undefined }), '400/8523'],
    ['a chat with a meeting id', body({ ...BY_ID, chatInfo: { threadId: 'x' } }), '400/8523'],
    ['no tenant', body({ tenantId: undefined }), '403/7505'],
    ['another tenant', body({ tenantId: '11111111-86f1-41af-91ab-2d7cd011db47' }), '403/7505'],
    ['targets that are nobody', body({ ...NOWHERE, targets: [{}] }), '400/8523'],
    ['people and a meeting', body({ targets: [user('u')] }), '400/8523'],
    ['six people', calling(...'abcdef'.split('').map(user)), '400/8523'],
    ['a phone among people', calling(user('u'), phone('+442079460000')), '400/8523'],
    ['a phone without a number to call from', calling(phone('+442079460000')), '400/7507'],
    ['a number that is none', { ...calling(phone('007')), ...FROM_OUR_NUMBER }, '400/8523'],
  ])('refuses %s', (_name, value, code) => {
    expect(refusal(value)).toBe(code);
  });

  it.each([
    ['joining', ['Calls.AccessMedia.All']],
    ['the media', ['Calls.JoinGroupCall.All']],
    ['anything', []],
  ])('refuses without the permission for %s', (_name, roles) => {
    expect(refusal(body(), { ...APP, roles: new Set(roles) })).toBe('403/7504');
  });

  it.each([
    ['one user', calling(user('u')), 'peer', 'Calls.Initiate.All'],
    ['a group', calling(user('u'), user('v')), 'group', 'Calls.InitiateGroupCall.All'],
    [
      'a phone',
      {
        ...calling(phone('+442079460000')),
        source: { identity: { applicationInstance: { id: 'a' } } },
      },
      'phone',
      'Calls.Initiate.All',
    ],
    ['a meeting by token', body({ meetingInfo: tokenInfo('t'), ...SERVICE_HOSTED }), 'token', JOIN],
    ['a chat', body({ meetingInfo: undefined, ...SERVICE_HOSTED }), 'chat', JOIN],
    [
      'a meeting where its members let it',
      body({ ...BY_ID, ...SERVICE_HOSTED }),
      'joinMeetingId',
      'Calls.JoinGroupCalls.Chat',
    ],
  ])('lets %s be called with the one permission that it needs', (_name, value, kind, role) => {
    const allowed = parseCallRequest(value, { ...APP, roles: new Set([role]) });
    expect(allowed).toMatchObject({
      ok: true,
      request: { media: { hosted: 'service' }, target: { kind } },
    });
    const others = ALL_ROLES.filter((other) => other !== role && !isJoin(other, role));
    expect(refusal(value, { ...APP, roles: new Set(others) })).toBe('403/7504');
  });

  it('asks a guest for the permission of guests, and keeps its name', () => {
    const guest = body({ source: { identity: { guest: { id: 'g', displayName: 'Guest' } } } });
    expect(refusal(guest)).toBe('403/7504');
    const app = {
      ...APP,
      roles: new Set(['Calls.JoinGroupCallAsGuest.All', 'Calls.AccessMedia.All']),
    };
    expect(parseCallRequest(guest, app)).toMatchObject({
      ok: true,
      request: { bot: { kind: 'guest', id: 'g', displayName: 'Guest' } },
    });
  });

  it('never throws, whatever the body', () => {
    assert(property(anything(), (value) => refusal(value) !== ''));
  });

  it('never throws, whatever stands in the properties that it knows', () => {
    const keys = constantFrom(
      ...Object.keys(body()),
      'source',
      'identity',
      'guest',
      'organizer',
      'user',
      'blob',
      'threadId',
      'joinMeetingId',
      'targets',
      'callOptions',
    );
    const { tree } = letrec((tie) => ({
      tree: oneof(
        { maxDepth: 4 },
        constantFrom(...Object.values(body()), '#microsoft.graph.tokenMeetingInfo', null, 1),
        string(),
        dictionary(keys, tie('tree'), { maxKeys: 6 }),
      ),
    }));
    assert(
      property(dictionary(keys, tree), (value) => refusal({ ...body(), ...value }) !== ''),
      { numRuns: 500 },
    );
  });
});

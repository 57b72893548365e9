import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkType, faultText } from '../src/check.js';
import { CSDL } from '../src/csdl.generated.js';
import { TYPE_LIMITS } from '../src/limits.js';
import { anyOf } from './arbitrary-value.js';
import { APP_HOSTED, NEW_CALLS, USER } from './bodies.js';

const JOIN = NEW_CALLS['organizer'] ?? {};

function faults(typeName: string, value: unknown): string[] {
  return checkType(typeName, value).map(faultText);
}

function faultsOfService(typeName: string, value: unknown): string[] {
  return checkType(typeName, value, { from: 'service' }).map(faultText);
}

describe('a new call', () => {
  it.each(Object.keys(NEW_CALLS))('of the kind %s passes', (kind) => {
    expect(faults('call', NEW_CALLS[kind])).toEqual([]);
  });

  it.each([
    ['callbackUri', undefined, 'callbackUri must be given, got nothing'],
    ['callbackUri', null, 'callbackUri must not be null, got null'],
    ['callbackUri', 'http://calls.example/k', 'callbackUri must be an https address, got a text'],
    ['callbackUri', 7, 'callbackUri must be a text, got 7'],
    ['requestedModalities', undefined, 'requestedModalities must be given, got nothing'],
    ['requestedModalities', [], 'requestedModalities must have 1 or more items, got a list of 0'],
    ['requestedModalities', 'audio', 'requestedModalities must be a list, got a text of 5'],
    ['requestedModalities', ['AUDIO', 'smell'], 'requestedModalities[1] must be one of audio,'],
    ['requestedModalities', ['unknown'], 'requestedModalities[0] must be one of audio,'],
    ['mediaConfig', null, 'mediaConfig must be given, got null'],
    ['mediaConfig', { blob: 'a' }, 'mediaConfig.@odata.type must say which mediaConfig it is'],
    ['mediaConfig', { ...APP_HOSTED, blob: '' }, 'mediaConfig.blob must not be empty'],
    ['mediaConfig', { ...APP_HOSTED, bolb: '' }, 'mediaConfig.bolb must not be given'],
    [
      'mediaConfig',
      { '@odata.type': '#microsoft.graph.chatInfo' },
      'mediaConfig.@odata.type must name mediaConfig or a type of it, got #microsoft.graph.chatInfo',
    ],
    [
      'mediaConfig',
      { '@odata.type': '#microsoft.graph.mediaConfig' },
      'mediaConfig.@odata.type must name mediaConfig or a type of it',
    ],
    [
      'mediaConfig',
      { '@odata.type': 'microsoft.graph.appHostedMediaConfig', blob: 'a' },
      'mediaConfig.@odata.type must name mediaConfig or a type of it',
    ],
    ['chatInfo', undefined, 'chatInfo.threadId must be given, got nothing'],
    ['chatInfo', { threadId: 5 }, 'chatInfo.threadId must be a text, got 5'],
    ['tenantId', undefined, 'tenantId must be given, got nothing'],
    [
      'callOptions',
      { '@odata.type': '#microsoft.graph.outgoingCallOptions', hideBotAfterEscalation: 'no' },
      'callOptions.hideBotAfterEscalation must be true or false, got a text of 2',
    ],
    ['source', {}, 'source.identity must be given, got nothing'],
    ['source', { identity: { user: { id: 9 } } }, 'source.identity.user.id must be a text, got 9'],
    ['anything', { '@odata.type': '#microsoft.graph.nothing' }, 'anything.@odata.type must name'],
  ])('with %s %j is refused', (name, value, expected) => {
    const found = faults('call', { ...JOIN, [name]: value });
    expect(found.join('\n')).toContain(expected);
  });

  it.each([
    [
      'a meeting id with a chat',
      { ...NEW_CALLS['meetingId'], chatInfo: {} },
      'chatInfo must not be given',
    ],
    [
      'a meeting id without a tenant',
      { ...NEW_CALLS['meetingId'], tenantId: undefined },
      'tenantId must be given',
    ],
    [
      'six targets',
      { ...NEW_CALLS['group'], targets: Array(6).fill(USER) },
      'targets must have 1 to 5',
    ],
    ['nothing to call', { ...NEW_CALLS['group'], targets: [] }, 'targets must be given'],
    [
      'a phone without a caller',
      { ...NEW_CALLS['phone'], source: null },
      'source.identity.applicationInstance.id must be given',
    ],
    [
      'a phone of a strange form',
      { ...NEW_CALLS['phone'], targets: [{ identity: { phone: { id: '0800' } } }] },
      'targets[0].identity.phone.id must be a number in E.164',
    ],
    ['an open property', { ...JOIN, somethingNew: { a: 1 } }, ''],
  ])('with %s', (_name, body, expected) => {
    expect(faults('call', body).join('\n')).toContain(expected);
    expect(faults('call', body)).toHaveLength(expected === '' ? 0 : 1);
  });

  it.each([
    ['https://calls.example:8443/v1/callbacks/k?a=b', true],
    ['http://127.0.0.1:8080/k', true],
    ['http://[::1]:8080/k', true],
    ['http://signaling/k', true],
    ['http://signaling.earshot.svc:80/k', true],
    ['http://192.168.1.7/k', true],
    ['http://172.32.0.1/k', false],
    ['http://calls.example/k', false],
    ['http://127.0.0.1.example/k', false],
    ['http://127.0.0.1@calls.example/k', false],
    ['ftp://signaling/k', false],
    ['/v1/callbacks/k', false],
    ['https://', false],
    ['https://a b/k', false],
  ])('may have the callback address %s: %s', (callbackUri, isGood) => {
    expect(faults('call', { ...JOIN, callbackUri })).toHaveLength(isGood ? 0 : 1);
  });

  it('never shows a text that was given', () => {
    const fault = checkType('call', { ...JOIN, callbackUri: 'the-secret', tenantId: { a: 'x' } });
    expect(fault).toHaveLength(2);
    expect(JSON.stringify(fault)).not.toContain('secret');
  });
});

describe('values', () => {
  it.each([
    ['toneInfo', { sequenceId: 1, tone: 'TONE5' }, []],
    [
      'toneInfo',
      { sequenceId: '1', tone: 'tone5' },
      ['sequenceId must be an integer, got a text of 1 characters'],
    ],
    [
      'resultInfo',
      { code: 2 ** 31, subcode: 0 },
      ['code must be a 32-bit integer, got 2147483648'],
    ],
    ['onlineMeetingRestricted', { videoDisabled: 'watermarkProtection, unknownFutureValue' }, []],
    [
      'callTranscriptionInfo',
      { state: 'active', lastModifiedDateTime: '2026-02-03T04:05:06.7Z' },
      [],
    ],
    [
      'callTranscriptionInfo',
      { state: 'active', lastModifiedDateTime: '2026-13-03T04:05:06Z' },
      ['lastModifiedDateTime must be a date and time with its offset, got a text of 20 characters'],
    ],
    ['audioRoutingGroup', { routingMode: 'oneToOne', sources: ['a'], receivers: ['b'] }, []],
    [
      'audioRoutingGroup',
      { routingMode: 'oneToOne', sources: ['a', 'c'], receivers: ['b'] },
      ['sources must be one with the mode oneToOne, got a list of 2'],
    ],
    [
      'rejectJoinResponse',
      { '@odata.type': '#microsoft.graph.rejectJoinResponse', reason: 'busy' },
      [],
    ],
    ['nothing', {}, ['it must be of a type of the metadata, got another type']],
    ['participant', [], ['it must be an object, got a list of 0']],
  ])('%s %j', (typeName, value, expected) => {
    expect(faults(typeName, value)).toEqual(expected);
  });

  it('are taken from the service in its own spelling, and in parts', () => {
    const value = {
      state: 'Ringing',
      resultInfo: { code: '0' },
      toneInfo: { sequenceId: '7', tone: 'star' },
      callbackUri: null,
      mediaConfig: { blob: 'x', more: 1 },
      activeModalities: ['unknown'],
    };
    expect(faultsOfService('call', value)).toEqual([]);
    expect(faults('call', value)).not.toEqual([]);
    expect(faultsOfService('call', { state: 'dancing' })).toHaveLength(1);
    expect(faultsOfService('call', { '@odata.type': '#microsoft.graph.participant' })).toHaveLength(
      1,
    );
  });
});

describe('a notification', () => {
  const item = (resourceUrl: string, resourceData: unknown) =>
    faultsOfService('commsNotifications', {
      '@odata.type': '#microsoft.graph.commsNotifications',
      value: [{ changeType: 'updated', resourceUrl, resourceData }],
    });

  it.each([
    ['/communications/calls/a', { state: 'established' }, 0],
    ['/communications/calls/a', { state: 3 }, 1],
    [
      '/app/calls/a',
      { '@odata.type': '#microsoft.graph.participantLeftNotification', participantId: 'p' },
      0,
    ],
    ['/app/calls/a', { '@odata.type': '#microsoft.graph.participant' }, 1],
    ["/communications/calls('a')/participants/", [{ id: 'p', isMuted: false }], 0],
    ['/communications/calls/a/participants', [{ id: 'p', isMuted: 'perhaps' }], 1],
    [
      '/communications/calls/a/participants',
      {
        '@odata.type': '#microsoft.graph.deltaParticipants',
        sequenceNumber: 1,
        participants: [{ isMuted: 'perhaps' }],
      },
      1,
    ],
    [
      '/communications/calls/a/operations/o?x=1',
      { '@odata.type': '#microsoft.graph.recordOperation', status: 'completed' },
      0,
    ],
    ['/communications/calls/a/operations/o', { '@odata.type': '#microsoft.graph.call' }, 1],
    ['/communications/calls/a/contentsharingsessions', [{ id: 's' }], 0],
    ['/something/else', 7, 0],
  ])('of %s with %j', (resourceUrl, resourceData, count) => {
    expect(item(resourceUrl, resourceData)).toHaveLength(count);
  });
});

describe('properties', () => {
  const NAMES = Object.keys(CSDL.types);
  const typeName = fc.constantFrom(...NAMES);
  const from = fc.constantFrom('client', 'service');

  it('does not trip over members that stand in for methods', () => {
    const value = { toString: 1, valueOf: 1 };
    expect(checkType('call', { meetingInfo: { '@odata.type': value } })).not.toEqual([]);
    expect(checkType('audioRoutingGroup', { routingMode: value })).not.toEqual([]);
  });

  it('never throws, whatever the JSON, and tells a bounded number of faults', () => {
    const keys = NAMES.flatMap((name) => Object.keys(CSDL.types[name]?.properties ?? {}));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.constantFrom(...NAMES.map((name) => ({ '@odata.type': `#microsoft.graph.${name}` }))),
        fc.dictionary(fc.constantFrom('@odata.type', 'value', '__proto__', ...keys), tie('value'), {
          maxKeys: 5,
        }),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(typeName, value, from, (name, json, sender) => {
        expect(checkType(name, json, { from: sender }).length).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('bounds depth and number', () => {
    let deep: unknown = {};
    for (let level = 0; level < 5_000; level++) deep = { a: [deep] };
    expect(faults('call', { ...JOIN, more: deep })).toEqual([]);
    const typed = (depth: number): unknown =>
      depth === 0 ? 1 : { '@odata.type': '#microsoft.graph.identity', more: typed(depth - 1) };
    expect(faults('identity', typed(200)).join()).toContain('must not be deeper than 32 levels');
    expect(faults('commsNotifications', { value: Array(1_000).fill(1) })).toHaveLength(50);
  });

  it('takes from the service what the metadata declares', () => {
    fc.assert(
      fc.property(
        typeName
          .chain((name) => fc.tuple(fc.constant(name), anyOf(name)))
          .filter(([, made]) => made !== undefined),
        ([name, made]) => {
          expect(faultsOfService(name, made)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes from a client what the metadata declares, where documents ask for no more', () => {
    const limited = new Set([...Object.keys(TYPE_LIMITS), 'audioRoutingGroup']);
    const free = [
      'participant',
      'participantInfo',
      'commsOperation',
      'resultInfo',
      'toneInfo',
      'communicationsIdentitySet',
      'incomingContext',
      'callOptions',
      'callRoute',
      'mediaStream',
    ];
    expect(free.filter((name) => limited.has(name))).toEqual([]);
    fc.assert(
      fc.property(
        fc.constantFrom(...free).chain((name) => fc.tuple(fc.constant(name), anyOf(name))),
        ([name, made]) => {
          expect(faults(name, made)).toEqual([]);
        },
      ),
    );
  });
});

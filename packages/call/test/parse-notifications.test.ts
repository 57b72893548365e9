import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialCallModel } from '../src/call-model.js';
import type { CallNotification } from '../src/call-notification.js';
import { parseNotifications } from '../src/parse-notifications.js';
import { reduceCall } from '../src/reduce-call.js';
import { graphLikeJson } from './arbitraries.js';
import {
  ADA,
  ADA_ID,
  body,
  CALL_ID,
  callBody,
  operationBody,
  rosterBody,
} from './notifications.js';

function one(value: unknown): CallNotification {
  const result = parseNotifications(value);
  if (result.ok && result.items.length === 1) return result.items[0]!;
  throw new Error(`expected one item, got ${JSON.stringify(result)}`);
}

function callAt(resource: Readonly<Record<string, unknown>>): CallNotification {
  return one(body({ changeType: 'updated', resourceData: { state: 'established' }, ...resource }));
}

describe('an item about a call', () => {
  it('tells what it knows and ignores the rest', () => {
    const parsed = one(
      callBody('Deleted', {
        state: 'Terminated',
        resultInfo: { code: '200', subcode: '5002', message: 'bye', '@odata.type': 'x' },
        terminationReason: 'whatever',
        mediaState: { audio: 'Active' },
        chatInfo: { threadId: '19:x@thread.v2', messageId: '0' },
        meetingCapability: { anything: true },
      }),
    );
    expect(parsed).toEqual({
      kind: 'call',
      changeType: 'deleted',
      graphCallId: CALL_ID,
      call: {
        state: 'terminated',
        resultInfo: { code: 200, subcode: 5002, message: 'bye' },
        mediaState: 'active',
        chatInfo: { threadId: '19:x@thread.v2', messageId: '0' },
      },
    });
  });

  it.each([
    { resourceUrl: `/communications/calls/${CALL_ID}` },
    { resource: `/app/calls/${CALL_ID}` },
    { resource: `/app/calls/${CALL_ID}`, resourceUrl: null },
    { resourceUrl: `communications/calls/${CALL_ID}/` },
    { resourceUrl: `/Communications/Calls/${CALL_ID}` },
    { resourceUrl: `/communications/calls('${CALL_ID}')` },
    { resourceUrl: `https://graph.microsoft.com/v1.0/communications/calls/${CALL_ID}?x=1` },
  ])('is known by %j', (resource) => {
    expect(callAt(resource)).toMatchObject({
      kind: 'call',
      graphCallId: CALL_ID,
      call: { state: 'established' },
    });
  });

  it('keeps what it says beside a state that is not known', () => {
    const parsed = one(callBody('upserted', { state: 'levitating', callChainId: 'c' }));
    expect(parsed).toMatchObject({
      kind: 'call',
      changeType: 'unknown',
      call: { callChainId: 'c' },
    });
    expect(parsed).not.toHaveProperty('call.state');
  });

  it.each([
    [
      { sequenceId: 1, tone: 'tone5' },
      { sequenceId: 1, tone: 'tone5' },
    ],
    [
      { sequenceId: '12', tone: 'pound' },
      { sequenceId: 12, tone: 'pound' },
    ],
    [{ tone: 'pound' }, undefined],
    [{ sequenceId: 'x', tone: 'pound' }, undefined],
    [null, undefined],
  ])('reads the tone %j', (toneInfo, expected) => {
    const parsed = one(callBody('updated', { toneInfo }));
    expect(parsed.kind === 'call' && parsed.call.toneInfo).toEqual(expected);
  });

  it.each([
    [
      { code: 0, subcode: 7015 },
      { code: 0, subcode: 7015 },
    ],
    [{ code: '0' }, { code: 0, subcode: 0 }],
    [{ subcode: '8522' }, { code: 0, subcode: 8522 }],
    [{ message: 'no numbers' }, undefined],
  ])('reads the result %j', (resultInfo, expected) => {
    const parsed = one(callBody('deleted', { resultInfo }));
    expect(parsed.kind === 'call' && parsed.call.resultInfo).toEqual(expected);
  });
});

describe('an item about the roster', () => {
  it('tells each participant and its audio sources', () => {
    expect(one(rosterBody('7', [ADA]))).toEqual({
      kind: 'roster',
      changeType: 'updated',
      graphCallId: CALL_ID,
      participants: [
        {
          id: ADA_ID,
          identity: {
            kind: 'user',
            id: 'ada-oid',
            displayName: 'Ada Lovelace',
            tenantId: 'tenant-1',
          },
          isInLobby: false,
          isMuted: true,
          isServerMuted: false,
          audioSourceIds: ['213'],
          rosterSequence: 7,
          isRemoved: false,
        },
      ],
    });
  });

  it.each([
    ['user', { user: { id: 'u', displayName: 'N', tenantId: 't' } }],
    ['guest', { user: null, guest: { id: 'g', displayName: 'N' } }],
    ['phone', { phone: { id: '+15551234567' } }],
    ['applicationInstance', { applicationInstance: { id: 'i', displayName: 'Hotline' } }],
    ['application', { user: null, device: null, application: { id: 'a' } }],
    ['azureCommunicationServicesUser', { azureCommunicationServicesUser: { id: '8:acs:x' } }],
    ['onPremises', { onPremises: { id: 'o' } }],
    ['assertedIdentity', { assertedIdentity: { displayName: 'N' } }],
    ['encrypted', { encrypted: { id: 'e' } }],
    ['device', { device: { id: 'd' } }],
    ['unknown', { '@odata.type': 'x', conferenceRoom: { id: 'r', displayName: 'Room 1' } }],
  ])('finds the identity of a %s', (kind, identity) => {
    const facet = Object.values(identity).find(
      (value) => value !== null && typeof value === 'object',
    );
    const parsed = one(rosterBody(1, [{ id: 'p', info: { identity } }]));
    expect(parsed).toMatchObject({ participants: [{ identity: { ...facet, kind } }] });
  });

  it.each([
    [
      'a Teams Room, which is the user of its account',
      { user: { id: 'r', displayName: 'Room 4.11', tenantId: 't', identityProvider: 'AAD' } },
      { kind: 'user', id: 'r', displayName: 'Room 4.11', tenantId: 't' },
    ],
    [
      'somebody who joined without an account',
      { user: null, application: null, guest: { id: 'g', displayName: 'Anna', email: null } },
      { kind: 'guest', id: 'g', displayName: 'Anna' },
    ],
    [
      'somebody without an account or an id',
      { guest: { id: null, displayName: 'Anna' } },
      { kind: 'guest', displayName: 'Anna' },
    ],
    [
      'somebody behind a facet that is empty',
      { user: {}, phone: { id: '+15550100' } },
      { kind: 'phone', id: '+15550100' },
    ],
    ['somebody of whom nothing is told', { user: {}, guest: null }, { kind: 'user' }],
  ])('finds the identity of %s', (_name, identity, expected) => {
    const parsed = one(rosterBody(1, [{ id: 'p', info: { identity } }]));
    expect(parsed.kind === 'roster' && parsed.participants[0]?.identity).toEqual(expected);
  });

  it('finds none where all facets are null', () => {
    const identity = { user: null, application: null, device: null };
    const parsed = one(rosterBody(1, [{ id: 'p', info: { identity } }]));
    expect(parsed.kind === 'roster' && parsed.participants[0]).not.toHaveProperty('identity');
  });

  it('tells why somebody was removed', () => {
    const parsed = one(rosterBody(1, [{ id: 'p', removedState: { reason: 'Removed' } }]));
    expect(parsed).toMatchObject({ participants: [{ isRemoved: true, removedReason: 'Removed' }] });
  });

  it('prefers the person to the app that speaks for it', () => {
    const identity = { application: { id: 'a' }, phone: { id: '+1' }, user: { id: 'u' } };
    const parsed = one(rosterBody(1, [{ id: 'p', info: { identity } }]));
    expect(parsed).toMatchObject({ participants: [{ identity: { kind: 'user', id: 'u' } }] });
  });

  it.each([
    ['numbers', [{ mediaType: 'audio', sourceId: 213 }], ['213']],
    ['capitals', [{ mediaType: 'AUDIO', sourceId: '213' }], ['213']],
    ['a label only', [{ label: 'main-audio', sourceId: '213' }], ['213']],
    [
      'several',
      [
        { mediaType: 'audio', sourceId: '1' },
        { mediaType: 'audio', sourceId: '2' },
      ],
      ['1', '2'],
    ],
    [
      'the same twice',
      [
        { mediaType: 'audio', sourceId: '1' },
        { mediaType: 'audio', sourceId: '1' },
      ],
      ['1'],
    ],
    ['the none of the media platform', [{ mediaType: 'audio', sourceId: '4294967295' }], []],
    ['video', [{ mediaType: 'video', sourceId: '1' }], []],
    ['broken ones', [null, 3, { mediaType: 'audio' }, { mediaType: 'audio', sourceId: {} }], []],
    ['none', [], []],
    ['no list', undefined, undefined],
  ])('reads audio sources: %s', (_name, mediaStreams, expected) => {
    const parsed = one(rosterBody(1, [{ id: 'p', mediaStreams }]));
    expect(parsed.kind === 'roster' && parsed.participants[0]?.audioSourceIds).toEqual(expected);
  });

  it('leaves broken entries out', () => {
    const parsed = one(
      body({
        resourceUrl: `/communications/calls/${CALL_ID}/participants`,
        resourceData: [null, 1, {}, { id: 'p' }],
      }),
    );
    expect(parsed).toMatchObject({ kind: 'roster', participants: [{ id: 'p', isRemoved: false }] });
  });

  const delta = {
    '@odata.type': '#microsoft.graph.deltaParticipants',
    sequenceNumber: '9',
    participants: [{ id: 'p', removedState: { reason: 'Removed' } }],
  };
  it.each([
    ['an object', delta],
    ['an object in an array', [delta]],
  ])('tells what changed: %s', (_name, resourceData) => {
    expect(
      one(body({ resourceUrl: `/communications/calls/${CALL_ID}/participants`, resourceData })),
    ).toMatchObject({
      kind: 'rosterDelta',
      sequenceNumber: 9,
      participants: [{ id: 'p', isRemoved: true }],
    });
  });

  it('tells of one participant', () => {
    const resourceUrl = `/communications/calls/${CALL_ID}/participants/p`;
    expect(
      one(body({ changeType: 'updated', resourceUrl, resourceData: { isMuted: true } })),
    ).toMatchObject({
      kind: 'rosterDelta',
      participants: [{ id: 'p', isMuted: true, isRemoved: false }],
    });
    expect(one(body({ changeType: 'deleted', resourceUrl }))).toMatchObject({
      participants: [{ id: 'p', isRemoved: true }],
    });
  });
});

describe('an item about something else', () => {
  it('may be an operation', () => {
    expect(one(operationBody('deleted', 'Completed'))).toEqual({
      kind: 'operation',
      changeType: 'deleted',
      graphCallId: CALL_ID,
      operation: {
        id: '0FE0623FD62842EDB4BD8AC290072CC5',
        type: 'muteParticipantOperation',
        status: 'completed',
        clientContext: 'why',
        result: { code: 200, subcode: 0 },
      },
    });
  });

  it.each([
    { resourceUrl: `/communications/calls/${CALL_ID}/contentsharingsessions/1`, resourceData: [] },
    { resourceUrl: '/communications/onlineMeetings/1', resourceData: {} },
    { resourceData: { state: 'established' } },
    {},
  ])('is kept as other: %j', (item) => {
    expect(one(body(item)).kind).toBe('other');
  });
});

describe('a body', () => {
  it('may hold several items, of which a strange one costs only itself', () => {
    const { value } = callBody('updated', { state: 'established' });
    const result = parseNotifications({
      value: [null, 'x', ...(Array.isArray(value) ? value : [])],
    });
    expect(result.ok && result.items.map(({ kind }) => kind)).toEqual(['other', 'other', 'call']);
  });

  it('may be one item', () => {
    expect(one({ resourceUrl: `/app/calls/${CALL_ID}`, resourceData: {} }).kind).toBe('call');
  });

  it.each([null, undefined, 1, 'x', [], {}, { value: {} }])('is refused: %j', (value) => {
    expect(parseNotifications(value)).toMatchObject({ ok: false, code: 'invalid_notification' });
  });

  it('may name a type that is no text', () => {
    const data = JSON.parse('[{"@odata.type":{"toString":1,"valueOf":1}}]');
    const resourceUrl = `/app/calls/${CALL_ID}/participants`;
    expect(one({ resourceUrl, resourceData: data }).kind).toBe('roster');
  });

  it('never makes the parser or the reducer throw (property)', () => {
    fc.assert(
      fc.property(fc.oneof(graphLikeJson, fc.jsonValue(), fc.anything()), (value) => {
        const bodies = [
          value,
          { value: [value] },
          body({ resourceUrl: '/app/calls/a', resourceData: value }),
        ];
        const items = bodies
          .map(parseNotifications)
          .flatMap((result) => (result.ok ? result.items : []));
        let model = initialCallModel;
        for (const item of items) model = reduceCall(model, item).model;
        expect(JSON.parse(JSON.stringify(model))).toEqual(model);
      }),
      { numRuns: 500 },
    );
  });
});

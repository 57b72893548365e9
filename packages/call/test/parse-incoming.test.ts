import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIncoming } from '../src/index.js';

const CALL = 'e71f0300-9c1f-4d99-b5f4-2722e877d497';
const TENANT = '932899f8-2ea1-4604-8413-27bd2892079f';

function envelope(resourceData: object, more: object = {}): object {
  return {
    '@odata.type': '#microsoft.graph.commsNotifications',
    value: [
      {
        '@odata.type': '#microsoft.graph.commsNotification',
        changeType: 'created',
        resource: `/app/calls/${CALL}`,
        resourceUrl: `/communications/calls/${CALL}`,
        resourceData,
        ...more,
      },
    ],
  };
}

const POLICY = {
  '@odata.type': '#microsoft.graph.call',
  state: 'incoming',
  direction: 'incoming',
  id: CALL,
  source: {
    id: 'p-1',
    identity: { user: { id: 'u-1', displayName: 'Ada', tenantId: TENANT } },
    region: 'amer',
  },
  meetingInfo: { '@odata.type': '#microsoft.graph.tokenMeetingInfo', token: 'join token' },
  tenantId: TENANT,
  myParticipantId: 'me',
  callChainId: 'chain',
  incomingContext: {
    sourceParticipantId: 'p-1',
    observedParticipantId: 'p-1',
    onBehalfOf: { user: { id: 'u-2' } },
  },
  applicationMetadata: {
    botData: {
      mediaHostedRegion: 'USEA',
      user: { participationMethod: 'callee', clientLocation: 'US' },
      inviteReasons: ['PolicyBasedRecording'],
      policyIdentifier: 'Test Policy',
      pairedRecorders: [{ id: 'r-1', participantId: 'rp-1' }, 7],
      somethingNew: true,
    },
  },
};

describe('an incoming notification', () => {
  it('of a recording policy tells whose call it is, and how to join it again', () => {
    expect(parseIncoming(envelope(POLICY))).toEqual({
      kind: 'notifications',
      calls: [
        {
          graphCallId: CALL,
          scenario: 'policyRecording',
          tenantId: TENANT,
          myParticipantId: 'me',
          callChainId: 'chain',
          meetingToken: 'join token',
          source: {
            participantId: 'p-1',
            identity: { kind: 'user', id: 'u-1', displayName: 'Ada', tenantId: TENANT },
            region: 'amer',
          },
          context: {
            sourceParticipantId: 'p-1',
            observedParticipantId: 'p-1',
            onBehalfOf: { kind: 'user', id: 'u-2' },
          },
          botData: {
            mediaHostedRegion: 'USEA',
            policyIdentifier: 'Test Policy',
            inviteReasons: ['PolicyBasedRecording'],
            user: { participationMethod: 'callee', clientLocation: 'US' },
            pairedRecorders: [{ id: 'r-1', participantId: 'rp-1' }],
            otherRecorders: [],
          },
        },
      ],
    });
  });

  it.each([
    ['user', { state: 'incoming', source: POLICY.source }],
    ['group', { state: 'Incoming', chatInfo: { threadId: '19:x@thread.v2' } }],
    ['policyRecording', { state: 'incoming', incomingContext: { observedParticipantId: 'p-1' } }],
    [
      'group',
      { ...POLICY, applicationMetadata: { botData: { inviteReasons: ['SomethingElse'] } } },
    ],
  ])('is of a %s call', (scenario, data) => {
    const body = parseIncoming(envelope(data));
    expect(body.kind === 'notifications' && body.calls[0]?.scenario).toBe(scenario);
  });

  it('is only of a call that waits', () => {
    expect(parseIncoming(envelope({ state: 'terminated' }))).toEqual({
      kind: 'notifications',
      calls: [],
    });
  });
});

describe('a recorded participant', () => {
  const call = { id: CALL, source: { id: 'p-2' } };
  const joining = { '@odata.type': '#microsoft.graph.participantJoiningNotification', call };
  const left = {
    '@odata.type': '#microsoft.graph.participantLeftNotification',
    participantId: 'p-2',
    call: { id: CALL },
  };

  it.each([
    ['joining', joining],
    ['joining', envelope(joining)],
    ['left', left],
    ['left', envelope(left)],
  ])('%s is told alone or in the envelope', (kind, body) => {
    expect(parseIncoming(body)).toEqual({ kind, graphCallId: CALL, participantId: 'p-2' });
  });

  it('may be named as the one observed', () => {
    const observed = { incomingContext: { observedParticipantId: 'p-3' } };
    expect(parseIncoming({ ...joining, call: observed })).toEqual({
      kind: 'joining',
      graphCallId: undefined,
      participantId: 'p-3',
    });
  });
});

describe('another body', () => {
  it('is the older format when it is an object, else unreadable', () => {
    expect(parseIncoming({ id: 'x', participants: [], isMultiparty: false })).toEqual({
      kind: 'legacy',
    });
    for (const body of [null, 7, 'x', [], undefined]) {
      expect(parseIncoming(body)).toEqual({ kind: 'unreadable' });
    }
  });

  it('never makes it throw', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseIncoming(value)));
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(POLICY)), (value, key) => {
        parseIncoming(envelope({ ...POLICY, [key]: value }));
      }),
    );
  });

  it.each(['@odata.type', 'state'])('never makes it throw: %s is no text', (key) => {
    const noText = JSON.parse('{"toString":1,"valueOf":1}');
    expect(parseIncoming(envelope({ ...POLICY, [key]: noText })).kind).toBe('notifications');
  });
});

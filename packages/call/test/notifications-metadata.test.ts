import { checkType, faultText } from '@earshot/graph-metadata';
import { describe, expect, it } from 'vitest';
import { parseNotifications } from '../src/parse-notifications.js';
import {
  ADA,
  BOT,
  body,
  CALL_ID,
  callBody,
  GRACE,
  operationBody,
  SEQUENCE,
} from './notifications.js';

const GRAPH = '#microsoft.graph.';
const CALL = `/communications/calls/${CALL_ID}`;

function item(changeType: string, suffix: string, resourceData: unknown) {
  return body({ changeType, resourceUrl: `${CALL}${suffix}`, resourceData });
}

/** Every kind of notification that Graph documents, with the kind that the parser makes of it. */
const NOTIFICATIONS: readonly (readonly [string, unknown, string])[] = [
  [
    'incoming call',
    callBody('created', {
      state: 'incoming',
      direction: 'incoming',
      callbackUri: 'https://calls.example/v1/callbacks/incoming',
      source: { identity: { user: { id: 'u', displayName: 'Ada' } }, countryCode: 'NL' },
      targets: [{ identity: { application: { id: 'a', displayName: 'Bot' } } }],
      requestedModalities: ['audio'],
      incomingContext: { observedParticipantId: 'p-1', sourceParticipantId: 'p-1' },
      meetingInfo: { '@odata.type': `${GRAPH}tokenMeetingInfo`, token: 't' },
      tenantId: 't-1',
      botData: { mediaHostedRegion: 'EU', inviteReasons: ['PolicyBasedRecording'] },
    }),
    'call',
  ],
  ['progress', callBody('updated', { state: 'Established' }), 'call'],
  ['beta state', callBody('updated', { state: 'ringing', activeModalities: ['unknown'] }), 'call'],
  ['tone', callBody('updated', { toneInfo: { sequenceId: 1, tone: 'tone5' } }), 'call'],
  [
    'transcription',
    callBody('updated', {
      transcription: { state: 'active', lastModifiedDateTime: '2026-01-02T03:04:05Z' },
    }),
    'call',
  ],
  ['media state', callBody('updated', { mediaState: { audio: 'inactive' } }), 'call'],
  [
    'end',
    callBody('deleted', {
      state: 'terminated',
      resultInfo: { code: '0', subcode: 7015 },
      terminationReason: 'x',
    }),
    'call',
  ],
  ['roster', item('updated', '/participants', [BOT, ADA, GRACE]), 'roster'],
  [
    'delta roster',
    item('updated', '/participants', {
      '@odata.type': `${GRAPH}deltaParticipants`,
      sequenceNumber: 4,
      participants: [ADA, { id: 'p', removedState: { reason: 'removed' } }],
    }),
    'rosterDelta',
  ],
  ['one participant', item('updated', '/participants/p-1', GRACE), 'rosterDelta'],
  ['operation running', operationBody('updated', 'running'), 'operation'],
  ['operation over', operationBody('deleted', 'Completed'), 'operation'],
  [
    'recording',
    item('deleted', '/operations/o', {
      '@odata.type': `${GRAPH}recordOperation`,
      id: 'o',
      status: 'completed',
      recordingLocation: 'https://r.example/1',
      recordingAccessToken: 't',
      resultInfo: { code: 200, subcode: 8515 },
    }),
    'operation',
  ],
  [
    'tones sent',
    item('deleted', '/operations/o', {
      '@odata.type': `${GRAPH}sendDtmfTonesOperation`,
      id: 'o',
      status: 'completed',
      completionReason: 'completedSuccessfully',
    }),
    'operation',
  ],
  [
    'content sharing',
    item('created', '/contentsharingsessions', [
      { '@odata.type': `${GRAPH}contentSharingSession`, id: 's' },
    ]),
    'other',
  ],
  [
    'recorded participant joins',
    item('updated', '', {
      '@odata.type': `${GRAPH}participantJoiningNotification`,
      call: { '@odata.type': `${GRAPH}call`, id: CALL_ID },
    }),
    'call',
  ],
  [
    'recorded participant left',
    item('updated', '', {
      '@odata.type': `${GRAPH}participantLeftNotification`,
      participantId: 'p',
    }),
    'call',
  ],
];

function faults(value: unknown): string[] {
  return checkType('commsNotifications', value, { from: 'service' }).map(faultText);
}

describe('notifications that the parser is tested with keep to the metadata of Graph', () => {
  it.each(NOTIFICATIONS)('%s', (_name, value, kind) => {
    expect(faults(value)).toEqual([]);
    const parsed = parseNotifications(value);
    expect(parsed.ok && parsed.items.map((one) => one.kind)).toEqual([kind]);
  });

  it('a whole meeting', () => {
    for (const value of SEQUENCE) expect(faults(value)).toEqual([]);
  });

  it('and what does not is found', () => {
    expect(faults(callBody('updated', { state: 'dancing' }))).toHaveLength(1);
    expect(faults(item('updated', '/participants', [{ ...ADA, isMuted: 'perhaps' }]))).toHaveLength(
      1,
    );
    expect(faults(item('deleted', '/operations/o', { status: 'over' }))).toHaveLength(1);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAction, faultText } from '../src/check.js';
import { CSDL } from '../src/csdl.generated.js';
import { APP_HOSTED, PROMPT, USER } from './bodies.js';

const ANSWER = {
  callbackUri: 'https://calls.example/k',
  mediaConfig: APP_HOSTED,
  acceptedModalities: ['audio'],
};
const QUALITY = {
  callChainId: '0622673d-9f69-49b3-9d4f-5ec64f42ecce',
  participantId: 'ea078406-b5d4-4d3c-b85e-90103dcec7f6',
  mediaLegId: 'bd9ee398-4b9d-42c7-8b8d-4e8efad9435f',
  deviceName: 'Room',
  deviceDescription: 'Unit',
  mediaQualityList: [
    {
      '@odata.type': '#microsoft.graph.teleconferenceDeviceAudioQuality',
      channelIndex: 1,
      mediaDuration: 'PT20M',
      averageInboundJitter: 'PT0.01S',
      inboundPackets: 5_500,
    },
  ],
};

describe('the body of an action', () => {
  it.each([
    ['call', 'keepAlive', undefined],
    ['call', 'mute', {}],
    ['participant', 'mute', { clientContext: 'why' }],
    ['call', 'answer', ANSWER],
    [
      'call',
      'answer',
      { ...ANSWER, participantCapacity: 200, callOptions: { isDeltaRosterEnabled: true } },
    ],
    ['call', 'reject', { reason: 'busy' }],
    ['call', 'redirect', { targets: [USER], timeout: 15 }],
    ['call', 'transfer', { transferTarget: { ...USER, replacesCallId: 'c' } }],
    ['call', 'playPrompt', { prompts: [PROMPT] }],
    ['call', 'recordResponse', { prompts: [PROMPT], stopTones: ['#'], playBeep: true }],
    ['call', 'sendDtmfTones', { tones: ['tone1', 'pound'], delayBetweenTonesMs: 200 }],
    ['call', 'changeScreenSharingRole', { role: 'sharer' }],
    ['call', 'updateRecordingStatus', { status: 'recording', clientContext: 'x'.repeat(256) }],
    ['Collection(participant)', 'invite', { participants: [USER] }],
    ['participant', 'startHoldMusic', { customPrompt: PROMPT }],
    ['Collection(call)', 'logTeleconferenceDeviceQuality', { quality: QUALITY }],
  ])('%s %s %j passes', (boundTo, action, body) => {
    expect(checkAction(boundTo, action, body).map(faultText)).toEqual([]);
  });

  it.each([
    [
      'call',
      'mute',
      { clientContext: 'x'.repeat(257) },
      'clientContext must have at most 256 characters',
    ],
    ['call', 'mute', { context: '' }, 'context must not be given'],
    ['call', 'mute', [], 'it must be an object'],
    [
      'call',
      'answer',
      { ...ANSWER, participantCapacity: 0 },
      'participantCapacity must be 1 or more, got 0',
    ],
    [
      'call',
      'answer',
      { ...ANSWER, acceptedModalities: undefined },
      'acceptedModalities must be given',
    ],
    [
      'call',
      'answer',
      { ...ANSWER, callOptions: { '@odata.type': '#microsoft.graph.outgoingCallOptions' } },
      'callOptions.@odata.type must name incomingCallOptions',
    ],
    ['call', 'redirect', { targets: Array(26).fill(USER) }, 'targets must have 1 to 25 items'],
    ['call', 'redirect', { targets: [USER], timeout: 14 }, 'timeout must be 15 to 90, got 14'],
    ['call', 'playPrompt', { prompts: [] }, 'prompts must have 1 to 20 items'],
    [
      'call',
      'playPrompt',
      { prompts: [{ mediaInfo: PROMPT.mediaInfo }] },
      'prompts[0].@odata.type must say which prompt',
    ],
    [
      'call',
      'recordResponse',
      { maxSilenceTimeoutInSeconds: 121 },
      'maxSilenceTimeoutInSeconds must be 1 to 120, got 121',
    ],
    ['call', 'recordResponse', { prompts: [PROMPT, PROMPT] }, 'prompts must have 0 to 1 items'],
    ['call', 'sendDtmfTones', { tones: ['5'] }, 'tones[0] must be one of tone0'],
    ['call', 'sendDtmfTones', { tones: [] }, 'tones must have 1 or more items'],
    [
      'call',
      'updateRecordingStatus',
      { status: 'unknown' },
      'status must be one of notRecording, recording, failed',
    ],
    ['call', 'updateRecordingStatus', {}, 'status must be given'],
    [
      'Collection(participant)',
      'invite',
      { participants: Array(6).fill(USER) },
      'participants must have 1 to 5 items',
    ],
    [
      'Collection(call)',
      'logTeleconferenceDeviceQuality',
      { quality: { ...QUALITY, mediaLegId: 'x' } },
      'quality.mediaLegId must be a GUID',
    ],
    ['call', 'dance', {}, 'it must be the body of an action of the metadata'],
    ['participant', 'keepAlive', {}, 'it must be the body of an action of the metadata'],
  ])('%s %s %j is refused', (boundTo, action, body, expected) => {
    const found = checkAction(boundTo, action, body).map(faultText);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('never throws (property)', () => {
    const action = fc.constantFrom(...CSDL.actions);
    const body = action.chain(({ parameters }) =>
      fc.dictionary(
        fc.constantFrom('@odata.type', 'x', ...Object.keys(parameters)),
        fc.jsonValue(),
      ),
    );
    fc.assert(
      fc.property(action, fc.oneof(body, fc.jsonValue()), ({ boundTo, name }, value) => {
        expect(checkAction(boundTo, name, value).length).toBeLessThanOrEqual(50);
      }),
    );
  });
});

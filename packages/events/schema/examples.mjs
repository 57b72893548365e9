// @ts-check
// An example of each type of event, for the published schema; made up.

/** @typedef {import('../dist/index.js').EventType} EventType */
/** @typedef {{ [Type in EventType]: import('../dist/index.js').EventOf<Type>['data'] }} ExampleData */

const FRAMES = {
  framesReceived: 3000,
  framesDecoded: 2997,
  framesConcealed: 2,
  framesMissing: 3,
  framesCorrupt: 0,
  framesDropped: 0,
};
const GUEST = { isMuted: false, isInLobby: false, kind: 'guest' };

const TEXT = {
  utteranceId: 'c_1.m_1.utterance.1001.40020',
  text: 'We ship on [lost 0.2 s] Friday.',
  startMs: 40_020,
  endMs: 42_300,
  words: [
    { text: 'We', startMs: 40_040, endMs: 40_200, confidence: 0.97 },
    { text: 'ship', startMs: 40_200, endMs: 40_610, confidence: 0.91 },
    { text: 'on', startMs: 40_610, endMs: 40_800, confidence: 0.95 },
    { text: 'Friday.', startMs: 41_000, endMs: 41_700, confidence: 0.88 },
  ],
  gaps: [{ startMs: 40_800, durationMs: 200 }],
  confidence: 0.92,
  engine: 'sherpa-onnx',
  language: 'en-US',
};

/** @type {ExampleData} */
const DATA = {
  'call.stateChanged': { from: 'establishing', to: 'established' },
  'call.ended': {
    cause: 'ended_by_teams',
    kind: 'removed',
    reason: 'A participant removed the bot.',
    retryClass: 'never',
    resultCode: 200,
    resultSubcode: 5300,
  },
  'call.lobby': { state: 'waiting' },
  'call.operation': {
    operationId: 'o_5Jm2k0sW',
    kind: 'mute',
    status: 'completed',
    resultCode: 200,
    resultSubcode: 0,
  },
  'call.incoming': { scenario: 'policyRecording' },
  'recording.gateChanged': { state: 'open', basis: 'graph', reason: 'recording' },
  'recording.statusChanged': { status: 'recording', accepted: true },
  'call.rejoined': {
    attempt: 2,
    hostId: 'host-2',
    cause: 'ended_by_teams',
    reason: 'Media were cut during the call.',
    retryClass: 'onceOnAnotherHost',
    resultCode: 410,
    resultSubcode: 301_005,
  },
  'participant.joined': GUEST,
  'participant.updated': { ...GUEST, isMuted: true },
  'participant.left': { ...GUEST, reason: 'Removed' },
  'media.started': { streams: 2 },
  'media.streamOpened': { streamId: 1, kind: 'unmixed', codec: 'opus' },
  'media.streamClosed': { streamId: 1, ...FRAMES },
  'media.gap': {
    streamId: 1,
    missingFrames: 3,
    concealedFrames: 2,
    startMs: 41_000,
    durationMs: 60,
    cause: 'lost',
  },
  'media.stopped': { streams: 2, gaps: 1, reason: 'call_ended', ...FRAMES },
  'media.deaf': { reason: 'noFrames', quietMs: 10_000, unmutedParticipants: 2 },
  'media.recovered': { deafMs: 12_400 },
  'tone.detected': {
    kind: 'dtmf',
    digit: '5',
    startMs: 12_340,
    durationMs: 120,
    levelDbfs: -14.5,
    twistDb: -0.5,
    confidence: 0.98,
    origin: 'inBand',
    acrossGap: false,
  },
  'tone.collected': { digits: '2468', reason: 'terminator', startMs: 12_340, endMs: 14_020 },
  'speaker.dominant': { sinceMs: 20_020, previousSourceId: null, origin: 'heard' },
  'talk.summary': {
    startMs: 0,
    endMs: 60_000,
    talkMs: 41_300,
    overlapMs: 1_200,
    speakers: [
      { sourceId: '1001', participantId: 'p_1', talkMs: 30_100, talkspurts: 9, overlapMs: 1_200 },
      { sourceId: '1002', participantId: null, talkMs: 12_400, talkspurts: 4, overlapMs: 1_200 },
    ],
  },
  'phrase.recognized': {
    phrase: 'start recording',
    startMs: 31_200,
    endMs: 32_100,
    confidence: 0.93,
    engine: 'soundswallower',
    language: 'en-US',
  },
  'transcript.partial': { ...TEXT, text: 'We ship on', revision: 2 },
  'transcript.final': TEXT,
  'transcript.skipped': {
    utteranceId: 'c_1.m_1.utterance.1001.44120',
    task: 'dictation',
    startMs: 44_120,
    endMs: 47_900,
    reason: 'overCapacity',
    engine: null,
  },
  'play.started': { playId: 'p_3c9e', durationMs: 3_020 },
  'play.ended': { playId: 'p_3c9e', outcome: 'played', playedMs: 3_020 },
  'speech.started': { startMs: 20_020 },
  'speech.ended': { startMs: 20_020, endMs: 23_480, durationMs: 3_460 },
};

/** Events about a participant's audio. @type {ReadonlySet<string>} */
const OF_SOURCE = new Set([
  'tone.detected',
  'tone.collected',
  'speech.started',
  'speech.ended',
  'speaker.dominant',
  'phrase.recognized',
  'transcript.partial',
  'transcript.final',
  'transcript.skipped',
  'media.gap',
]);

/**
 * One valid event of each type, by type.
 * @returns {Record<string, Record<string, unknown>>}
 */
export function exampleEvents() {
  return Object.fromEntries(
    Object.entries(DATA).map(([type, data], position) => [
      type,
      exampleEvent(type, data, position),
    ]),
  );
}

/** @param {string} type @param {object} data @param {number} position */
function exampleEvent(type, data, position) {
  const isSignaling = type.startsWith('call.') || type.startsWith('participant.');
  const source = isSignaling ? 'signaling' : 'media';
  const hasParticipant = type.startsWith('participant.') || OF_SOURCE.has(type);
  return {
    version: 1,
    id: `c_7f3a/${source}/${position}`,
    type,
    callId: 'c_7f3a',
    epoch: 1,
    source,
    position,
    mediaTimeMs: 'startMs' in data ? data.startMs : null,
    wallclock: '2026-11-26T09:30:00.000Z',
    participant: hasParticipant ? { id: 'p_19', displayName: 'Guest' } : null,
    sourceId: OF_SOURCE.has(type) ? '112' : null,
    data,
  };
}

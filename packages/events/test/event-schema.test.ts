import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EarshotEvent, EventData, EventOf, EventType } from '../src/event.js';
import { EVENT_TYPES, parseEvent } from '../src/event-schema.js';
import { eventJsonSchema } from '../src/json-schema.js';
import { PARTITIONS, partitionOf } from '../src/partition.js';
import { speech } from './support.js';

// Adding zero makes -0, which JSON does not have, to 0.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0);
const duration = fc.double({ min: 0, max: 1e9, noNaN: true }).map((x) => x + 0);
const count = fc.nat();
const participant = fc.record({
  isMuted: fc.boolean(),
  isInLobby: fc.boolean(),
  kind: fc.string(),
});
const frameCounts = {
  framesReceived: count,
  framesDecoded: count,
  framesConcealed: count,
  framesMissing: count,
  framesCorrupt: count,
  framesDropped: count,
};

const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const name = fc.string({ minLength: 1 });
const transcript = {
  utteranceId: name,
  text: fc.string(),
  startMs: number,
  endMs: number,
  words: fc.array(
    fc.record({ text: fc.string(), startMs: number, endMs: number, confidence: fc.option(share) }),
  ),
  gaps: fc.array(fc.record({ startMs: number, durationMs: duration })),
  confidence: fc.option(share),
  engine: name,
  language: name,
};

const DATA: { [Type in EventType]: fc.Arbitrary<EventData[Type]> } = {
  'call.stateChanged': fc.record({ from: fc.string(), to: fc.string() }),
  'call.ended': fc.record(
    {
      resultCode: count,
      resultSubcode: count,
      reason: fc.string(),
      retryClass: fc.constantFrom(
        'normal',
        'never',
        'onceOnAnotherHost',
        'backOff',
        'stopForMonth',
      ),
      cause: fc.string(),
      kind: fc.string(),
      rule: fc.string(),
    },
    { requiredKeys: ['reason', 'retryClass'] },
  ),
  'call.operation': fc.record(
    {
      operationId: fc.string({ minLength: 1 }),
      kind: fc.string({ minLength: 1 }),
      status: fc.constantFrom('completed', 'failed'),
      resultCode: fc.integer(),
      resultSubcode: fc.integer(),
    },
    { requiredKeys: ['operationId', 'kind', 'status'] },
  ),
  'call.rejoined': fc.record(
    {
      attempt: fc.integer({ min: 2, max: 9 }),
      hostId: fc.string({ minLength: 1 }),
      cause: fc.string(),
      reason: fc.string(),
      retryClass: fc.constant('onceOnAnotherHost'),
      resultCode: count,
      resultSubcode: count,
    },
    { requiredKeys: ['attempt', 'hostId', 'cause', 'reason', 'retryClass'] },
  ),
  'call.lobby': fc.record({ state: fc.constantFrom('waiting', 'admitted') }),
  'call.incoming': fc.record({
    scenario: fc.constantFrom('policyRecording', 'group', 'user'),
  }),
  'recording.gateChanged': fc.record({
    state: fc.constantFrom('open', 'closed'),
    basis: fc.constantFrom('graph', 'declaration', null),
    reason: fc.string(),
  }),
  'recording.statusChanged': fc.record({
    status: fc.constantFrom('recording', 'notRecording', 'failed'),
    accepted: fc.boolean(),
  }),
  'participant.joined': participant,
  'participant.updated': participant,
  'participant.left': fc
    .tuple(participant, fc.option(fc.string(), { nil: undefined }))
    .map(([who, reason]) => (reason === undefined ? who : { ...who, reason })),
  'media.started': fc.record({ streams: count }, { requiredKeys: [] }),
  'media.streamOpened': fc.record({
    streamId: count,
    kind: fc.constantFrom('mixed', 'unmixed'),
    codec: fc.constantFrom('opus', 'pcm16'),
  }),
  'media.streamClosed': fc.record({ streamId: count, ...frameCounts }),
  'media.gap': fc.record({
    streamId: count,
    missingFrames: count,
    concealedFrames: count,
    startMs: number,
    durationMs: duration,
    cause: fc.constantFrom('lost', 'overflow', 'discarded', 'corrupt'),
  }),
  'media.stopped': fc.record({ streams: count, gaps: count, reason: fc.string(), ...frameCounts }),
  'media.deaf': fc.record({
    reason: fc.constantFrom('noLink', 'noFrames', 'digitalSilence'),
    quietMs: duration,
    unmutedParticipants: count,
  }),
  'media.recovered': fc.record({ deafMs: duration }),
  'tone.detected': fc.record({
    kind: fc.constantFrom('dtmf', 'beep', 'sit'),
    digit: fc.option(fc.constantFrom('0', '5', '9', '*', '#', 'A', 'D')),
    startMs: number,
    durationMs: duration,
    levelDbfs: fc.option(number),
    twistDb: fc.option(number),
    confidence: fc.option(share),
    origin: fc.constantFrom('inBand', 'host', 'graph'),
    acrossGap: fc.boolean(),
  }),
  'speech.started': fc.record({ startMs: number }),
  'speech.ended': fc.record({ startMs: number, endMs: number, durationMs: duration }),
  'tone.collected': fc.record({
    digits: fc.string(),
    reason: fc.constantFrom(
      'length',
      'terminator',
      'interDigitTimeout',
      'firstDigitTimeout',
      'ended',
    ),
    startMs: fc.option(number),
    endMs: number,
  }),
  'speaker.dominant': fc.record({
    sinceMs: number,
    previousSourceId: fc.option(fc.string()),
    origin: fc.constantFrom('heard', 'host'),
  }),
  'talk.summary': fc.record({
    startMs: number,
    endMs: number,
    talkMs: duration,
    overlapMs: duration,
    speakers: fc.array(
      fc.record({
        sourceId: fc.option(fc.string()),
        participantId: fc.option(fc.string()),
        talkMs: duration,
        talkspurts: count,
        overlapMs: duration,
      }),
    ),
  }),
  'phrase.recognized': fc.record({
    phrase: name,
    startMs: number,
    endMs: number,
    confidence: share,
    engine: name,
    language: name,
  }),
  'transcript.partial': fc.record({ ...transcript, revision: fc.integer({ min: 1 }) }),
  'transcript.final': fc.record(transcript),
  'transcript.skipped': fc.record({
    utteranceId: name,
    task: fc.constantFrom('dictation', 'phrases'),
    startMs: number,
    endMs: number,
    reason: fc.constantFrom('overCapacity', 'engineFailed'),
    engine: fc.option(fc.string()),
  }),
  'play.started': fc.record({ playId: fc.string({ minLength: 1 }), durationMs: duration }),
  'play.ended': fc.record(
    {
      playId: fc.string({ minLength: 1 }),
      outcome: fc.constantFrom('played', 'cleared', 'failed'),
      reason: fc.string(),
      playedMs: duration,
    },
    { requiredKeys: ['playId', 'outcome', 'playedMs'] },
  ),
};

function eventOf<Type extends EventType>(type: Type): fc.Arbitrary<EventOf<Type>> {
  return fc.record({
    version: fc.constant<1>(1),
    id: fc.string({ minLength: 1 }),
    type: fc.constant(type),
    callId: fc.string({ minLength: 1 }),
    epoch: count,
    source: fc.constantFrom('signaling', 'media'),
    position: count,
    mediaTimeMs: fc.option(number),
    wallclock: fc.date({ noInvalidDate: true, min: new Date(0) }).map((date) => date.toISOString()),
    participant: fc.option(
      fc.record(
        { id: fc.string({ minLength: 1 }), displayName: fc.string() },
        { requiredKeys: ['id'] },
      ),
    ),
    sourceId: fc.option(fc.string()),
    data: DATA[type],
  });
}

const MAX_DATE = new Date('9999-12-31T23:59:59.999Z').toISOString();
const anyEvent: fc.Arbitrary<EarshotEvent> = fc
  .oneof(
    eventOf('call.stateChanged'),
    eventOf('call.ended'),
    eventOf('call.operation'),
    eventOf('call.rejoined'),
    eventOf('call.lobby'),
    eventOf('call.incoming'),
    eventOf('recording.gateChanged'),
    eventOf('recording.statusChanged'),
    eventOf('participant.joined'),
    eventOf('participant.updated'),
    eventOf('participant.left'),
    eventOf('media.started'),
    eventOf('media.streamOpened'),
    eventOf('media.streamClosed'),
    eventOf('media.gap'),
    eventOf('media.stopped'),
    eventOf('media.deaf'),
    eventOf('media.recovered'),
    eventOf('tone.detected'),
    eventOf('speech.started'),
    eventOf('speech.ended'),
    eventOf('tone.collected'),
    eventOf('speaker.dominant'),
    eventOf('talk.summary'),
    eventOf('phrase.recognized'),
    eventOf('transcript.partial'),
    eventOf('transcript.final'),
    eventOf('transcript.skipped'),
  )
  .filter(({ wallclock }) => wallclock <= MAX_DATE && wallclock.length === MAX_DATE.length);

describe('parseEvent', () => {
  it('gives back every event that went through JSON', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const copy: unknown = JSON.parse(JSON.stringify(event));
        expect(parseEvent(copy)).toEqual(copy);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses an event that lacks any of its fields', () => {
    const fields = Object.keys(speech('c_1', 0));
    fc.assert(
      fc.property(anyEvent, fc.constantFrom(...fields), (event, field) => {
        const { [field]: _, ...rest }: Record<string, unknown> = { ...event };
        expect(() => parseEvent(rest)).toThrow(/Cannot read event/);
      }),
    );
  });

  it('refuses anything else with a code, and does not repeat values', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => parseEvent(value)).toThrow(expect.objectContaining({ code: 'invalid_event' }));
      }),
    );
    const named = { ...speech('c_1', 0), participant: { id: 7, displayName: 'Ada Lovelace' } };
    expect(() => parseEvent(named)).toThrow(
      'Cannot read event: it must match the schema, got a problem at "participant.id" (invalid_type)',
    );
  });

  it('drops fields it does not know, and refuses types it does not know', () => {
    const event = speech('c_1', 0);
    expect(parseEvent({ ...event, later: 1 })).toEqual(event);
    expect(() => parseEvent({ ...event, type: 'later.type' })).toThrow();
    expect(() => parseEvent({ ...event, version: 2 })).toThrow();
  });
});

describe('eventJsonSchema', () => {
  it('describes every type, for programs in other languages', () => {
    const schema = JSON.parse(JSON.stringify(eventJsonSchema()));
    expect(schema.$schema).toContain('2020-12');
    const references: { $ref: string }[] = schema.oneOf;
    expect(references.map(({ $ref }) => $ref.replace('#/$defs/', ''))).toEqual(EVENT_TYPES);
    for (const type of EVENT_TYPES) {
      expect(schema.$defs[type].properties.type.const).toBe(type);
      const required = [...schema.$defs.envelope.required, ...schema.$defs[type].required];
      expect(required.sort()).toEqual(Object.keys(speech('c_1', 0)).sort());
    }
  });
});

describe('partitionOf', () => {
  it('is a partition, always the same', () => {
    fc.assert(
      fc.property(fc.string(), (callId) => {
        const partition = partitionOf(callId);
        expect(partition).toBe(partitionOf(callId));
        expect(Number.isInteger(partition) && partition >= 0 && partition < PARTITIONS).toBe(true);
      }),
    );
  });

  it('spreads call ids evenly', () => {
    const sizes = new Array<number>(PARTITIONS).fill(0);
    for (let i = 0; i < 8_000; i += 1) {
      const partition = partitionOf(`c_${i.toString(36).padStart(22, 'x')}`);
      sizes[partition] = (sizes[partition] ?? 0) + 1;
    }
    for (const size of sizes) expect(Math.abs(size - 1_000)).toBeLessThan(200);
  });
});

import { CodedError } from '@earshot/async';
import { CALL_TONE_KINDS } from '@earshot/call-tones';
import { z } from 'zod';
import type { EarshotEvent, EventData, EventType } from './event.js';

const count = z.int().min(0);
const participantData = z.object({
  isMuted: z.boolean(),
  isInLobby: z.boolean(),
  kind: z.string(),
});
const frameCounts = z.object({
  framesReceived: count,
  framesDecoded: count,
  framesConcealed: count,
  framesMissing: count,
  framesCorrupt: count,
  framesDropped: count,
});

const share = z.number().min(0).max(1);
const transcriptData = z.object({
  utteranceId: z.string().min(1),
  text: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  words: z.array(
    z.object({
      text: z.string(),
      startMs: z.number(),
      endMs: z.number(),
      confidence: share.nullable(),
    }),
  ),
  gaps: z.array(z.object({ startMs: z.number(), durationMs: z.number().min(0) })),
  confidence: share.nullable(),
  engine: z.string().min(1),
  language: z.string().min(1),
});

const retryClass = z.enum(['normal', 'never', 'onceOnAnotherHost', 'backOff', 'stopForMonth']);

const dataSchemas = {
  'call.stateChanged': z.object({ from: z.string(), to: z.string() }),
  'call.ended': z.object({
    resultCode: z.int().optional(),
    resultSubcode: z.int().optional(),
    reason: z.string(),
    retryClass,
    cause: z.string().optional(),
    kind: z.string().optional(),
    rule: z.string().optional(),
  }),
  'call.operation': z.object({
    operationId: z.string().min(1),
    kind: z.string().min(1),
    status: z.enum(['completed', 'failed']),
    resultCode: z.int().optional(),
    resultSubcode: z.int().optional(),
  }),
  'call.lobby': z.object({ state: z.enum(['waiting', 'admitted']) }),
  'call.incoming': z.object({ scenario: z.enum(['policyRecording', 'group', 'user']) }),
  'recording.gateChanged': z.object({
    state: z.enum(['open', 'closed']),
    basis: z.enum(['graph', 'declaration']).nullable(),
    reason: z.string(),
  }),
  'recording.statusChanged': z.object({
    status: z.enum(['recording', 'notRecording', 'failed']),
    accepted: z.boolean(),
  }),
  'call.rejoined': z.object({
    attempt: z.int().min(2),
    hostId: z.string().min(1),
    cause: z.string(),
    reason: z.string(),
    retryClass,
    resultCode: z.int().optional(),
    resultSubcode: z.int().optional(),
  }),
  'participant.joined': participantData,
  'participant.updated': participantData,
  'participant.left': participantData.extend({ reason: z.string().optional() }),
  'media.started': z.object({ streams: count.optional() }),
  'media.streamOpened': z.object({
    streamId: count,
    kind: z.enum(['mixed', 'unmixed']),
    codec: z.enum(['opus', 'pcm16']),
  }),
  'media.streamClosed': frameCounts.extend({ streamId: count }),
  'media.gap': z.object({
    streamId: count,
    missingFrames: count,
    concealedFrames: count,
    startMs: z.number(),
    durationMs: z.number().min(0),
    cause: z.enum(['lost', 'overflow', 'discarded', 'corrupt']),
  }),
  'media.stopped': frameCounts.extend({ streams: count, gaps: count, reason: z.string() }),
  'media.deaf': z.object({
    reason: z.enum(['noLink', 'noFrames', 'digitalSilence']),
    quietMs: z.number().min(0),
    unmutedParticipants: count,
  }),
  'media.recovered': z.object({ deafMs: z.number().min(0) }),
  'tone.detected': z.object({
    kind: z.enum(['dtmf', ...CALL_TONE_KINDS]),
    digit: z
      .enum([
        ...(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const),
        ...(['*', '#', 'A', 'B', 'C', 'D'] as const),
      ])
      .nullable(),
    startMs: z.number(),
    durationMs: z.number().min(0),
    levelDbfs: z.number().nullable(),
    twistDb: z.number().nullable(),
    confidence: share.nullable(),
    origin: z.enum(['inBand', 'host', 'graph']),
    acrossGap: z.boolean(),
  }),
  'tone.collected': z.object({
    digits: z.string(),
    reason: z.enum(['length', 'terminator', 'interDigitTimeout', 'firstDigitTimeout', 'ended']),
    startMs: z.number().nullable(),
    endMs: z.number(),
  }),
  'speech.started': z.object({ startMs: z.number() }),
  'speech.ended': z.object({
    startMs: z.number(),
    endMs: z.number(),
    durationMs: z.number().min(0),
  }),
  'speaker.dominant': z.object({
    sinceMs: z.number(),
    previousSourceId: z.string().nullable(),
    origin: z.enum(['heard', 'host']),
  }),
  'talk.summary': z.object({
    startMs: z.number(),
    endMs: z.number(),
    talkMs: z.number().min(0),
    overlapMs: z.number().min(0),
    speakers: z.array(
      z.object({
        sourceId: z.string().nullable(),
        participantId: z.string().nullable(),
        talkMs: z.number().min(0),
        talkspurts: count,
        overlapMs: z.number().min(0),
      }),
    ),
  }),
  'phrase.recognized': z.object({
    phrase: z.string().min(1),
    startMs: z.number(),
    endMs: z.number(),
    confidence: share,
    engine: z.string().min(1),
    language: z.string().min(1),
  }),
  'transcript.partial': transcriptData.extend({ revision: z.int().min(1) }),
  'transcript.final': transcriptData,
  'transcript.skipped': z.object({
    utteranceId: z.string().min(1),
    task: z.enum(['dictation', 'phrases']),
    startMs: z.number(),
    endMs: z.number(),
    reason: z.enum(['overCapacity', 'engineFailed']),
    engine: z.string().nullable(),
  }),
  'play.started': z.object({ playId: z.string().min(1), durationMs: z.number().min(0) }),
  'play.ended': z.object({
    playId: z.string().min(1),
    outcome: z.enum(['played', 'cleared', 'failed']),
    reason: z.string().optional(),
    playedMs: z.number().min(0),
  }),
} as const satisfies { [Type in EventType]: z.ZodType<EventData[Type]> };

const envelope = z.object({
  version: z.literal(1),
  id: z.string().min(1).describe('The same for the same fact, however often it is told.'),
  callId: z.string().min(1),
  epoch: count.describe("Fencing number of the call's ownership at that time."),
  source: z.enum(['signaling', 'media']),
  position: count.describe('Order within call, source and epoch, from 0 without holes.'),
  mediaTimeMs: z.number().nullable().describe("When it was found, on the call's media clock."),
  wallclock: z.iso.datetime().describe('When it was found, in UTC.'),
  participant: z.object({ id: z.string().min(1), displayName: z.string().optional() }).nullable(),
  sourceId: z.string().nullable().describe("The audio source's id in the meeting."),
  traceparent: z
    .string()
    .regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
    .optional()
    .describe('W3C Trace Context of what it comes from, while traces are kept.'),
});

/** What all events have, beside `type` and `data`. */
export const envelopeSchema: z.ZodType = envelope;

/** The schema of every event. Unknown fields are dropped, unknown types refused. */
export const eventSchema: z.ZodType<EarshotEvent> = z.discriminatedUnion('type', [
  variant('call.stateChanged'),
  variant('call.ended'),
  variant('call.operation'),
  variant('call.lobby'),
  variant('call.incoming'),
  variant('recording.gateChanged'),
  variant('recording.statusChanged'),
  variant('call.rejoined'),
  variant('participant.joined'),
  variant('participant.updated'),
  variant('participant.left'),
  variant('media.started'),
  variant('media.streamOpened'),
  variant('media.streamClosed'),
  variant('media.gap'),
  variant('media.stopped'),
  variant('media.deaf'),
  variant('media.recovered'),
  variant('tone.detected'),
  variant('tone.collected'),
  variant('speech.started'),
  variant('speech.ended'),
  variant('speaker.dominant'),
  variant('talk.summary'),
  variant('phrase.recognized'),
  variant('transcript.partial'),
  variant('transcript.final'),
  variant('transcript.skipped'),
  variant('play.started'),
  variant('play.ended'),
]);

/** All types of events. */
export const EVENT_TYPES: readonly EventType[] = Object.keys(dataSchemas).filter(isEventType);

/**
 * Checks that a value is an event.
 *
 * @throws CodedError `invalid_event`; the message names the field, never its value.
 */
export function parseEvent(value: unknown): EarshotEvent {
  const parsed = eventSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CodedError(
    'invalid_event',
    `Cannot read event: it must match the schema, got a problem at "${issue?.path.join('.')}" (${issue?.code})`,
  );
}

function variant<Type extends EventType>(type: Type) {
  return envelope.extend({ type: z.literal(type), data: dataSchemas[type] });
}

function isEventType(name: string): name is EventType {
  return name in dataSchemas;
}

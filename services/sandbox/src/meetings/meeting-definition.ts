import { DIGITS } from '@earshot/dtmf';
import { z } from 'zod';

const timeMs = z.number().finite().nonnegative();

/** Who can be in a meeting; the names of Graph's identity facets. */
export const PARTICIPANT_KINDS = [
  'user',
  'guest',
  'phone',
  'applicationInstance',
  'azureCommunicationServicesUser',
] as const;

/** Kind of a participant: the identity facet under which Graph shows it. */
export type ParticipantKind = (typeof PARTICIPANT_KINDS)[number];

const resultSchema = z.object({
  code: z.number().int(),
  subcode: z.number().int(),
  message: z.string().optional(),
});

const spanSchema = z
  .object({ startMs: timeMs, endMs: timeMs.optional() })
  .refine(({ startMs, endMs }) => endMs === undefined || endMs > startMs, {
    error: 'must end after it starts',
  });

const participantSchema = z.object({
  key: z.string().regex(/^[\w-]{1,64}$/, 'must be a short name of letters, digits, - and _'),
  displayName: z.string().min(1).max(256),
  kind: z.enum(PARTICIPANT_KINDS).default('user'),
  /** The stream's source (Teams' MSI): an integer as text. Given out when absent. */
  sourceId: z
    .string()
    .regex(/^\d{1,10}$/, 'must be an integer as text')
    .optional(),
  /** An Ogg/Opus file of the meeting's folder; null for someone who only listens. */
  audio: z
    .string()
    .regex(/^[\w.-]+$/, 'must be a file name without a folder')
    .nullable()
    .optional(),
  /** The Ogg/Opus file itself, in base64. */
  audioBase64: z.base64().optional(),
  joinAtMs: timeMs.default(0),
  leaveAtMs: timeMs.optional(),
  /** Muted from then on, or in these spans. */
  mutedAtMs: z.union([timeMs, z.array(spanSchema).max(100)]).optional(),
  /** What can be heard in the audio; not used to play it. */
  digits: z
    .array(z.object({ digit: z.enum(DIGITS), startMs: timeMs, durationMs: timeMs }))
    .default([]),
  speech: z.array(z.object({ startMs: timeMs, endMs: timeMs })).default([]),
  /** Frames of the audio that never reach the worker, though it is told of them. */
  missing: z
    .array(z.object({ firstFrame: z.number().int().min(0), frames: z.number().int().min(1) }))
    .default([]),
});

/** What `meeting.json` and `POST /sandbox/meetings` hold. All times are on the meeting's clock. */
export const meetingDefinitionSchema = z.object({
  name: z.string().min(1).max(100),
  durationMs: timeMs.min(20).max(24 * 3_600_000),
  participants: z
    .array(participantSchema)
    .max(60)
    .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, {
      error: 'must have different keys',
    }),
  /** The meeting's tenant; the sandbox's own when absent. */
  tenantId: z.guid().optional(),
  /** The bot waits in the lobby first; without `admitAfterMs` nobody ever lets it in. */
  lobby: z.object({ admitAfterMs: timeMs.optional() }).optional(),
  /** The call fails while it is set up, with this result. */
  setupFailure: resultSchema.optional(),
  /** How Graph ends the call once the meeting is over; 200/5002 (all others left) when absent. */
  endResult: resultSchema.optional(),
});

/** A meeting as it is written down. */
export type MeetingDefinition = z.infer<typeof meetingDefinitionSchema>;

/** A participant as it is written down. */
export type ParticipantDefinition = MeetingDefinition['participants'][number];

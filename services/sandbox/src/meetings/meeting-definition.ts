import { CodedError } from '@earshot/async';
import type { ResultInfo } from '@earshot/call';
import type { Digit } from '@earshot/dtmf';
import { DIGITS } from '@earshot/dtmf';
import { z } from 'zod';

/** Kind of a participant: the identity facet under which Graph shows it. */
export type ParticipantKind =
  | 'user'
  | 'guest'
  | 'phone'
  | 'applicationInstance'
  | 'azureCommunicationServicesUser';

/** A stretch of the meeting's clock; without an end it lasts. */
export interface OpenSpan {
  readonly startMs: number;
  readonly endMs?: number | undefined;
}

/** A participant as it is written down. All times are on the meeting's clock. */
export interface ParticipantDefinition {
  readonly key: string;
  readonly displayName: string;
  readonly kind: ParticipantKind;
  /** The stream's source (Teams' MSI): an integer as text. Given out when absent. */
  readonly sourceId?: string | undefined;
  /** An Ogg/Opus file of the meeting's folder; null for someone who only listens. */
  readonly audio?: string | null | undefined;
  /** The Ogg/Opus file itself, in base64. */
  readonly audioBase64?: string | undefined;
  readonly joinAtMs: number;
  readonly leaveAtMs?: number | undefined;
  /** Muted from then on, or in these spans. */
  readonly mutedAtMs?: number | readonly OpenSpan[] | undefined;
  /** What can be heard in the audio: for those who check, not needed to play it. */
  readonly digits: readonly {
    readonly digit: Digit;
    readonly startMs: number;
    readonly durationMs: number;
  }[];
  /** The media host is told of the digits by signalling too, as of a telephone's. */
  readonly toneEvents?: boolean | undefined;
  readonly speech: readonly { readonly startMs: number; readonly endMs: number }[];
  /** Phrases that are spoken, each somewhere within these times. */
  readonly phrases?:
    | readonly { readonly phrase: string; readonly startMs: number; readonly endMs: number }[]
    | undefined;
  /** Frames of the audio that never reach the media host, though it is told of them. */
  readonly missing: readonly { readonly firstFrame: number; readonly frames: number }[];
}

/** A meeting as `meeting.json` and `POST /sandbox/meetings` write it down. */
export interface MeetingDefinition {
  readonly name: string;
  readonly durationMs: number;
  readonly participants: readonly ParticipantDefinition[];
  /** The meeting's tenant; the sandbox's own when absent. */
  readonly tenantId?: string | undefined;
  /** The bot waits in the lobby first; without `admitAfterMs` nobody ever lets it in. */
  readonly lobby?: { readonly admitAfterMs?: number | undefined } | undefined;
  /** The call fails while it is set up, with this result. */
  readonly setupFailure?: ResultInfo | undefined;
  /** How Graph ends the call once the meeting is over; 200/5002 (all others left) when absent. */
  readonly endResult?: ResultInfo | undefined;
}

const timeMs = z.number().nonnegative();

const resultSchema = z.object({
  code: z.int(),
  subcode: z.int(),
  message: z.string().exactOptional(),
});

const spanSchema = z
  .object({ startMs: timeMs, endMs: timeMs.optional() })
  .refine(({ startMs, endMs }) => endMs === undefined || endMs > startMs, {
    error: 'must end after it starts',
  });

const participantSchema = z.object({
  key: z.string().regex(/^[\w-]{1,64}$/, 'must be a short name of letters, digits, - and _'),
  displayName: z.string().min(1).max(256),
  kind: z
    .enum(['user', 'guest', 'phone', 'applicationInstance', 'azureCommunicationServicesUser'])
    .default('user'),
  sourceId: z
    .string()
    .regex(/^\d{1,10}$/, 'must be an integer as text')
    .optional(),
  audio: z
    .string()
    .regex(/^[\w-][\w.-]*$/, 'must be a file name without a folder')
    .nullable()
    .optional(),
  audioBase64: z.base64().optional(),
  joinAtMs: timeMs.default(0),
  leaveAtMs: timeMs.optional(),
  mutedAtMs: z.union([timeMs, z.array(spanSchema).max(100)]).optional(),
  digits: z
    .array(z.object({ digit: z.enum(DIGITS), startMs: timeMs, durationMs: timeMs }))
    .default([]),
  toneEvents: z.boolean().optional(),
  speech: z.array(z.object({ startMs: timeMs, endMs: timeMs })).default([]),
  phrases: z
    .array(z.object({ phrase: z.string().min(1).max(100), startMs: timeMs, endMs: timeMs }))
    .optional(),
  missing: z.array(z.object({ firstFrame: z.int().min(0), frames: z.int().min(1) })).default([]),
});

const meetingSchema: z.ZodType<MeetingDefinition> = z.object({
  name: z.string().min(1).max(100),
  durationMs: timeMs.min(20).max(24 * 3_600_000),
  participants: z
    .array(participantSchema)
    .max(60)
    .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, {
      error: 'must have different keys',
    }),
  tenantId: z.guid().optional(),
  lobby: z.object({ admitAfterMs: timeMs.optional() }).optional(),
  setupFailure: resultSchema.optional(),
  endResult: resultSchema.optional(),
});

/**
 * Checks a definition; what it leaves open gets its default.
 *
 * @throws CodedError `invalid_meeting`, naming the first fault.
 */
export function parseDefinition(value: unknown): MeetingDefinition {
  const parsed = meetingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CodedError(
    'invalid_meeting',
    `Cannot prepare the meeting: ${issue?.path.join('.') || 'it'}: ${issue?.message}`,
    { fix: 'The form of a meeting is described in services/sandbox/README.md.' },
  );
}

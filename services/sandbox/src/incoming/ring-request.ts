import { CodedError } from '@earshot/async';
import { z } from 'zod';

/** Kinds of calls that come in. */
export const RING_KINDS = ['user', 'group', 'policyRecording'] as const;

export type RingKind = (typeof RING_KINDS)[number];

/** Somebody more whom the policy of a recording covers. */
export interface RecordedParty {
  readonly displayName: string;
  /** After the call was answered, ms. */
  readonly joinAfterMs: number;
  /** After joining, ms; absent: stays. */
  readonly leaveAfterMs?: number | undefined;
}

/** A call to the bot that is to come in. */
export interface RingRequest {
  readonly kind: RingKind;
  /** The bot's calling webhook, as it would be registered. */
  readonly webhook: string;
  /** Name of the meeting that it leads to; the first one without. */
  readonly meeting?: string | undefined;
  readonly callerName: string;
  readonly region?: string | undefined;
  /** The older format comes first. */
  readonly legacyFirst: boolean;
  readonly participants: readonly RecordedParty[];
}

const MAX_PARTIES = 1_000;
const ms = z
  .int()
  .min(0)
  .max(24 * 3_600_000);

const ringSchema: z.ZodType<RingRequest> = z.strictObject({
  kind: z.enum(RING_KINDS),
  webhook: z.url({ protocol: /^https?$/ }),
  meeting: z.string().min(1).optional(),
  callerName: z.string().min(1).max(100).default('Calling Carla'),
  region: z.string().min(1).max(20).optional(),
  legacyFirst: z.boolean().default(false),
  participants: z
    .array(
      z.strictObject({
        displayName: z.string().min(1).max(100),
        joinAfterMs: ms.default(0),
        leaveAfterMs: ms.optional(),
      }),
    )
    .max(MAX_PARTIES)
    .default([]),
});

/** @throws CodedError `invalid_request` */
export function parseRingRequest(body: unknown): RingRequest {
  const parsed = ringSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CodedError(
    'invalid_request',
    `Cannot ring: the body must be {kind, webhook, meeting?, callerName?, region?, legacyFirst?, participants?}, got a fault at "${issue?.path.join('.')}": ${issue?.message}`,
  );
}

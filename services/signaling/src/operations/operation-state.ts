import type { ResultInfo } from '@earshot/call';
import { z } from 'zod';

/** What can be asked of Teams about a call that is up. */
export const OPERATION_KINDS = [
  'mute',
  'unmute',
  'sendTones',
  'changeScreenSharingRole',
  'transfer',
  'addLargeGalleryView',
  'inviteParticipants',
  'muteParticipant',
  'removeParticipant',
  'startHoldMusic',
  'stopHoldMusic',
] as const;

export type OperationKind = (typeof OPERATION_KINDS)[number];

/**
 * How far an operation is: not answered by Graph yet, under way, done, failed, or sent without an
 * answer, so that only a notification can tell.
 */
export const OPERATION_STATUSES = [
  'notStarted',
  'running',
  'completed',
  'failed',
  'unknown',
] as const;

export type CallOperationStatus = (typeof OPERATION_STATUSES)[number];

/** Something asked of Teams through the API. Plain JSON, kept in the call's record. */
export interface CallOperation {
  /** Ours; Graph gets it as `clientContext` and echoes it in what it tells of the operation. */
  readonly id: string;
  readonly kind: OperationKind;
  readonly status: CallOperationStatus;
  /** Unix time, as the next. */
  readonly requestedAtMs: number;
  readonly updatedAtMs: number;
  /** Graph's id of it, once known. */
  readonly graphId?: string | undefined;
  /** Whom it is about. */
  readonly participantId?: string | undefined;
  readonly result?: Pick<ResultInfo, 'code' | 'subcode'> | undefined;
  /** A stable code, when it failed by something else than Graph's result. */
  readonly reason?: string | undefined;
}

/** Operations of one call that are remembered: of those that are over the oldest are forgotten. */
export const OPERATIONS_REMEMBERED = 64;

/** Checks the operations read back from a record. */
export const operationsSchema: z.ZodType<readonly CallOperation[]> = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(OPERATION_KINDS),
    status: z.enum(OPERATION_STATUSES),
    requestedAtMs: z.number(),
    updatedAtMs: z.number(),
    graphId: z.string().optional(),
    participantId: z.string().optional(),
    result: z.object({ code: z.number(), subcode: z.number() }).optional(),
    reason: z.string().optional(),
  }),
);

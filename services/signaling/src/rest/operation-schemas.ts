import { z } from 'zod';
import type { CallOperationStatus, OperationKind } from '../operations/operation-state.js';
import { OPERATION_KINDS, OPERATION_STATUSES } from '../operations/operation-state.js';

/** Something asked of Teams through the API, as the REST API shows it. */
export interface OperationView {
  readonly operationId: string;
  readonly callId: string;
  readonly kind: OperationKind;
  readonly status: CallOperationStatus;
  /** ISO 8601 in UTC. */
  readonly requestedAt: string;
  readonly updatedAt: string;
  /** Whom it is about. */
  readonly participantId?: string | undefined;
  /** A stable code, when it failed by something else than Graph's result. */
  readonly reason?: string | undefined;
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  /** For people, when it failed. */
  readonly sentence?: string | undefined;
  readonly fix?: string | undefined;
}

/** A page of operations. */
export interface OperationListView {
  readonly operations: readonly OperationView[];
  readonly nextCursor?: string | undefined;
}

/** Describes `OperationView`. */
export const operationView: z.ZodType<OperationView> = z.object({
  operationId: z.string(),
  callId: z.string(),
  kind: z.enum(OPERATION_KINDS),
  status: z
    .enum(OPERATION_STATUSES)
    .describe(
      '`unknown`: sent, but no answer came; a notification may still tell. `completed` and `failed` are final',
    ),
  requestedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  participantId: z.string().optional().describe('Whom it is about'),
  reason: z
    .string()
    .optional()
    .describe("Stable code, when it failed by something else than Graph's result"),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
  sentence: z.string().optional().describe('For people, when it failed'),
  fix: z.string().optional(),
});

/** Describes `OperationListView`. */
export const operationListView: z.ZodType<OperationListView> = z.object({
  operations: z.array(operationView).describe('Newest first'),
  nextCursor: z.string().optional(),
});

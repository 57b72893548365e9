import { z } from 'zod';

/** Something asked of Teams, as signaling shows it; more than is named here is kept. */
export interface OperationView {
  readonly [field: string]: unknown;
  readonly operationId: string;
  readonly kind: string;
  readonly status: string;
  readonly updatedAt: string;
  readonly participantId?: string | undefined;
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  readonly reason?: string | undefined;
}

/** Someone who is, or was, in a call. */
export interface ParticipantView {
  readonly id: string;
  readonly kind: string;
  readonly displayName?: string | undefined;
  readonly isInLobby: boolean;
  readonly isMuted: boolean;
  readonly isSelf: boolean;
  readonly sourceIds: readonly string[];
  readonly leftAt?: string | undefined;
}

/** Who is asked for in a list of participants. */
export type Presence = 'present' | 'lobby' | 'left';

export const operationSchema: z.ZodType<OperationView> = z.looseObject({
  operationId: z.string(),
  kind: z.string(),
  status: z.string(),
  updatedAt: z.string(),
  participantId: z.string().optional(),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
  reason: z.string().optional(),
});

export const operationListSchema: z.ZodType<{
  readonly operations: readonly OperationView[];
  readonly nextCursor?: string | undefined;
}> = z.object({
  operations: z.array(operationSchema),
  nextCursor: z.string().optional(),
});

export const rosterSchema: z.ZodType<{
  readonly participants: readonly ParticipantView[];
  readonly nextCursor?: string | undefined;
}> = z.object({
  participants: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      displayName: z.string().optional(),
      isInLobby: z.boolean(),
      isMuted: z.boolean(),
      isSelf: z.boolean(),
      sourceIds: z.array(z.string()),
      leftAt: z.string().optional(),
    }),
  ),
  nextCursor: z.string().optional(),
});

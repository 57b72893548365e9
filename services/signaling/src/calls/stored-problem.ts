import { z } from 'zod';

/** The states of `GraphLeg`. */
export const GRAPH_LEGS = ['none', 'requested', 'present', 'deleteSent', 'gone'] as const;

/**
 * What we know of our leg in Graph: nothing sent, create sent (the leg may exist), its id known,
 * DELETE accepted, gone.
 */
export type GraphLeg = (typeof GRAPH_LEGS)[number];

/** A failed request as it is answered and stored (RFC 9457). */
export interface StoredProblem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly fix?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Graph's own result, when it gave one. */
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  /** The operation that failed, or of which nothing is known. */
  readonly operationId?: string | undefined;
}

/** Checks a `StoredProblem` read back from a record. */
export const problemSchema: z.ZodType<StoredProblem> = z.object({
  status: z.number(),
  code: z.string(),
  title: z.string(),
  detail: z.string(),
  fix: z.string().optional(),
  retryAfterMs: z.number().optional(),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
  operationId: z.string().optional(),
});

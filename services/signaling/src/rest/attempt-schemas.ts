import { z } from 'zod';

/** One try at a call, on one media host. */
export interface AttemptView {
  /** 1 for the first. */
  readonly attempt: number;
  readonly hostId?: string | undefined;
  readonly startedAt: string;
  /** Why it was followed by another: absent for the last, which the call's `result` is about. */
  readonly endedAt?: string | undefined;
  readonly cause?: string | undefined;
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
}

/** Describes `AttemptView`. */
export const attemptView: z.ZodType<AttemptView> = z.object({
  attempt: z.number(),
  hostId: z.string().optional(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  cause: z.string().optional().describe('Stable code: why another attempt followed'),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
});

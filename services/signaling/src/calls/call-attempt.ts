import { z } from 'zod';
import type { CallEnd } from './call-end.js';
import { callEndSchema } from './call-end.js';
import type { StoredProblem } from './stored-problem.js';
import { problemSchema } from './stored-problem.js';

/** At most so often is one call made in Graph: two different hosts that fail are no chance. */
export const MAX_ATTEMPTS = 2;

/** An attempt that is wanted and has not begun: whichever process has a host for it begins it. */
export interface WantedAttempt {
  /** Unix ms. */
  readonly sinceMs: number;
  /** How the attempt before ended; absent for the first. */
  readonly end?: CallEnd | undefined;
  /** What is answered to the request that made the call if nothing comes of this either. */
  readonly problem?: StoredProblem | undefined;
  /** The attempt before may have left a leg in Graph although Graph said that it failed. */
  readonly legMayExist?: boolean | undefined;
}

/** An attempt that is over, and what has to be cleared up of it. */
export interface EarlierAttempt {
  /** The unguessable part of its callback address: what comes there is about it alone. */
  readonly attemptKey: string;
  readonly hostId?: string | undefined;
  readonly mediaId?: string | undefined;
  readonly hostHeld: boolean;
  /** Graph was asked for a leg: it counts for the month. */
  readonly isInGraph: boolean;
  readonly startedAtMs: number;
  readonly end: CallEnd;
}

/** How often this call has been tried. Plain JSON, kept in the call's record; times are Unix ms. */
export interface CallAttempt {
  /** 1 for the first. */
  readonly number: number;
  readonly startedAtMs: number;
  /** Whether another attempt may follow. */
  readonly mayRepeat: boolean;
  /** Name of the guest to join as: needed for each attempt. */
  readonly displayName?: string | undefined;
  readonly wanted?: WantedAttempt | undefined;
  /** Oldest first. */
  readonly earlier: readonly EarlierAttempt[];
}

const wantedSchema: z.ZodType<WantedAttempt> = z.object({
  sinceMs: z.number(),
  end: callEndSchema.optional(),
  problem: problemSchema.optional(),
  legMayExist: z.boolean().optional(),
});

const earlierSchema: z.ZodType<EarlierAttempt> = z.object({
  attemptKey: z.string(),
  hostId: z.string().optional(),
  mediaId: z.string().optional(),
  hostHeld: z.boolean(),
  isInGraph: z.boolean(),
  startedAtMs: z.number(),
  end: callEndSchema,
});

/** Checks a `CallAttempt` read back from a record. */
export const callAttemptSchema: z.ZodType<CallAttempt> = z.object({
  number: z.number(),
  startedAtMs: z.number(),
  mayRepeat: z.boolean(),
  displayName: z.string().optional(),
  wanted: wantedSchema.optional(),
  earlier: z.array(earlierSchema),
});

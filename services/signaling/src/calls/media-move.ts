import { z } from 'zod';

/** How long a broken media link may take to come back before the call is moved. */
export const INTERRUPTION_GRACE_MS = 2_000;
/** How long no audio may reach a worker, while its host is here, before the call is given up. */
export const MOVE_EFFORT_MS = 60_000;
/** How long Teams may take to end a call whose media host has nothing more to send. */
export const SESSION_OVER_GRACE_MS = 10_000;
/** A worker that lets go of a call at once must not have it moved in a tight loop. */
export const MOVE_PAUSE_MS = 1_000;
/** How long a worker that failed a call is passed over for it. */
export const FAILED_WORKER_MS: number = 5 * 60_000;
/** Most failed workers remembered for a call; beyond, the oldest are forgotten. */
export const MAX_FAILED_WORKERS = 8;

/** Why the audio of a call has to go to another worker. */
export const MOVE_CAUSES = ['drain', 'interrupted', 'failed'] as const;

/** One of `MOVE_CAUSES`. */
export type MoveCause = (typeof MOVE_CAUSES)[number];

/**
 * The audio of an attached call has to go elsewhere, or will when the interruption lasts. Plain
 * JSON, kept in the call's record; times are Unix ms.
 */
export interface MediaMove {
  readonly cause: MoveCause;
  /** When the media host told of it. */
  readonly sinceMs: number;
  /** When the call is to be placed anew. */
  readonly dueAtMs: number;
  /** Since when no audio reaches a worker; absent while it still does. */
  readonly silentSinceMs?: number | undefined;
  /**
   * Epoch under which the call was placed anew last: the worker before has it no more, so that only
   * the host's `attached` of this placement ends the move.
   */
  readonly placedEpoch?: number | undefined;
}

/** A worker that a call should not go to again for a while. */
export interface FailedWorker {
  readonly workerId: string;
  /** Unix ms. */
  readonly atMs: number;
}

/** Checks a `MediaMove` read back from a record. */
export const mediaMoveSchema: z.ZodType<MediaMove> = z.object({
  cause: z.enum(MOVE_CAUSES),
  sinceMs: z.number(),
  dueAtMs: z.number(),
  silentSinceMs: z.number().optional(),
  placedEpoch: z.number().optional(),
});

/** Checks a `FailedWorker` read back from a record. */
export const failedWorkerSchema: z.ZodType<FailedWorker> = z.object({
  workerId: z.string(),
  atMs: z.number(),
});

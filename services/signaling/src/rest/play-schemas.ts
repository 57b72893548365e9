import type { PlayState } from '@earshot/registry';
import { z } from 'zod';

/** An audio that was posted to be heard in a meeting, as the REST API shows it. */
export interface PlayView {
  readonly playId: string;
  readonly callId: string;
  readonly state: PlayState;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  readonly durationMs: number;
  /** How much was heard, once it is over. */
  readonly playedMs?: number | undefined;
  /** A stable code, when it failed. */
  readonly reason?: string | undefined;
  /** It is being cleared. */
  readonly clearRequested?: boolean | undefined;
}

/** The plays of a call. */
export interface PlayListView {
  readonly plays: readonly PlayView[];
  readonly nextCursor?: string | undefined;
}

/** Describes `PlayView`. */
export const playView: z.ZodType<PlayView> = z.object({
  playId: z.string(),
  callId: z.string(),
  state: z.enum(['queued', 'playing', 'played', 'cleared', 'failed']),
  createdAt: z.iso.datetime(),
  durationMs: z.number(),
  playedMs: z.number().optional().describe('How much was heard, once it is over'),
  reason: z.string().optional().describe('Stable code, when it failed'),
  clearRequested: z.boolean().optional(),
});

/** Describes `PlayListView`. */
export const playListView: z.ZodType<PlayListView> = z.object({
  plays: z.array(playView).describe('Oldest first, and heard in this order'),
  nextCursor: z.string().optional(),
});

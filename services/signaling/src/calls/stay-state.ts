import { z } from 'zod';

// Parts of a call's record: how the bot is let in, whom it sees, and when it leaves by itself.

/** Where the bot stands with a meeting's lobby; of a call that never saw one there is none. */
export interface LobbyState {
  readonly state: 'waiting' | 'admitted';
  /** Unix ms. */
  readonly sinceMs: number;
}

/** Checks a `LobbyState` read back from a record. */
export const lobbySchema: z.ZodType<LobbyState> = z.object({
  state: z.enum(['waiting', 'admitted']),
  sinceMs: z.number(),
});

/** Why a bot leaves by itself. */
export const AUTO_LEAVE_RULES = ['alone', 'nobodyCame', 'maxDuration', 'silent', 'lobby'] as const;

/** One of `AUTO_LEAVE_RULES`. */
export type AutoLeaveRule = (typeof AUTO_LEAVE_RULES)[number];

/** How long each may last, ms; a rule without a limit is off. */
export interface AutoLeaveLimits {
  /** Everyone else has left. */
  readonly aloneMs?: number | undefined;
  /** Nobody else came. */
  readonly nobodyCameMs?: number | undefined;
  /** Since the call was established. */
  readonly maxDurationMs?: number | undefined;
  /** Nobody was heard, while the audio came. */
  readonly silentMs?: number | undefined;
  /** Nobody let the bot in. */
  readonly lobbyMs?: number | undefined;
  /** Other apps count as company. */
  readonly botsAreCompany: boolean;
}

/** What the rules need to know of one call. Part of its record; times are Unix ms. */
export interface AutoLeaveState {
  readonly limits: AutoLeaveLimits;
  /** Somebody else has been there. */
  readonly hadCompany?: boolean | undefined;
  /** Since when nobody else is there; absent while somebody is. */
  readonly aloneSinceMs?: number | undefined;
  /** When somebody was last known to speak. */
  readonly heardAtMs?: number | undefined;
}

const limitsSchema: z.ZodType<AutoLeaveLimits> = z.object({
  aloneMs: z.number().optional(),
  nobodyCameMs: z.number().optional(),
  maxDurationMs: z.number().optional(),
  silentMs: z.number().optional(),
  lobbyMs: z.number().optional(),
  botsAreCompany: z.boolean(),
});

/** Checks an `AutoLeaveState` read back from a record. */
export const autoLeaveSchema: z.ZodType<AutoLeaveState> = z.object({
  limits: limitsSchema,
  hadCompany: z.boolean().optional(),
  aloneSinceMs: z.number().optional(),
  heardAtMs: z.number().optional(),
});

/** The roster that callbacks told is not enough: Graph has to be asked. Times are Unix ms. */
export interface RosterReading {
  /** Since when. */
  readonly wantedAtMs: number;
  /** How often it was asked since, and when last. */
  readonly reads: number;
  readonly readAtMs?: number | undefined;
}

/** Checks a `RosterReading` read back from a record. */
export const rosterReadingSchema: z.ZodType<RosterReading> = z.object({
  wantedAtMs: z.number(),
  reads: z.number(),
  readAtMs: z.number().optional(),
});

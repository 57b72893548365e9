import { z } from 'zod';
import type { AutoLeaveLimits, AutoLeaveRule } from '../calls/stay-state.js';
import { AUTO_LEAVE_RULES } from '../calls/stay-state.js';

// What crosses the REST API of the rules by which a bot leaves.

/** Part of `POST /v1/calls`: what is left out is as the service is set, null is off. */
export interface AutoLeaveBody {
  readonly aloneSeconds?: number | null | undefined;
  readonly nobodyCameSeconds?: number | null | undefined;
  readonly maxDurationSeconds?: number | null | undefined;
  readonly silentSeconds?: number | null | undefined;
  readonly lobbySeconds?: number | null | undefined;
  readonly botsAreCompany?: boolean | undefined;
}

/** The rules of a call, and which comes next if nothing changes. */
export interface AutoLeaveView {
  readonly aloneSeconds?: number | undefined;
  readonly nobodyCameSeconds?: number | undefined;
  readonly maxDurationSeconds?: number | undefined;
  readonly silentSeconds?: number | undefined;
  readonly lobbySeconds?: number | undefined;
  readonly botsAreCompany: boolean;
  readonly next?: { readonly rule: AutoLeaveRule; readonly at: string } | undefined;
}

/** Whether the bot waits in the lobby. */
export interface LobbyView {
  readonly state: 'waiting' | 'admitted';
  readonly since: string;
}

const WEEK_SECONDS = 7 * 86_400;

const limit = z.number().int().min(1).max(WEEK_SECONDS).nullable().optional();

/** Checks `AutoLeaveBody`. */
export const autoLeaveBody: z.ZodType<AutoLeaveBody> = z
  .object({
    aloneSeconds: limit.describe('Everyone else has left'),
    nobodyCameSeconds: limit.describe('Nobody else came'),
    maxDurationSeconds: limit.describe('Since the call was established'),
    silentSeconds: limit.describe('Nobody was heard'),
    lobbySeconds: limit.describe('Nobody let the bot in'),
    botsAreCompany: z.boolean().optional().describe('Other apps count as company'),
  })
  .describe('When the bot leaves by itself; null turns a rule off');

const seconds = z.number().optional();

/** Describes `AutoLeaveView`. */
export const autoLeaveView: z.ZodType<AutoLeaveView> = z.object({
  aloneSeconds: seconds,
  nobodyCameSeconds: seconds,
  maxDurationSeconds: seconds,
  silentSeconds: seconds,
  lobbySeconds: seconds,
  botsAreCompany: z.boolean(),
  next: z
    .object({ rule: z.enum(AUTO_LEAVE_RULES), at: z.iso.datetime() })
    .optional()
    .describe('What makes the bot leave if nothing changes'),
});

/** Describes `LobbyView`. */
export const lobbyView: z.ZodType<LobbyView> = z.object({
  state: z.enum(['waiting', 'admitted']),
  since: z.iso.datetime(),
});

/** The limits of a call: those asked for, before those that the service is set to. */
export function limitsOf(defaults: AutoLeaveLimits, wanted: AutoLeaveBody = {}): AutoLeaveLimits {
  return {
    aloneMs: msOf(wanted.aloneSeconds, defaults.aloneMs),
    nobodyCameMs: msOf(wanted.nobodyCameSeconds, defaults.nobodyCameMs),
    maxDurationMs: msOf(wanted.maxDurationSeconds, defaults.maxDurationMs),
    silentMs: msOf(wanted.silentSeconds, defaults.silentMs),
    lobbyMs: msOf(wanted.lobbySeconds, defaults.lobbyMs),
    botsAreCompany: wanted.botsAreCompany ?? defaults.botsAreCompany,
  };
}

function msOf(
  wantedSeconds: number | null | undefined,
  defaultMs: number | undefined,
): number | undefined {
  if (wantedSeconds === undefined) return defaultMs;
  return wantedSeconds === null ? undefined : wantedSeconds * 1000;
}

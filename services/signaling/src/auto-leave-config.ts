import { z } from 'zod';
import type { AutoLeaveLimits } from './calls/stay-state.js';

const WEEK_SECONDS = 7 * 86_400;

const RULE = 'must be seconds from 1 to 604800, or off';

/** Seconds, or `off`; as ms. */
function limit(defaultSeconds: number | 'off'): z.ZodType<number | undefined> {
  return z
    .string()
    .default(String(defaultSeconds))
    .refine((text) => text === 'off' || isSeconds(text), RULE)
    .transform((text) => (text === 'off' ? undefined : Number(text) * 1000));
}

function isSeconds(text: string): boolean {
  return /^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= WEEK_SECONDS;
}

/** What `AUTO_LEAVE_VARIABLES` give. */
export interface AutoLeaveVariables {
  readonly EARSHOT_AUTO_LEAVE_ALONE_SECONDS: number | undefined;
  readonly EARSHOT_AUTO_LEAVE_NOBODY_CAME_SECONDS: number | undefined;
  readonly EARSHOT_AUTO_LEAVE_MAX_DURATION_SECONDS: number | undefined;
  readonly EARSHOT_AUTO_LEAVE_SILENT_SECONDS: number | undefined;
  readonly EARSHOT_AUTO_LEAVE_LOBBY_SECONDS: number | undefined;
  readonly EARSHOT_AUTO_LEAVE_BOTS_ARE_COMPANY: boolean;
}

/** Five minutes alone, twenty for people to come or to let the bot in: see the README. */
export const AUTO_LEAVE_VARIABLES: {
  readonly [Name in keyof AutoLeaveVariables]: z.ZodType<AutoLeaveVariables[Name]>;
} = {
  EARSHOT_AUTO_LEAVE_ALONE_SECONDS: limit(300),
  EARSHOT_AUTO_LEAVE_NOBODY_CAME_SECONDS: limit(1200),
  EARSHOT_AUTO_LEAVE_MAX_DURATION_SECONDS: limit('off'),
  EARSHOT_AUTO_LEAVE_SILENT_SECONDS: limit('off'),
  EARSHOT_AUTO_LEAVE_LOBBY_SECONDS: limit(1200),
  EARSHOT_AUTO_LEAVE_BOTS_ARE_COMPANY: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
};

/** The limits that the variables set. */
export function autoLeaveLimits(variables: AutoLeaveVariables): AutoLeaveLimits {
  return {
    aloneMs: variables.EARSHOT_AUTO_LEAVE_ALONE_SECONDS,
    nobodyCameMs: variables.EARSHOT_AUTO_LEAVE_NOBODY_CAME_SECONDS,
    maxDurationMs: variables.EARSHOT_AUTO_LEAVE_MAX_DURATION_SECONDS,
    silentMs: variables.EARSHOT_AUTO_LEAVE_SILENT_SECONDS,
    lobbyMs: variables.EARSHOT_AUTO_LEAVE_LOBBY_SECONDS,
    botsAreCompany: variables.EARSHOT_AUTO_LEAVE_BOTS_ARE_COMPANY,
  };
}

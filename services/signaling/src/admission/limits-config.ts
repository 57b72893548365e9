import type { AdmissionLimits } from '@earshot/registry';
import { z } from 'zod';

/** Microsoft's limits for an app that has no others agreed; a few places for legs we no longer know. */
const DEFAULTS = { calls: 100, reserve: 5, callsPerMonth: 10_000 } as const;

const count = z.coerce.number().int().max(1_000_000);

/** Checks `EARSHOT_MAX_CALLS`. */
export const maxCalls: z.ZodType<number> = count.min(1).default(DEFAULTS.calls);
/** Checks `EARSHOT_CALLS_RESERVE`. */
export const callsReserve: z.ZodType<number> = count.min(0).default(DEFAULTS.reserve);
/** Checks `EARSHOT_MAX_CALLS_PER_MONTH`. */
export const maxCallsPerMonth: z.ZodType<number> = count.min(1).default(DEFAULTS.callsPerMonth);
/** Checks `EARSHOT_REJOIN`. */
export const rejoin: z.ZodType<'once' | 'never'> = z.enum(['once', 'never']).default('once');

interface LimitVariables {
  readonly EARSHOT_MAX_CALLS: number;
  readonly EARSHOT_CALLS_RESERVE: number;
  readonly EARSHOT_MAX_CALLS_PER_MONTH: number;
}

/** Undefined when the reserve leaves no call. */
export function admissionLimits(variables: LimitVariables): AdmissionLimits | undefined {
  const calls = variables.EARSHOT_MAX_CALLS - variables.EARSHOT_CALLS_RESERVE;
  return calls > 0 ? { calls, callsPerMonth: variables.EARSHOT_MAX_CALLS_PER_MONTH } : undefined;
}

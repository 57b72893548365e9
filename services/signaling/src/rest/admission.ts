import type { PauseCause } from '@earshot/registry';
import { PAUSE_CAUSES } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Admission } from '../admission/admission.js';

/** What the app may do and has done, over all processes. */
export interface AdmissionView {
  readonly calls: { readonly used: number; readonly limit: number };
  readonly month: {
    /** `2026-11`, in UTC. */
    readonly month: string;
    readonly used: number;
    readonly limit: number;
    /** When the next month begins, ISO 8601. */
    readonly endsAt: string;
    /** Graph itself said that the month is used up. */
    readonly closedByGraph: boolean;
  };
  /** Graph asked to wait, or counts more calls than are known here. */
  readonly paused?: { readonly until: string; readonly cause: PauseCause } | undefined;
}

const used = z.object({ used: z.number(), limit: z.number() });

/** Describes `AdmissionView`. */
export const admissionView: z.ZodType<AdmissionView> = z.object({
  calls: used.describe('Calls at once, over all processes'),
  month: used.extend({
    month: z.string().describe('Such as 2026-11, in UTC'),
    endsAt: z.iso.datetime(),
    closedByGraph: z.boolean().describe('Graph itself said that the month is used up'),
  }),
  paused: z.object({ until: z.iso.datetime(), cause: z.enum(PAUSE_CAUSES) }).optional(),
});

/** `GET /v1/admission`. */
export function addAdmissionRoute(app: FastifyInstance, admission: Admission): void {
  app.get(
    '/v1/admission',
    { config: { scope: 'admission:read' } },
    async (): Promise<AdmissionView> => {
      const standing = await admission.standing();
      const { calls, callsThisMonth, month, monthClosed, monthEndsAtMs, pause } = standing;
      const { limits } = admission;
      return {
        calls: { used: calls, limit: limits.calls },
        month: {
          month,
          used: callsThisMonth,
          limit: limits.callsPerMonth,
          endsAt: isoTime(monthEndsAtMs),
          closedByGraph: monthClosed,
        },
        ...(pause === undefined
          ? {}
          : { paused: { until: isoTime(pause.untilMs), cause: pause.cause } }),
      };
    },
  );
}

function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

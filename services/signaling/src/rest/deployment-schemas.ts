import { z } from 'zod';

/** The media hosts that are connected, to whichever process. */
export interface HostListView {
  readonly hosts: readonly {
    readonly hostId: string;
    readonly capacity: number;
    readonly activeCalls: number;
    readonly level: string;
    readonly draining: boolean;
    /** How long the last ping took there and back; absent before the first answer. */
    readonly rttMs?: number | undefined;
    /** It is connected to this process; of the others it is known what they told last. */
    readonly isHere: boolean;
  }[];
  readonly nextCursor?: string | undefined;
}

/** The media workers that live, as all processes see them. */
export interface WorkerListView {
  readonly workers: readonly {
    readonly workerId: string;
    /** 0 idle … 1 full. */
    readonly load: number;
    readonly streams: number;
    readonly draining: boolean;
  }[];
  readonly nextCursor?: string | undefined;
}

/** How this process and what lies around it are. */
export interface HealthView {
  readonly status: string;
  /** By name; as `/readyz` tells them. */
  readonly checks: Readonly<
    Record<
      string,
      {
        readonly failing: boolean;
        readonly value: number;
        readonly limit: number;
        readonly effect: string;
      }
    >
  >;
  readonly hosts: {
    readonly connected: number;
    readonly draining: number;
    readonly capacity: number;
    readonly activeCalls: number;
  };
  readonly workers: {
    readonly alive: number;
    readonly draining: number;
    readonly streams: number;
  };
  readonly calls: { readonly open: number };
}

const count = z.number().int().min(0);

/** Describes `HostListView`. */
export const hostListView: z.ZodType<HostListView> = z.object({
  hosts: z.array(
    z.object({
      hostId: z.string(),
      capacity: z.number(),
      activeCalls: z.number(),
      level: z.string(),
      draining: z.boolean(),
      rttMs: z.number().optional(),
      isHere: z.boolean().describe('It is connected to the process that answers'),
    }),
  ),
  nextCursor: z.string().optional(),
});

/** Describes `WorkerListView`. */
export const workerListView: z.ZodType<WorkerListView> = z.object({
  workers: z.array(
    z.object({
      workerId: z.string(),
      load: z.number().describe('0 idle … 1 full'),
      streams: count,
      draining: z.boolean(),
    }),
  ),
  nextCursor: z.string().optional(),
});

/** Describes `HealthView`. */
export const healthView: z.ZodType<HealthView> = z.object({
  status: z.enum(['ready', 'degraded', 'not_ready']),
  checks: z
    .record(
      z.string(),
      z.object({
        failing: z.boolean(),
        value: z.number(),
        limit: z.number(),
        effect: z.enum(['dead', 'unready', 'degraded']),
      }),
    )
    .describe('By name; as /readyz tells them'),
  hosts: z
    .object({ connected: count, draining: count, capacity: count, activeCalls: count })
    .describe('Media hosts connected to this process'),
  workers: z
    .object({ alive: count, draining: count, streams: count })
    .describe('Media workers, as all processes see them'),
  calls: z.object({ open: count }).describe('Calls that have not ended, of all processes'),
});

import type { DigitCollectorState } from '@earshot/dtmf';
import type { ToneFolderState } from '@earshot/media-session';
import { z } from 'zod';

/** What a worker knows of a call beside its streams, for the one that goes on with it. */
export interface CallMemory {
  readonly version: 1;
  readonly tones: ToneFolderState;
  readonly collections: readonly SourceCollection[];
  /** Up to when it counted who spoke; null: it did not. */
  readonly talkEndMs: number | null;
}

/** Keys that a source has pressed of a collection. */
export interface SourceCollection {
  /** Null for what is no known source's. */
  readonly sourceId: string | null;
  readonly state: DigitCollectorState;
}

const tones = z.object({
  told: z.array(
    z.object({
      sound: z.string(),
      sourceId: z.string().nullable(),
      reports: z
        .array(z.object({ way: z.string(), startMs: z.number(), endMs: z.number() }))
        .min(1),
    }),
  ),
});

const collectorState = z.object({
  digits: z.string(),
  startMs: z.number().nullable(),
  lastMs: z.number().nullable(),
  sinceMs: z.number().nullable(),
});

const callMemory: z.ZodType<CallMemory> = z.object({
  version: z.literal(1),
  tones,
  collections: z.array(z.object({ sourceId: z.string().nullable(), state: collectorState })),
  talkEndMs: z.number().nullable(),
});

/** What was stored; undefined for nothing, and for another version's: the call begins anew then. */
export function parseCallMemory(value: unknown): CallMemory | undefined {
  const parsed = callMemory.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

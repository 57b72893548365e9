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

/** Media time is of u64 ticks of 100 ns, ms. */
const GREATEST_MS = 2 ** 64 / 10_000;
const mediaMs = z.number().min(-GREATEST_MS).max(GREATEST_MS);

/** More than any worker keeps of anything here. */
const MOST = 2048;

const tones = z.object({
  told: z
    .array(
      z.object({
        sound: z.string(),
        sourceId: z.string().nullable(),
        reports: z
          .array(z.object({ way: z.string(), startMs: mediaMs, endMs: mediaMs }))
          .min(1)
          .max(MOST),
      }),
    )
    .max(MOST),
});

const collectorState = z.object({
  digits: z.string().max(MOST),
  startMs: mediaMs.nullable(),
  lastMs: mediaMs.nullable(),
  sinceMs: mediaMs.nullable(),
});

const callMemory: z.ZodType<CallMemory> = z.object({
  version: z.literal(1),
  tones,
  collections: z
    .array(z.object({ sourceId: z.string().nullable(), state: collectorState }))
    .max(MOST),
  talkEndMs: mediaMs.nullable(),
});

/**
 * What was stored; undefined for nothing, for another version's, and for what no worker can have stored:
 * longer than any is, or of a time that no media clock shows. The call begins anew then.
 */
export function parseCallMemory(value: unknown): CallMemory | undefined {
  const parsed = callMemory.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

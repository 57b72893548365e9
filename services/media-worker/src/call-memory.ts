import type { DigitCollectorState } from '@earshot/dtmf';
import type { ToneFolderState } from '@earshot/media-session';
import { z } from 'zod';
import type { CallTalkState } from './call-talk.js';

/** What a worker knows of a call beside its streams, for the one that goes on with it. */
export interface CallMemory {
  readonly version: 1;
  readonly tones: ToneFolderState;
  readonly collections: readonly SourceCollection[];
  /** Null where it was spoiled: counting begins anew, and nobody dominates. */
  readonly talk: CallTalkState | null;
  /** End of the newest frame heard; null when none was. */
  readonly heardMs: number | null;
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

/** More than any call has of sources and whose they are, one after the other. */
const MOST_SPEAKERS = 2 ** 32;

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

/** A length of time, and what several add up to. */
const sumMs = z.number().min(0);

const talkLedger = z.object({
  startMs: mediaMs.nullable(),
  settledMs: mediaMs.nullable(),
  talkMs: sumMs,
  overlapMs: sumMs,
  speakers: z
    .array(z.tuple([z.string(), sumMs, z.int().min(0), sumMs, mediaMs.nullable()]))
    .max(MOST),
  spurts: z.array(z.tuple([z.string(), mediaMs, mediaMs.nullable()])).max(MOST),
});

const spoken = z.array(z.tuple([z.string(), sumMs])).max(MOST);

const talk: z.ZodType<CallTalkState> = z.object({
  speakers: z
    .array(z.tuple([z.int().min(0).max(MOST_SPEAKERS), z.string(), z.string().nullable()]))
    .max(MOST),
  ledger: talkLedger,
  mix: talkLedger.nullable(),
  dominant: z.object({
    current: z.string().nullable(),
    isHosts: z.boolean(),
    quietMs: sumMs,
    lately: spoken,
    now: spoken,
  }),
});

const callMemory: z.ZodType<CallMemory> = z.object({
  version: z.literal(1),
  tones,
  collections: z
    .array(z.object({ sourceId: z.string().nullable(), state: collectorState }))
    .max(MOST),
  talk: talk.nullable().catch(null),
  heardMs: mediaMs.nullable().catch(null),
});

/**
 * What was stored; undefined for nothing, for another version's, and for what no worker can have stored:
 * longer than any is, or of a time that no media clock shows. The call begins anew then; where only what is
 * known of who speaks is so, only that begins anew.
 */
export function parseCallMemory(value: unknown): CallMemory | undefined {
  const parsed = callMemory.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

import type { Transcript } from '@earshot/transcript';
import type { TranscriptFormat } from '@earshot/transcript-export';
import { TRANSCRIPT_FORMATS } from '@earshot/transcript-export';
import { z } from 'zod';

/** Query of `GET /v1/calls/:id/transcript`. */
export interface TranscriptQuery {
  readonly format: TranscriptFormat;
}

/** A transcript that was kept. */
export interface TranscriptView extends Transcript {
  /** Events that gave way to newer ones, because there were too many. */
  readonly dropped: number;
  /** All utterances that were not kept, those after the last that was too. */
  readonly notKept: number;
}

/** Checks `TranscriptQuery`. */
export const transcriptQuery: z.ZodType<TranscriptQuery> = z.object({
  format: z.enum(TRANSCRIPT_FORMATS).default('json'),
});

const speaker = z.object({ id: z.string(), displayName: z.string().optional() }).nullable();
const gap = z.object({ startMs: z.number(), durationMs: z.number() });

/** Describes `TranscriptView`. */
export const transcriptView: z.ZodType<TranscriptView> = z.object({
  callId: z.string(),
  utterances: z.array(
    z.object({
      id: z.string(),
      participant: speaker,
      sourceId: z.string().nullable(),
      startMs: z.number().describe("On the call's media clock, as all times here"),
      endMs: z.number(),
      text: z.string().describe('Lost sound stands in it as `[lost 1.2 s]`'),
      words: z.array(
        z.object({
          text: z.string(),
          startMs: z.number(),
          endMs: z.number(),
          confidence: z.number().nullable(),
        }),
      ),
      engine: z.string().nullable(),
      language: z.string().nullable(),
      confidence: z.number().nullable(),
      gaps: z.array(gap),
      skipped: z.string().nullable().describe('Why there is no transcript of it'),
      isPartial: z.boolean(),
    }),
  ),
  lost: z
    .array(gap.extend({ participant: speaker, sourceId: z.string().nullable() }))
    .describe('Sound that was lost while nobody was understood'),
  notRecorded: z
    .array(z.object({ utterances: z.number(), beforeMs: z.number() }))
    .describe('Utterances that were not kept, because the recording gate was closed'),
  dropped: z.number().describe('Events that gave way to newer ones'),
  notKept: z
    .number()
    .describe('All utterances that were not kept, those after the last that was kept too'),
});

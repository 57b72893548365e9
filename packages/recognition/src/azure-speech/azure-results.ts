import { z } from 'zod';
import type { RecognizedWord } from '../recognizer.js';
import type { DialectEvent } from '../remote/stream-dialect.js';
import type { VendorFault } from '../vendor-fault.js';
import { refused, unavailable, unsuitable } from '../vendor-fault.js';

export const ENGINE = 'azure-speech';

/** Times of the service are in 100 ns from the start of the turn. */
const TICKS_PER_MS = 10_000;

interface Word {
  readonly Word: string;
  readonly Offset: number;
  readonly Duration: number;
  readonly Confidence?: number | undefined;
}

interface Phrase {
  readonly RecognitionStatus: string;
  readonly Offset?: number | undefined;
  readonly Duration?: number | undefined;
  readonly DisplayText?: string | undefined;
  readonly PrimaryLanguage?: { readonly Language: string } | undefined;
  readonly NBest?:
    | readonly {
        readonly Confidence?: number | undefined;
        readonly Display: string;
        readonly Words?: readonly Word[] | undefined;
      }[]
    | undefined;
}

interface Hypothesis {
  readonly Text: string;
  readonly Offset: number;
  readonly Duration: number;
  readonly PrimaryLanguage?: { readonly Language: string } | undefined;
}

const ticks = z.number().min(0);
const primaryLanguage = z.object({ Language: z.string() }).optional();

const word: z.ZodType<Word> = z.object({
  Word: z.string(),
  Offset: ticks,
  Duration: ticks,
  Confidence: z.number().optional(),
});

/** Detailed output, as `DetailedSpeechPhrase.ts` of the SDK reads it. */
const phrase: z.ZodType<Phrase> = z.object({
  RecognitionStatus: z.string(),
  Offset: ticks.optional(),
  Duration: ticks.optional(),
  DisplayText: z.string().optional(),
  PrimaryLanguage: primaryLanguage,
  NBest: z
    .array(
      z.object({
        Confidence: z.number().optional(),
        Display: z.string(),
        Words: z.array(word).optional(),
      }),
    )
    .optional(),
});

const hypothesis: z.ZodType<Hypothesis> = z.object({
  Text: z.string(),
  Offset: ticks,
  Duration: ticks,
  PrimaryLanguage: primaryLanguage,
});

/** Statuses of a phrase that is none: nothing was said, or not understood. */
const NOTHING = new Set(['NoMatch', 'InitialSilenceTimeout', 'BabbleTimeout', 'EndOfDictation']);

/** Reads `speech.hypothesis`; undefined when it is not that. */
export function readHypothesis(body: string): DialectEvent | undefined {
  const parsed = hypothesis.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { Text, Offset, Duration, PrimaryLanguage } = parsed.data;
  return {
    kind: 'partial',
    text: Text,
    startMs: Offset / TICKS_PER_MS,
    endMs: (Offset + Duration) / TICKS_PER_MS,
    words: [],
    confidence: null,
    language: PrimaryLanguage?.Language ?? null,
  };
}

/** Reads `speech.phrase`; undefined when it is not that. */
export function readPhrase(body: string): DialectEvent | undefined {
  const parsed = phrase.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { RecognitionStatus: status, Offset = 0, Duration = 0, NBest } = parsed.data;
  const isNothing = NOTHING.has(status);
  if (status !== 'Success' && !isNothing) return { kind: 'fault', fault: faultOf(status) };
  const best = isNothing ? undefined : NBest?.[0];
  return {
    kind: 'final',
    text: isNothing ? '' : (best?.Display ?? parsed.data.DisplayText ?? ''),
    startMs: Offset / TICKS_PER_MS,
    endMs: (Offset + Duration) / TICKS_PER_MS,
    words: (best?.Words ?? []).map(toWord),
    confidence: confidenceOf(best?.Confidence),
    language: parsed.data.PrimaryLanguage?.Language ?? null,
  };
}

function toWord({ Word: text, Offset, Duration, Confidence }: Word): RecognizedWord {
  return {
    text,
    startMs: Offset / TICKS_PER_MS,
    endMs: (Offset + Duration) / TICKS_PER_MS,
    confidence: confidenceOf(Confidence),
  };
}

function confidenceOf(confidence: number | undefined): number | null {
  return confidence === undefined ? null : Math.min(1, Math.max(0, confidence));
}

function faultOf(status: string): VendorFault {
  const known = ['Error', 'TooManyRequests', 'BadRequest', 'Forbidden'].includes(status);
  const rule = `the service must not answer with ${known ? status : 'an unknown status'}`;
  if (status === 'Forbidden') return refused(ENGINE, rule);
  return status === 'BadRequest' ? unsuitable(ENGINE, rule) : unavailable(ENGINE, rule);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

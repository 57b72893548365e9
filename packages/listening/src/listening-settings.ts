import type { CallToneKind } from '@earshot/call-tones';
import { CALL_TONE_KINDS } from '@earshot/call-tones';
import { z } from 'zod';

/** Kinds of tones that are no digits: of answering machines, fax machines and exchanges. */
export const OTHER_TONE_KINDS: typeof CALL_TONE_KINDS = CALL_TONE_KINDS;

export type OtherToneKind = CallToneKind;

/** How keys pressed are put together; see `tone.collected`. */
export interface ToneCollectionSettings {
  /** The collection is over with so many digits. */
  readonly maxDigits: number;
  /** A key that ends it and is not part of it; null: none does. */
  readonly terminator: string | null;
  /** It is over when no further key comes for so long. */
  readonly interDigitMs: number;
  /** It is over, and empty, when no first key comes for so long; null: it is waited for for ever. */
  readonly firstDigitMs: number | null;
}

/** Phrases to be told from all other speech. */
export interface PhraseSettings {
  /** The phrases, in plain words such as `call me back`; may be empty when there is a grammar. */
  readonly phrases: readonly string[];
  /** A JSGF grammar whose sentences are phrases too; null: none. */
  readonly jsgf: string | null;
  /** BCP 47; the recognizer at hand says which it has. */
  readonly language: string;
  /** Phrases of less are not told; 0 to 1. */
  readonly minConfidence: number;
}

/** Speech to text. */
export interface DictationSettings {
  /** BCP 47. */
  readonly language: string;
  /** Recognizers by name, the first that works is used; null: those of the deployment. */
  readonly engines: readonly string[] | null;
  /** Whether `transcript.partial` is told while somebody speaks. */
  readonly partials: boolean;
  /** A pause of so long ends an utterance: shorter gives text sooner, longer gives whole sentences. */
  readonly endpointMs: number;
  /** An utterance that is longer is cut. */
  readonly maxUtteranceMs: number;
}

/** What is listened for in one call. Plain JSON. */
export interface ListeningSettings {
  /** Other tones, as `tone.detected` of their own kind; digits are always listened for. */
  readonly tones: readonly OtherToneKind[];
  /** Null: keys are told one by one only. */
  readonly collect: ToneCollectionSettings | null;
  readonly phrases: PhraseSettings | null;
  readonly dictation: DictationSettings | null;
}

/** What is listened for when nobody said anything: digits and speech activity alone. */
export const DEFAULT_LISTENING: ListeningSettings = {
  tones: [],
  collect: null,
  phrases: null,
  dictation: null,
};

const toneCollectionSettings = z.object({
  maxDigits: z.int().min(1).max(64),
  terminator: z
    .string()
    .regex(/^[0-9A-D*#]$/, 'must be one key')
    .nullable()
    .default('#'),
  interDigitMs: z.int().min(200).max(60_000).default(3000),
  firstDigitMs: z.int().min(200).max(3_600_000).nullable().default(null),
});

const phraseSettings = z
  .object({
    phrases: z.array(z.string().min(1).max(100)).max(200).default([]),
    jsgf: z.string().max(16_384).nullable().default(null),
    language: z.string().min(2).max(35).default('en-US'),
    minConfidence: z.number().min(0).max(1).default(0.5),
  })
  .refine(({ phrases, jsgf }) => phrases.length > 0 || jsgf !== null, {
    message: 'needs phrases or jsgf',
  });

const dictationSettings = z.object({
  language: z.string().min(2).max(35).default('en-US'),
  engines: z.array(z.string().min(1).max(64)).min(1).max(8).nullable().default(null),
  partials: z.boolean().default(true),
  endpointMs: z.int().min(200).max(5000).default(800),
  maxUtteranceMs: z.int().min(2000).max(60_000).default(20_000),
});

/** Reads settings, and fills in defaults of what is not said. */
export const listeningSettingsSchema: z.ZodType<ListeningSettings> = z.object({
  tones: z.array(z.enum(OTHER_TONE_KINDS)).max(OTHER_TONE_KINDS.length).default([]),
  collect: toneCollectionSettings.nullable().default(null),
  phrases: phraseSettings.nullable().default(null),
  dictation: dictationSettings.nullable().default(null),
});

/** A change of settings: a part that is named is replaced, one that is not stays as it is. */
export type ListeningChange = {
  readonly [Part in keyof ListeningSettings]?: ListeningSettings[Part] | undefined;
};

/** Reads a change as people write it: null ends any part; what no part has is refused, not overlooked. */
export const listeningChangeSchema: z.ZodType<ListeningChange> = z.strictObject({
  tones: z
    .array(z.enum(OTHER_TONE_KINDS))
    .max(OTHER_TONE_KINDS.length)
    .nullable()
    .transform((kinds) => kinds ?? [])
    .optional(),
  collect: toneCollectionSettings.strict().nullable().optional(),
  phrases: phraseSettings.strict().nullable().optional(),
  dictation: dictationSettings.strict().nullable().optional(),
});

/** The settings with what a change names replaced. */
export function withListeningChange(
  settings: ListeningSettings,
  { tones, collect, phrases, dictation }: ListeningChange,
): ListeningSettings {
  return {
    tones: tones ?? settings.tones,
    collect: collect === undefined ? settings.collect : collect,
    phrases: phrases === undefined ? settings.phrases : phrases,
    dictation: dictation === undefined ? settings.dictation : dictation,
  };
}

/** Settings read back from where they were stored; undefined for anything else. */
export function parseListeningSettings(value: unknown): ListeningSettings | undefined {
  const parsed = listeningSettingsSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

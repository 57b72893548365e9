import { z } from 'zod';

/** Which incoming calls are answered. */
export const INCOMING_POLICIES = ['off', 'policyRecording', 'all'] as const;

/** What is done with calls that come in. */
export interface IncomingConfig {
  readonly answers: (typeof INCOMING_POLICIES)[number];
  /** Participants that one policy-recording call records; undefined: one call for each. */
  readonly participantCapacity: number | undefined;
  /** A policy-recording call is declared to be recorded as soon as it is established. */
  readonly recordsAtOnce: boolean;
  /** Where calls of other regions are sent: webhook by region, in lower case. */
  readonly redirects: ReadonlyMap<string, string>;
}

/** Checks `EARSHOT_INCOMING`. */
export const incomingAnswers: z.ZodType<IncomingConfig['answers']> = z
  .enum(INCOMING_POLICIES)
  .default('off');

/** Checks `EARSHOT_PARTICIPANT_CAPACITY`. */
export const participantCapacity: z.ZodType<number | undefined> = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000)
  .optional();

/** Checks `EARSHOT_RECORD_AT_ONCE`. */
export const recordsAtOnce: z.ZodType<boolean> = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .default(false);

/** Checks `EARSHOT_INCOMING_REDIRECTS`. */
export const incomingRedirects: z.ZodType<ReadonlyMap<string, string>> = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((item) => item.trim() !== ''))
  .refine(
    (items) => items.every((item) => redirectOf(item) !== undefined),
    'must be region=https-URL, with commas',
  )
  .transform((items) => new Map(items.flatMap((item) => redirectOf(item) ?? [])));

function redirectOf(item: string): [readonly [string, string]] | undefined {
  const [, region = '', url = ''] = /^\s*([\w-]+)=(\S+?)\s*$/.exec(item) ?? [];
  if (region === '' || !URL.canParse(url)) return undefined;
  return new URL(url).protocol === 'https:' ? [[region.toLowerCase(), url]] : undefined;
}

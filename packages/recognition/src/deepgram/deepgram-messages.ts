import { z } from 'zod';

/** Times are from the start of the connection, s. */
export interface DeepgramWord {
  readonly word: string;
  readonly punctuated_word?: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
}

export interface DeepgramAlternative {
  readonly transcript: string;
  readonly confidence: number;
  readonly words: readonly DeepgramWord[];
  readonly languages?: readonly string[] | undefined;
}

export interface DeepgramResults {
  readonly start: number;
  readonly duration: number;
  readonly is_final: boolean;
  readonly from_finalize: boolean;
  readonly channel: { readonly alternatives: readonly DeepgramAlternative[] };
}

const word: z.ZodType<DeepgramWord> = z.object({
  word: z.string(),
  punctuated_word: z.string().optional(),
  start: z.number().min(0),
  end: z.number().min(0),
  confidence: z.number(),
});

const alternative: z.ZodType<DeepgramAlternative> = z.object({
  transcript: z.string(),
  confidence: z.number(),
  words: z.array(word).default([]),
  languages: z.array(z.string()).optional(),
});

const results: z.ZodType<DeepgramResults> = z.object({
  start: z.number().min(0),
  duration: z.number().min(0),
  is_final: z.boolean().default(false),
  from_finalize: z.boolean().default(false),
  channel: z.object({ alternatives: z.array(alternative).min(1) }),
});

/** `other`: something that is of no use here, or not known yet. */
export type DeepgramMessage =
  | { readonly kind: 'results'; readonly results: DeepgramResults }
  | { readonly kind: 'error' }
  | { readonly kind: 'other' };

const typed = z.object({ type: z.string() });

/** Reads a message of the service; undefined when it is not what the service speaks. */
export function readDeepgramMessage(data: string): DeepgramMessage | undefined {
  const value = parseJson(data);
  const message = typed.safeParse(value);
  if (!message.success) return undefined;
  if (message.data.type === 'Error') return { kind: 'error' };
  if (message.data.type !== 'Results') return { kind: 'other' };
  const parsed = results.safeParse(value);
  return parsed.success ? { kind: 'results', results: parsed.data } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { z } from 'zod';
import { TONES } from '../scenario/tones.js';
import type { TargetBody } from './call-schema.js';
import { targetSchema } from './call-schema.js';
import { badRequest, invalidArgument } from './graph-fault.js';

const MAX_CLIENT_CONTEXT = 256;
const MAX_PROMPTS = 20;
const MAX_INVITED = 5;
const TONE_NAMES: ReadonlySet<string> = new Set(TONES);

const clientContext = z
  .string()
  .max(MAX_CLIENT_CONTEXT, `must be text of at most ${MAX_CLIENT_CONTEXT} characters`)
  .nullish()
  .transform((context) => context ?? null);

const seconds = z.int().min(1).max(120).nullish();
const prompt = z.looseObject({
  mediaInfo: z.looseObject({ uri: z.string().min(1), resourceId: z.string().nullish() }),
});

/** One of Graph's words, in any letters. */
function word<const Words extends readonly string[]>(words: Words): z.ZodType<Words[number]> {
  return z.string().transform((text, context) => {
    const found = words.find((each) => each.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    context.addIssue(`must be ${words.join(', ')}`);
    return z.NEVER;
  });
}

/** What every action may carry. */
export const contextBody: z.ZodType<{ readonly clientContext: string | null }> = z.looseObject({
  clientContext,
});

export const playPromptBody: z.ZodType<ContextBody & { readonly prompts: readonly unknown[] }> =
  z.looseObject({ clientContext, prompts: z.array(prompt).min(1).max(MAX_PROMPTS) });

export const recordResponseBody: z.ZodType<
  ContextBody & { readonly maxRecordDurationInSeconds?: number | null | undefined }
> = z.looseObject({
  clientContext,
  prompts: z.array(prompt).max(1).nullish(),
  initialSilenceTimeoutInSeconds: seconds,
  maxSilenceTimeoutInSeconds: seconds,
  maxRecordDurationInSeconds: seconds,
  stopTones: z.array(z.string()).nullish(),
});

export const sendTonesBody: z.ZodType<
  ContextBody & {
    readonly tones: readonly string[];
    readonly delayBetweenTonesMs?: number | null | undefined;
  }
> = z.looseObject({
  clientContext,
  tones: z
    .array(z.string().refine((tone) => TONE_NAMES.has(tone.toLowerCase()), 'must be a tone'))
    .min(1),
  delayBetweenTonesMs: z.int().min(0).nullish(),
});

export const sharingRoleBody: z.ZodType<{ readonly role: 'viewer' | 'sharer' }> = z.looseObject({
  role: word(['viewer', 'sharer']),
});

export const recordingStatusBody: z.ZodType<
  ContextBody & { readonly status: 'notRecording' | 'recording' | 'failed' }
> = z.looseObject({ clientContext, status: word(['notRecording', 'recording', 'failed']) });

export const transferBody: z.ZodType<{ readonly transferTarget: TargetBody }> = z.looseObject({
  transferTarget: targetSchema,
});

export const inviteBody: z.ZodType<ContextBody & { readonly participants: readonly TargetBody[] }> =
  z.looseObject({ clientContext, participants: z.array(targetSchema).min(1).max(MAX_INVITED) });

export const routingGroupBody: z.ZodType<RoutingGroupBody> = z.looseObject({
  routingMode: word(['oneToOne', 'multicast']),
  sources: z.array(z.string()).min(1),
  receivers: z.array(z.string()).min(1),
});

interface ContextBody {
  readonly clientContext: string | null;
}

/** How some hear others apart from the rest. */
export interface RoutingGroupBody {
  readonly routingMode: 'oneToOne' | 'multicast';
  readonly sources: readonly string[];
  readonly receivers: readonly string[];
}

/**
 * A body in its form; nothing at all counts as an empty one.
 *
 * @throws GraphFault 400/8523 naming the property
 */
export function bodyOf<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const property = issue?.path.join('.') ?? '';
  if (property === '') throw badRequest('Empty Payload. JSON content expected.');
  throw invalidArgument(property, issue?.message ?? 'is missing or malformed');
}

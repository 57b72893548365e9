import { z } from 'zod';
import type { TargetBody } from './call-schema.js';
import { targetSchema } from './call-schema.js';
import { badRequest, invalidArgument } from './graph-fault.js';

const context = z
  .string()
  .nullish()
  .transform((text) => text ?? null);

/** One of Graph's words, in any letters. */
function word<const Words extends readonly string[]>(words: Words): z.ZodType<Words[number]> {
  return z.string().transform((text, issues) => {
    const found = words.find((each) => each.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    issues.addIssue(`must be ${words.join(', ')}`);
    return z.NEVER;
  });
}

interface ContextBody {
  readonly clientContext: string | null;
}

/** What every action may carry. */
export const contextBody: z.ZodType<ContextBody> = z.looseObject({ clientContext: context });

export const playPromptBody: z.ZodType<ContextBody & { readonly prompts: readonly unknown[] }> =
  z.looseObject({ clientContext: context, prompts: z.array(z.unknown()) });

export const recordResponseBody: z.ZodType<
  ContextBody & { readonly maxRecordDurationInSeconds?: number | null | undefined }
> = z.looseObject({ clientContext: context, maxRecordDurationInSeconds: z.number().nullish() });

export const sendTonesBody: z.ZodType<
  ContextBody & {
    readonly tones: readonly string[];
    readonly delayBetweenTonesMs?: number | null | undefined;
  }
> = z.looseObject({
  clientContext: context,
  tones: z.array(z.string()),
  delayBetweenTonesMs: z.number().nullish(),
});

export const sharingRoleBody: z.ZodType<{ readonly role: 'viewer' | 'sharer' }> = z.looseObject({
  role: word(['viewer', 'sharer']),
});

export const recordingStatusBody: z.ZodType<
  ContextBody & { readonly status: 'notRecording' | 'recording' | 'failed' }
> = z.looseObject({
  clientContext: context,
  status: word(['notRecording', 'recording', 'failed']),
});

export const transferBody: z.ZodType<{ readonly transferTarget: TargetBody }> = z.looseObject({
  transferTarget: targetSchema,
});

export const inviteBody: z.ZodType<ContextBody & { readonly participants: readonly TargetBody[] }> =
  z.looseObject({ clientContext: context, participants: z.array(targetSchema) });

export const routingGroupBody: z.ZodType<RoutingGroupBody> = z.looseObject({
  routingMode: word(['oneToOne', 'multicast']),
  sources: z.array(z.string()),
  receivers: z.array(z.string()),
});

/** How some hear others apart from the rest. */
export interface RoutingGroupBody {
  readonly routingMode: 'oneToOne' | 'multicast';
  readonly sources: readonly string[];
  readonly receivers: readonly string[];
}

/**
 * What is needed of a body that the metadata have been asked about; nothing at all counts as an
 * empty one.
 *
 * @throws GraphFault 400
 */
export function bodyOf<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const property = issue?.path.join('.') ?? '';
  if (property === '') throw badRequest('Empty Payload. JSON content expected.');
  throw invalidArgument(property, issue?.message ?? 'is missing or malformed');
}

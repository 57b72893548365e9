import type { ListeningSettings } from '@earshot/listening';
import { DEFAULT_LISTENING, listeningChangeSchema, withListeningChange } from '@earshot/listening';
import { z } from 'zod';

/** EARSHOT_LISTENING: JSON; what it does not name is as it is by default. */
export const listeningText: z.ZodType<ListeningSettings, string> = z
  .string()
  .transform((text, context) => {
    const change = listeningChangeSchema.safeParse(parseJson(text));
    if (change.success) return withListeningChange(DEFAULT_LISTENING, change.data);
    const [issue] = change.error.issues;
    const path = issue?.path.join('.') ?? '';
    const rule = path === '' ? issue?.message : `${path}: ${issue?.message}`;
    context.addIssue({ code: 'custom', message: `must be JSON of listening settings (${rule})` });
    return z.NEVER;
  });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

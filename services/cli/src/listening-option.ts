import type { ListeningChange } from '@earshot/listening';
import { listeningChangeSchema } from '@earshot/listening';
import { InvalidArgumentError } from 'commander';

/** Reads listening settings from the command line: JSON of the parts that are to be set. */
export function parseListeningOption(text: string): ListeningChange {
  const parsed = listeningChangeSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidArgumentError(
    `it must be JSON such as {"phrases":{"phrases":["call me back"]}} (${faults.join('; ')}).`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

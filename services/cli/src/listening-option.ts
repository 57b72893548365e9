import type { ListeningChange } from '@earshot/listening';
import { listeningChangeSchema } from '@earshot/listening';
import { InvalidArgumentError } from 'commander';

/** Reads listening settings from the command line: JSON of the parts that are to be set. */
export function parseListeningOption(text: string): ListeningChange {
  const json = jsonOf(text);
  if (json === undefined) throw invalid('this is no JSON');
  const parsed = listeningChangeSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw invalid(faults.join('; '));
}

function invalid(fault: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `it must be JSON such as {"phrases":{"phrases":["call me back"]}} (${fault}).`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

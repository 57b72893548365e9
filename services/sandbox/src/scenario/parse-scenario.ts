import { readFile } from 'node:fs/promises';
import { CodedError } from '@earshot/async';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Scenario } from './scenario.js';
import { scenarioSchema } from './scenario-schema.js';

const MAX_FAULTS = 5;
const FIX = 'The form of a scenario is described in docs/sandbox-scenarios.md.';

/**
 * Reads a scenario file.
 *
 * @throws CodedError `scenario_unreadable`, `invalid_scenario`
 */
export async function readScenario(file: string): Promise<Scenario> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const actual = error instanceof Error ? error.message : String(error);
    throw new CodedError(
      'scenario_unreadable',
      `Cannot read the scenario ${file}: it must be a readable file, got ${actual}`,
      { cause: error },
    );
  }
  return parseScenario(text, file);
}

/**
 * Reads a scenario in YAML, of which JSON is a part.
 *
 * @param name of the file, for messages.
 * @throws CodedError `invalid_scenario`, with line and column, or with the path of each fault.
 */
export function parseScenario(text: string, name = 'the scenario'): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    const [rule = ''] = error.message.split('\n');
    throw invalid(name, `line ${line}, column ${col}: ${rule.replace(/ at line.*$/, '')}`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    throw invalid(name, cause instanceof Error ? cause.message : String(cause));
  }
  return checkScenario(value, name);
}

/**
 * Checks a value; what it leaves open gets its default.
 *
 * @throws CodedError `invalid_scenario`, naming the path of each fault.
 */
export function checkScenario(value: unknown, name = 'the scenario'): Scenario {
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, MAX_FAULTS).map((issue) => faultText(issue, value));
  throw invalid(name, faults.join('; '));
}

function faultText(issue: z.core.$ZodIssue, value: unknown): string {
  const path = pathText(issue.path) || 'the whole';
  if (issue.code === 'unrecognized_keys') {
    return `${path} has no such word: ${issue.keys.join(', ')}`;
  }
  return `${path}: ${issue.message}, got ${shown(valueAt(value, issue.path))}`;
}

/** As `rules[0].steps[2].atMs`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined),
    value,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  return (JSON.stringify(value) ?? typeof value).slice(0, 80);
}

function invalid(name: string, faults: string): CodedError {
  return new CodedError('invalid_scenario', `Cannot use ${name}: ${faults}`, { fix: FIX });
}

import { readFileSync } from 'node:fs';
import type { RateLimit } from '@earshot/rate-limit';
import { parseRateLimit } from '@earshot/rate-limit';
import { z } from 'zod';
import type { ApiKey } from './rest/api-keys.js';
import { DEFAULT_KEY_ID, NO_KEY_ID } from './rest/api-keys.js';
import { digestOf } from './rest/bearer.js';
import { SCOPES } from './rest/scopes.js';

const MIN_KEY_CHARS = 16;
const RESERVED_IDS: ReadonlySet<string> = new Set([DEFAULT_KEY_ID, NO_KEY_ID]);

/** A key as `EARSHOT_API_KEY` has it. */
export const apiKeyText: z.ZodString = z
  .string()
  .min(MIN_KEY_CHARS, `must have at least ${MIN_KEY_CHARS} characters`);

/** `requests/seconds`, or `off`. */
export const rateLimitText: z.ZodType<RateLimit | 'off', string> = z
  .string()
  .transform((text, { issues }) => {
    try {
      return parseRateLimit(text) ?? 'off';
    } catch {
      const message = 'must be requests/seconds such as 2000/10s, or off';
      issues.push({ code: 'custom', message, input: text });
      return z.NEVER;
    }
  });

const keyEntry = z
  .strictObject({
    id: z
      .string('must be a text')
      .regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
      .refine((id) => !RESERVED_IDS.has(id), `must not be ${[...RESERVED_IDS].join(' or ')}`),
    key: apiKeyText.optional(),
    sha256: z
      .string()
      .regex(/^[\da-f]{64}$/i, 'must be 64 hexadecimal digits')
      .optional(),
    scopes: z.preprocess(
      (scopes) => (scopes === 'all' ? SCOPES : scopes),
      z
        .array(
          z.enum(SCOPES, `must be one of ${SCOPES.join(', ')}`),
          'must be "all" or a list of scopes',
        )
        .min(1, 'must name at least one scope'),
    ),
    rateLimit: rateLimitText.optional(),
  })
  .refine(({ key, sha256 }) => (key === undefined) !== (sha256 === undefined), {
    error: 'must have either key or sha256',
    when: () => true,
  });

const keyList = z.array(keyEntry, 'must be a list of keys').min(1, 'must hold at least one key');

/** The key of `EARSHOT_API_KEY`, which may do everything. */
export function defaultKey(key: string): ApiKey {
  return { id: DEFAULT_KEY_ID, digest: digestOf(key), scopes: SCOPES };
}

/** `[{"id", "key" or "sha256", "scopes"}, …]` as `EARSHOT_API_KEYS` has it; no fault shows a key. */
export const apiKeysText: z.ZodType<ApiKey[], string> = z.string().transform((text, { issues }) => {
  const result = parseApiKeys(text);
  if (result.ok) return result.keys;
  issues.push({ code: 'custom', message: result.fault, input: text });
  return z.NEVER;
});

/** The path of a file that holds such a text. */
export const apiKeysFile: z.ZodType<ApiKey[], string> = z
  .string()
  .transform((path, { issues }) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : error;
      const message = `must name a file that can be read (${code})`;
      issues.push({ code: 'custom', message, input: path });
      return z.NEVER;
    }
  })
  .pipe(apiKeysText);

type ApiKeyList =
  | { readonly ok: true; readonly keys: ApiKey[] }
  | { readonly ok: false; readonly fault: string };

function parseApiKeys(text: string): ApiKeyList {
  const json = parseJson(text);
  // Messages of JSON.parse quote the text, and so its keys.
  if (json === undefined) return { ok: false, fault: 'must be JSON' };
  const parsed = keyList.safeParse(json.value);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${place(path)} ${message}`);
    return { ok: false, fault: faults.map((fault) => fault.trim()).join('; ') };
  }
  const keys = parsed.data.map(({ id, key, sha256 = '', scopes, rateLimit }) => ({
    id,
    rateLimit,
    digest: key === undefined ? Buffer.from(sha256, 'hex') : digestOf(key),
    scopes,
  }));
  const fault = repetitionIn(keys);
  return fault === undefined ? { ok: true, keys } : { ok: false, fault };
}

/** Two keys that can't be told apart, if there are. */
export function repetitionIn(keys: readonly ApiKey[]): string | undefined {
  const ids = new Set<string>();
  const owners = new Map<string, string>();
  for (const { id, digest } of keys) {
    if (ids.has(id)) return `must hold each id once, not ${id} twice`;
    ids.add(id);
    const text = Buffer.from(digest).toString('hex');
    const owner = owners.get(text);
    if (owner !== undefined) return `must hold each key once, not the same for ${owner} and ${id}`;
    owners.set(text, id);
  }
  return undefined;
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** `[1].scopes[0]` */
function place(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}

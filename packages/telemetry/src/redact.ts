import { redactText } from './redact-text.js';

/** What stands where a personal or secret value was. */
const REDACTED = '[redacted]';
/** What stands where a value was too deep to be looked through, and so is not shown. */
const OMITTED = '[omitted]';
const MAX_DEPTH = 3;

/** Names that end so are private whatever comes before: `resumeToken`, `x-api-key`, `tokens`. */
const PRIVATE_ENDINGS =
  /(?:tokens?|secrets?|passwords?|passcodes?|passwd|authorization|cookies?|credentials?|(?:api|host|bridge|private|shared|signing)keys?)$/;

/** Variables such as `EARSHOT_API_KEYS`. */
const PRIVATE_VARIABLES = /^earshot.*keys?$/;

/** Names, in lower case and without separators, whose values are personal or secret. */
const PRIVATE_NAMES: ReadonlySet<string> = new Set([
  'attemptkey',
  'blob',
  'callbackuri',
  'callbackurl',
  'digit',
  'digits',
  'dtmf',
  'displayname',
  'email',
  'identityheader',
  'joinurl',
  'joinweburl',
  'keys',
  'participantname',
  'phone',
  'phonenumber',
  'speakername',
  'tone',
  'tones',
  'transcript',
  'upn',
  'userprincipalname',
  'xidentityheader',
]);

/**
 * A copy of log fields without personal data and secrets: values under known names (in any
 * spelling: `displayName`, `display_name`, `Display-Name`) are replaced, down to three levels of
 * objects and arrays; anything deeper is left out. Errors become their name, code, message,
 * stack and cause. In every text that is left, what looks like a secret is replaced too.
 */
export function redact(fields: object): Record<string, unknown> {
  return redactEntries(Object.entries(fields), 1);
}

function redactEntries(
  entries: readonly (readonly [string, unknown])[],
  depth: number,
): Record<string, unknown> {
  return Object.fromEntries(
    entries.map(([name, value]) => [name, isPrivate(name) ? REDACTED : redactValue(value, depth)]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (depth >= MAX_DEPTH + (value instanceof Error ? 1 : 0)) return OMITTED;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactEntries(entriesOfError(value), depth + 1);
  return redactEntries(Object.entries(value), depth + 1);
}

function entriesOfError(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error;
  const shown: [string, unknown][] = [
    ['name', name],
    ['message', message],
    ...Object.entries(error).filter(([key]) => key === 'code' || key === 'fix'),
    ['stack', stack],
  ];
  if (cause !== undefined) shown.push(['cause', cause]);
  return shown;
}

function isPrivate(name: string): boolean {
  const plain = name.replace(/[-_]/g, '').toLowerCase();
  return PRIVATE_NAMES.has(plain) || PRIVATE_ENDINGS.test(plain) || PRIVATE_VARIABLES.test(plain);
}

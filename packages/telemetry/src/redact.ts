/** What stands where a personal or secret value was. */
const REDACTED = '[redacted]';
/** What stands where a value was too deep to be looked through, and so is not shown. */
const OMITTED = '[omitted]';
const MAX_DEPTH = 3;

/** Names, in lower case and without separators, whose values are personal or secret. */
const PRIVATE_NAMES: ReadonlySet<string> = new Set([
  'accesstoken',
  'apikey',
  'attemptkey',
  'authorization',
  'blob',
  'bridgekey',
  'callbackuri',
  'clientsecret',
  'digit',
  'digits',
  'displayname',
  'hostkey',
  'idtoken',
  'joinurl',
  'passcode',
  'password',
  'refreshtoken',
  'secret',
  'token',
  'tone',
  'transcript',
]);

/**
 * A copy of log fields without personal data and secrets: values under known names (in any
 * spelling: `displayName`, `display_name`, `Display-Name`) are replaced, down to three levels of
 * objects and arrays; anything deeper is left out. Errors become their name, code, message,
 * stack and cause.
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
  return PRIVATE_NAMES.has(name.replace(/[-_]/g, '').toLowerCase());
}

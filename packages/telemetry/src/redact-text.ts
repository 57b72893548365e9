const REDACTED = '[redacted]';

/**
 * What gives secrets away inside of texts, which no name does: messages of errors quote headers,
 * URLs and bodies. None looks further than it must.
 */
const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Headers, quoted or not.
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{4,}/gi, `$1 ${REDACTED}`],
  // JSON Web Tokens, whose header begins with `{"`.
  [/\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}/g, REDACTED],
  // Links into meetings hold the meeting, its organizer and the passcode.
  [/\b(https?:\/\/[\w.-]{0,200}teams\.[\w.-]{1,200})\/[^\s"'<>)\]]*/gi, `$1/${REDACTED}`],
  // Passwords of URLs, such as that of Redis.
  [/\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@"']{1,512}@/gi, `$1${REDACTED}@`],
  // Queries hold keys and passcodes.
  [/\b((?:https?|wss?):\/\/[^\s?#"']{1,2048}\?)[^\s"'<>)\]]+/gi, `$1${REDACTED}`],
  // The unguessable part of callback addresses.
  [/(\/callbacks\/)[\w-]{8,}/g, `$1${REDACTED}`],
  // Secrets of webhooks.
  [/\bwhsec_[\w+/=-]*/g, REDACTED],
  // Phone numbers in E.164.
  [/(?<![\w+])\+[1-9]\d{6,14}\b/g, REDACTED],
  // Mail addresses and names that users sign in with; versions of packages have no letters there.
  [/\b[\w.+-]{1,64}@(?:[a-z\d-]{1,63}\.){1,8}[a-z]{2,24}\b/gi, REDACTED],
  // Private keys.
  [
    /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?/g,
    REDACTED,
  ],
  // Members of quoted JSON and of forms, headers and variables.
  [
    /((?:tokens?|secrets?|passcodes?|passwords?|displayName|blob|joinUrl|x-identity-header|(?:api|host|bridge|private)[-_]?keys?|EARSHOT_\w{0,40}KEYS?|\bdigits?|\btones?)["']?\s{0,8}[:=]\s{0,8})("(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]]*\]?|[^\s,;&"'{}[\]]+)/gi,
    `$1${REDACTED}`,
  ],
];

/** A text with more is cut: logs are for people, and looking through it takes its time. */
const MAX_CHARS = 16_384;

/** A text without what looks like a token, a key in a URL, a link into a meeting, or a quoted name. */
export function redactText(text: string): string {
  let redacted = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
  for (const [pattern, replacement] of PATTERNS) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

/** A URL taken apart, nothing decoded. */
export interface UrlParts {
  readonly scheme: string;
  /** Lower case, without credentials and port. */
  readonly host: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Without the hash. */
  readonly fragment: string;
}

const URL_PARTS = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;

/** Takes a URL apart; undefined when it is none. */
export function splitUrl(url: string): UrlParts | undefined {
  const parts = URL_PARTS.exec(url);
  if (parts === null || /[\s\\]/.test(url)) return undefined;
  const [, scheme = '', authority = '', path = '', query = '', fragment = ''] = parts;
  const host = authority.replace(/^.*@/s, '').replace(/:\d*$/, '').toLowerCase();
  return { scheme: scheme.toLowerCase(), host, path, query, fragment };
}

/** A parameter of a query, decoded once; names are compared in lower case. */
export function queryParameter(query: string, name: string): string | undefined {
  for (const pair of query.split('&')) {
    const [key = '', ...value] = pair.split('=');
    if (decodeOnce(key).toLowerCase() === name) return decodeOnce(value.join('='));
  }
  return undefined;
}

/** The values of a query, decoded once. */
export function queryValues(query: string): string[] {
  return query.split('&').map((pair) => decodeOnce(pair.slice(pair.indexOf('=') + 1)));
}

/** Percent-decodes once; a text with a broken escape is returned as it is. */
export function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Enough for any chain of wrappers, and an end for a hostile one. */
const MAX_DECODINGS = 5;

/** Percent-decodes until nothing changes: mail filters encode again what is encoded. */
export function decodeFully(text: string): string {
  let decoded = text;
  for (let round = 0; round < MAX_DECODINGS; round += 1) {
    const next = decodeOnce(decoded);
    if (next === decoded) break;
    decoded = next;
  }
  return decoded;
}

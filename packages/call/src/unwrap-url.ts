import { isTeamsHost } from './teams-hosts.js';
import type { UrlParts } from './url-parts.js';
import { decodeOnce, queryParameter, splitUrl } from './url-parts.js';

const MAX_WRAPPERS = 5;
const MAX_DECODINGS = 5;

/** What mail programs and people put around a URL. */
const BRACKETS = [
  ['<', '>'],
  ['"', '"'],
  ["'", "'"],
  ['(', ')'],
] as const;

/** Link checkers of Microsoft 365 mail and Teams; the link itself is the parameter `url`. */
const SAFE_LINKS =
  /(?:^|\.)safelinks\.protection\.(?:outlook\.com|office365\.us)$|^statics\.teams\.cdn\.office\.net$/;

/**
 * The URL that a text holds, out of its wrapping: quotes and brackets, a missing scheme, an
 * encoding as a whole, link checkers, and the pages that Teams' own links pass through in a
 * browser. Undefined when it is no URL.
 */
export function unwrapUrl(written: string): UrlParts | undefined {
  let parts = splitEncoded(trimmed(written));
  for (let wrapper = 0; parts !== undefined && wrapper < MAX_WRAPPERS; wrapper += 1) {
    const inner = innerUrl(parts);
    if (inner === undefined) return parts;
    parts = splitEncoded(inner);
  }
  return parts;
}

function trimmed(written: string): string {
  const bare = written.trim();
  return BRACKETS.some(([open, close]) => bare.startsWith(open) && bare.endsWith(close))
    ? bare.slice(1, -1).trim()
    : bare;
}

function splitEncoded(written: string): UrlParts | undefined {
  let text = written;
  for (let round = 0; round < MAX_DECODINGS; round += 1) {
    const parts = splitUrl(/^[\w.-]+\.[a-z]+\//i.test(text) ? `https://${text}` : text);
    if (parts !== undefined) return parts;
    text = decodeOnce(text);
  }
  return undefined;
}

function innerUrl({ scheme, host, path, query, fragment }: UrlParts): string | undefined {
  if (scheme === 'msteams') {
    return `https://${host === '' || !isTeamsHost(host) ? 'teams.microsoft.com' : host}${path}?${query}`;
  }
  if (SAFE_LINKS.test(host)) return queryParameter(query, 'url');
  if (!isTeamsHost(host)) return undefined;
  // The launcher that a browser shows: ?url=/_#/l/meetup-join/…
  const launched = /^\/dl\/launcher\//i.test(path) ? queryParameter(query, 'url') : undefined;
  const routed = launched?.replace(/^\/?_?#?/, '') ?? routeOf(fragment);
  return routed?.startsWith('/') ? `https://${host}${routed}` : undefined;
}

/** The web app keeps its own path behind the hash: `/_#/l/…`, `/v2/?meetingjoin=true#/l/…`. */
function routeOf(fragment: string): string | undefined {
  return /^\/(?:l\/meetup-join|meet)\//i.test(fragment) ? fragment : undefined;
}

import { proofpointTarget } from './proofpoint.js';
import { isConsumerHost, isTeamsHost } from './teams-hosts.js';
import type { UrlParts } from './url-parts.js';
import { decodeFully, decodeOnce, queryParameter, queryValues, splitUrl } from './url-parts.js';

const MAX_WRAPPERS = 5;
const MAX_DECODINGS = 5;

/** What mail programs and people put around a URL; Teams writes none of it at an end. */
const JUNK: ReadonlySet<string> = new Set(' \t\r\n\u00a0<>"\'`()[]“”‘’«»„.,;:!');

const PROOFPOINT = /^urldefense(?:\.proofpoint|\.us)?\.com$|^urldefense\.us$/;

/**
 * The URL that a text holds, out of its wrapping: quotes and brackets, a missing scheme, an
 * encoding as a whole, link checkers, and the pages that Teams' own links pass through in a
 * browser. Undefined when it is no URL.
 */
export function unwrapUrl(written: string): UrlParts | undefined {
  let parts = splitEncoded(written);
  for (let wrapper = 0; parts !== undefined && wrapper < MAX_WRAPPERS; wrapper += 1) {
    const inner = innerUrl(parts);
    if (inner === undefined) return parts;
    parts = splitEncoded(inner);
  }
  return parts;
}

function trimmed(written: string): string {
  let start = 0;
  let end = written.length;
  while (start < end && JUNK.has(written.charAt(start))) start += 1;
  while (end > start && JUNK.has(written.charAt(end - 1))) end -= 1;
  return written.slice(start, end);
}

function splitEncoded(written: string): UrlParts | undefined {
  let text = trimmed(written);
  for (let round = 0; round < MAX_DECODINGS; round += 1) {
    const parts = splitUrl(/^[\w.-]+\.[a-z]+\//i.test(text) ? `https://${text}` : text);
    if (parts !== undefined) return parts;
    text = trimmed(decodeOnce(text));
  }
  return undefined;
}

function innerUrl(parts: UrlParts): string | undefined {
  const { scheme, host, path, query, fragment } = parts;
  if (scheme === 'msteams') {
    return `https://${host === '' || !isTeamsHost(host) ? 'teams.microsoft.com' : host}${path}?${query}`;
  }
  if (!isTeamsHost(host)) return isConsumerHost(host) ? undefined : carriedUrl(parts);
  // The launcher that a browser shows: ?url=/_#/l/meetup-join/…
  const launched = /^\/dl\/launcher\//i.test(path) ? queryParameter(query, 'url') : undefined;
  const routed = launched?.replace(/^\/?_?#?/, '') ?? routeOf(fragment);
  return routed?.startsWith('/') ? `https://${host}${routed}` : undefined;
}

/** The web app keeps its own path behind the hash: `/_#/l/…`, `/v2/?meetingjoin=true#/l/…`. */
function routeOf(fragment: string): string | undefined {
  return /^\/(?:l\/meetup-join|meet)\//i.test(fragment) ? fragment : undefined;
}

/**
 * The link that another site's URL carries: link checkers and redirects have it whole, in a
 * parameter or in their path, encoded or not.
 */
function carriedUrl({ host, path, query, fragment }: UrlParts): string | undefined {
  const tail = `${query === '' ? '' : `?${query}`}${fragment === '' ? '' : `#${fragment}`}`;
  const candidates = PROOFPOINT.test(host)
    ? [proofpointTarget(path, queryParameter(query, 'u'), tail)]
    : [...queryValues(query), /\/([^/]*https?(?::|%(?:25)*3a).*)$/is.exec(path)?.[1]?.concat(tail)];
  return candidates.find(leadsOn);
}

function leadsOn(candidate: string | undefined): boolean {
  return candidate !== undefined && /^https?:/i.test(trimmed(decodeFully(candidate)));
}

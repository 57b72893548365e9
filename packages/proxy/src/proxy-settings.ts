import { CodedError } from '@earshot/async';

/** Which requests go through a proxy. Plain data. URLs may hold a user and a password: not to be told. */
export interface ProxySettings {
  /** Proxy for `http:` and `ws:`, as a URL; undefined: none. */
  readonly http: string | undefined;
  /** Proxy for `https:` and `wss:`. */
  readonly https: string | undefined;
  /** What goes around them, as `NO_PROXY` names it, see `proxyRoutes`. */
  readonly noProxy: readonly string[];
}

export const NO_PROXIES: ProxySettings = { http: undefined, https: undefined, noProxy: [] };

/**
 * Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; the same in lower case comes first, as with curl. A
 * proxy without a scheme is taken to speak HTTP.
 *
 * @throws CodedError `invalid_config`, which names the variable and does not tell its value.
 */
export function readProxySettings(
  environment: Readonly<Record<string, string | undefined>>,
): ProxySettings {
  const read = (name: string): string | undefined =>
    environment[name.toLowerCase()] || environment[name] || undefined;
  return {
    http: proxyUrl('HTTP_PROXY', read('HTTP_PROXY')),
    https: proxyUrl('HTTPS_PROXY', read('HTTPS_PROXY')),
    noProxy: (read('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== ''),
  };
}

function proxyUrl(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !isDecodable(url)) {
    const rule = `Cannot use the proxy: ${name} must be an http or https URL, got something else`;
    throw new CodedError('invalid_config', rule, {
      fix: `Set ${name} to http://host:port, with user and password percent-encoded.`,
    });
  }
  return url.href;
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

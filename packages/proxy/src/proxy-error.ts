import { CodedError } from '@earshot/async';

/**
 * A proxy did not let a request through: `proxy_refused` when it won't, `proxy_unavailable` when it can't,
 * or can't be reached.
 */
export class ProxyError extends CodedError {
  /** What it answered; undefined for nothing. */
  readonly status: number | undefined;

  constructor(status: number | undefined, cause?: unknown) {
    const isRefused = status !== undefined && status < 500 && status !== 408 && status !== 429;
    const code = isRefused ? 'proxy_refused' : 'proxy_unavailable';
    const got = status === undefined ? 'no answer' : `HTTP ${status}`;
    const rule = `Cannot get through the proxy: it must open the way, got ${got}`;
    super(code, rule, { fix: fixOf(status), ...(cause === undefined ? {} : { cause }) });
    this.name = 'ProxyError';
    this.status = status;
  }
}

/** The proxy's part in what `fetch` rejected with; undefined for none. */
export function proxyErrorOf(error: unknown): ProxyError | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; depth += 1) {
    if (each instanceof ProxyError) return each;
    each = each.cause;
  }
  return undefined;
}

function fixOf(status: number | undefined): string {
  if (status === 407) return 'Check the user and the password in HTTPS_PROXY and HTTP_PROXY.';
  if (status === undefined) return 'Check HTTPS_PROXY and HTTP_PROXY, and that the proxy runs.';
  return 'Let the proxy allow this address, or name it in NO_PROXY.';
}

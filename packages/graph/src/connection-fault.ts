/** Why no answer came to a request. */
export interface ConnectionFault {
  readonly timedOut: boolean;
  /** The system's or TLS's own word, such as `ECONNREFUSED`; undefined when there is none. */
  readonly code: string | undefined;
  /** The request can't have reached the other side: there was no connection to send it on. */
  readonly neverSent: boolean;
}

const NEVER_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|proxy_refused|proxy_unavailable|UND_ERR_CONNECT_TIMEOUT|.*CERT.*|.*SELF_SIGNED.*|UNABLE_TO_.*|ERR_TLS_.*)$/;

/** What a rejection of `fetch` tells. */
export function connectionFault(error: unknown): ConnectionFault {
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
  return { timedOut, code, neverSent: code !== undefined && NEVER_SENT.test(code) };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

import { CodedError } from '@earshot/async';

/** Reads the address of a vendor; `https` counts as `wss`. */
export function webSocketUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const scheme = url?.protocol.replace(/^http/, 'ws');
  if (url === undefined || (scheme !== 'wss:' && scheme !== 'ws:')) {
    const rule = 'Cannot use this recognizer: its address must be a ws(s) or http(s) URL';
    throw new CodedError('invalid_url', rule);
  }
  url.protocol = scheme;
  return url;
}

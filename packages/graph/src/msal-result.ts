import type { AuthenticationResult } from '@azure/msal-node';
import type { AccessToken } from './token-cache.js';

/** Undefined for an answer without a token. */
export function accessTokenOf(result: AuthenticationResult | null): AccessToken | undefined {
  if (result === null || result.accessToken === '') return undefined;
  // msal turned the lifetimes of the answer into times of this same clock, a moment ago.
  const nowMs = Date.now();
  const { expiresOn, refreshOn } = result;
  return {
    token: result.accessToken,
    lifetimeMs: Math.max(0, (expiresOn?.getTime() ?? nowMs) - nowMs),
    refreshInMs: refreshOn === undefined ? undefined : Math.max(0, refreshOn.getTime() - nowMs),
  };
}

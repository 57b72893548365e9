import { randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { forgeMediaToken } from '../media-jwt.js';
import type { CallSource } from './call-source.js';
import type { TokenKey } from './worker-test.js';

export interface KeyedCallsOptions {
  readonly tokenKey: TokenKey;
  readonly clock: Clock;
  /**
   * Tells the worker's own directory of a call, and gives the epoch. Without it epochs count from
   * 1: enough for a worker that trusts the token.
   */
  place?(callId: string): Promise<number>;
}

const TOKEN_TTL_MS = 60_000;

/** As many calls as are wanted, with tokens signed by the key that the worker checks with. */
export function keyedCalls({ tokenKey, clock, place }: KeyedCallsOptions): CallSource {
  const epochs = new Map<string, number>();
  const { key, workerId } = tokenKey;
  const nextEpoch = async (callId: string): Promise<number> => {
    if (place !== undefined) return await place(callId);
    const epoch = (epochs.get(callId) ?? 0) + 1;
    epochs.set(callId, epoch);
    return epoch;
  };
  return {
    isFixed: false,
    async place(callId = `c_${randomBytes(12).toString('base64url')}`) {
      const epoch = await nextEpoch(callId);
      const issuedAtMs = clock.wallclockMs();
      const claims = { callId, workerId, epoch, issuedAtMs, ttlMs: TOKEN_TTL_MS };
      return { callId, epoch, token: forgeMediaToken(claims, key) };
    },
  };
}

import { randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { forgeMediaToken } from '../media-jwt.js';
import type { CallSource, PlacedCall } from './call-source.js';
import type { TokenKey } from './worker-test.js';

/** A worker that calls may move to. It checks tokens with the same key. */
export interface SecondWorker {
  /** `ws:` or `wss:` URL of its media link. */
  readonly url: string;
  readonly workerId: string;
}

export interface KeyedCallsOptions {
  readonly tokenKey: TokenKey;
  readonly clock: Clock;
  /** Without it, calls that move stay on the worker under test. */
  readonly second?: SecondWorker | undefined;
  /**
   * Tells the directory of the workers on which of them a call is, and gives the epoch. Without it
   * epochs count from 1: enough for a worker that trusts the token.
   */
  place?(callId: string, workerId: string): Promise<number>;
}

const TOKEN_TTL_MS = 60_000;

/** As many calls as are wanted, with tokens signed by the key that the worker checks with. */
export function keyedCalls(options: KeyedCallsOptions): CallSource {
  const { tokenKey, clock, second, place } = options;
  const epochs = new Map<string, number>();
  const nextEpoch = async (callId: string, workerId: string): Promise<number> => {
    if (place !== undefined) return await place(callId, workerId);
    const epoch = (epochs.get(callId) ?? 0) + 1;
    epochs.set(callId, epoch);
    return epoch;
  };
  const placedOn = async (workerId: string, callId: string): Promise<PlacedCall> => {
    const epoch = await nextEpoch(callId, workerId);
    const issuedAtMs = clock.wallclockMs();
    const claims = { callId, workerId, epoch, issuedAtMs, ttlMs: TOKEN_TTL_MS };
    return { callId, epoch, token: forgeMediaToken(claims, tokenKey.key) };
  };
  const source: CallSource = {
    isFixed: false,
    place: (callId = `c_${randomBytes(12).toString('base64url')}`) =>
      placedOn(tokenKey.workerId, callId),
  };
  if (second === undefined) return source;
  const { url, workerId } = second;
  return {
    ...source,
    placeElsewhere: async (callId) => ({ ...(await placedOn(workerId, callId)), url }),
  };
}

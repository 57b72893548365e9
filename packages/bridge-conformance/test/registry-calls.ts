import { randomBytes } from 'node:crypto';
import type { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { Registry } from '@earshot/registry';
import type { CallSource, TokenKey } from '../src/index.js';
import { forgeMediaToken } from '../src/media-jwt.js';

/** Calls placed as signaling places them. */
export async function registryCalls(
  redisUrl: string,
  { key, workerId }: TokenKey,
  closers: CloseStack,
): Promise<CallSource> {
  const registry = new Registry({ redisUrl, clock: systemClock });
  closers.defer(() => registry.close());
  await registry.ready();
  return {
    isFixed: false,
    async place(callId = `c_${randomBytes(12).toString('base64url')}`) {
      const placed = await registry.placeCall(callId);
      if (placed === undefined) throw new Error('the worker must take calls');
      const { epoch } = placed;
      const issuedAtMs = systemClock.wallclockMs();
      const claims = { callId, epoch, workerId, issuedAtMs, ttlMs: 60_000 };
      return { callId, epoch, token: forgeMediaToken(claims, key) };
    },
  };
}

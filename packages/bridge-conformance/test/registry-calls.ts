import type { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { Registry } from '@earshot/registry';
import type { CallSource, SecondWorker, TokenKey } from '../src/index.js';
import { keyedCalls } from '../src/index.js';

/** Calls placed as signaling places them. */
export async function registryCalls(
  redisUrl: string,
  { tokenKey, second }: { readonly tokenKey: TokenKey; readonly second?: SecondWorker },
  closers: CloseStack,
): Promise<CallSource> {
  const registry = new Registry({ redisUrl, clock: systemClock });
  closers.defer(() => registry.close());
  await registry.ready();
  const place = async (callId: string, workerId: string): Promise<number> => {
    const others = (await registry.workers()).filter((worker) => worker.workerId !== workerId);
    const excludeWorkers = others.map((worker) => worker.workerId);
    const placed = await registry.placeCall(callId, { excludeWorkers });
    if (placed === undefined) throw new Error('the worker must take calls');
    return placed.epoch;
  };
  return keyedCalls({ tokenKey, clock: systemClock, second, place });
}

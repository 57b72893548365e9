import type { Clock } from '@earshot/async';

const TICKS_PER_MS = 10_000;

/** A media clock that shows `originTicks` now and runs at the pace of `clock`. */
export function tickCounter(originTicks: bigint, clock: Clock): () => bigint {
  const originMs = clock.nowMs();
  return () => originTicks + BigInt(Math.round((clock.nowMs() - originMs) * TICKS_PER_MS));
}

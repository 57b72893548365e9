const TICKS_PER_MS = 10_000;
const TWO_POW_32 = 0x1_0000_0000;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const CANONICAL_DECIMAL = /^(?:0|[1-9]\d{0,19})$/;

/** A u64 as the two u32 that stand on the wire; keeps BigInt off the path of a frame. */
export interface TickParts {
  readonly high: number;
  readonly low: number;
}

/**
 * Media time in ms of a tick count (100 ns each, u64 in two u32) against the call's epoch.
 * Exact while the two are less than 28 years apart; negative before the epoch.
 */
export function relativeMs(high: number, low: number, epochHigh: number, epochLow: number): number {
  return ((high - epochHigh) * TWO_POW_32 + (low - epochLow)) / TICKS_PER_MS;
}

/**
 * Splits a tick count into its two u32.
 *
 * @throws RangeError when `ticks` is not a u64.
 */
export function splitTicks(ticks: bigint): TickParts {
  if (ticks < 0n || ticks > MAX_U64) {
    throw new RangeError(`Cannot split ticks: they must fit an unsigned 64-bit, got ${ticks}`);
  }
  return { high: Number(ticks >> 32n), low: Number(ticks & 0xffff_ffffn) };
}

/** Joins the two u32 of a tick count. */
export function joinTicks(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** True for a u64 in canonical decimal: how ticks stand in JSON, which has no 64-bit numbers. */
export function isTickText(text: string): boolean {
  return CANONICAL_DECIMAL.test(text) && BigInt(text) <= MAX_U64;
}

// Each thread's `performance.now()` has an origin of its own; the monotonic clock beneath is one.
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Microseconds on a monotonic clock that all threads of the process share. It wraps in 32 signed
 * bits, about every 71 minutes, so only differences mean something: `(later - earlier) | 0`.
 */
export function nowMicros(): number {
  return ((performance.now() + OFFSET_MS) * 1000) | 0;
}

import type { ResolveAll } from './address-rules.js';

/**
 * Half of the threads that Node has for such work: resolvers that answer slowly must not hold up
 * everything else of the process that needs one.
 */
const MAX_AT_ONCE = 2;
/** Of names that were answered slowly the last time: they must not hold up the others. */
const MAX_SLOW_AT_ONCE = 1;
const SLOW_MS = 1_000;
const MAX_SLOW_NAMES = 1_000;

/**
 * Who asks for a name that is being looked up gets that answer; other names wait for their turn.
 *
 * @param nowMs monotonic.
 */
export function shareLookups(
  resolve: ResolveAll,
  nowMs: () => number = () => performance.now(),
): ResolveAll {
  const slow = new Set<string>();
  const waiting = new Map<string, Parameters<ResolveAll>[1][]>();
  const turns: string[] = [];
  let running = 0;
  let slowRunning = 0;

  function takeTurn(): string | undefined {
    if (running >= MAX_AT_ONCE) return undefined;
    const isFree = (hostname: string) => slowRunning < MAX_SLOW_AT_ONCE || !slow.has(hostname);
    const index = turns.findIndex(isFree);
    return index < 0 ? undefined : turns.splice(index, 1)[0];
  }

  function judge(hostname: string, durationMs: number): void {
    slow.delete(hostname);
    if (durationMs >= SLOW_MS && slow.size < MAX_SLOW_NAMES) slow.add(hostname);
  }

  function next(): void {
    const hostname = takeTurn();
    if (hostname === undefined) return;
    const slowShare = slow.has(hostname) ? 1 : 0;
    const sinceMs = nowMs();
    running += 1;
    slowRunning += slowShare;
    resolve(hostname, (error, addresses) => {
      running -= 1;
      slowRunning -= slowShare;
      judge(hostname, nowMs() - sinceMs);
      const askers = waiting.get(hostname) ?? [];
      waiting.delete(hostname);
      for (const done of askers) done(error, addresses);
      next();
    });
  }

  return (hostname, done) => {
    const askers = waiting.get(hostname);
    if (askers !== undefined) {
      askers.push(done);
      return;
    }
    waiting.set(hostname, [done]);
    turns.push(hostname);
    next();
  };
}

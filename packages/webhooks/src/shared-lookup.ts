import type { ResolveAll } from './address-rules.js';

/**
 * Half of the threads that Node has for such work: resolvers that answer slowly must not hold up
 * everything else of the process that needs one.
 */
const MAX_AT_ONCE = 2;

/** Who asks for a name that is being looked up gets that answer; other names wait for their turn. */
export function shareLookups(resolve: ResolveAll): ResolveAll {
  const waiting = new Map<string, Parameters<ResolveAll>[1][]>();
  const turns: string[] = [];
  let running = 0;

  function next(): void {
    const hostname = running < MAX_AT_ONCE ? turns.shift() : undefined;
    if (hostname === undefined) return;
    running += 1;
    resolve(hostname, (error, addresses) => {
      running -= 1;
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

/** What a choice of media host needs to know of each. */
export interface HostLoad {
  readonly hostId: string;
  readonly capacity: number;
  readonly activeCalls: number;
  readonly level: 'normal' | 'heavilyLoaded' | 'overloaded';
  readonly draining: boolean;
}

/**
 * The connected host that can take another call and has the fewest; heavily loaded ones only
 * when no other can.
 *
 * @param assignedOf calls this process gave to a host: its own count lags behind.
 */
export function pickHost<Host extends HostLoad>(
  hosts: readonly Host[],
  assignedOf: (hostId: string) => number,
): Host | undefined {
  let best: Host | undefined;
  let bestCalls = 0;
  for (const host of hosts) {
    const calls = Math.max(host.activeCalls, assignedOf(host.hostId));
    if (host.draining || host.level === 'overloaded' || calls >= host.capacity) continue;
    if (best !== undefined && rank(host) > rank(best)) continue;
    if (best !== undefined && rank(host) === rank(best) && calls >= bestCalls) continue;
    best = host;
    bestCalls = calls;
  }
  return best;
}

function rank(host: HostLoad): number {
  return host.level === 'normal' ? 0 : 1;
}

/** Which calls this process has given to which media host. */
export class HostAssignments {
  readonly #hostOfCall = new Map<string, string>();

  assign(callId: string, hostId: string): void {
    this.#hostOfCall.set(callId, hostId);
  }

  release(callId: string): void {
    this.#hostOfCall.delete(callId);
  }

  countOf(hostId: string): number {
    let count = 0;
    for (const assigned of this.#hostOfCall.values()) if (assigned === hostId) count += 1;
    return count;
  }
}

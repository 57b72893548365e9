import type { Clock } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { Surroundings } from './duties.js';

/** A process that died keeps a host from counting as lost for so long; renewed by each sweep. */
const PRESENCE_TTL_MS = 30_000;
/** Just long enough to ask: the process that has the host takes the name back. */
const INQUIRY_TTL_MS = 1_000;

/** What presence stands on. */
export interface HostPresenceOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Names this process among those that share Redis. */
  readonly processId: string;
}

/**
 * Which media hosts are connected to this process, and since when the others are away. Processes
 * tell each other through the registry which hosts they have.
 */
export class HostPresence {
  readonly #options: HostPresenceOptions;
  readonly #startedAtMs: number;
  /** Since when, by host; Unix ms. */
  readonly #connectedSinceMs = new Map<string, number>();
  readonly #awaySinceMs = new Map<string, number>();

  constructor(options: HostPresenceOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.wallclockMs();
  }

  up(hostId: string): void {
    this.#connectedSinceMs.set(hostId, this.#options.clock.wallclockMs());
    this.#awaySinceMs.delete(hostId);
  }

  down(hostId: string): void {
    this.#connectedSinceMs.delete(hostId);
    this.#awaySinceMs.set(hostId, this.#options.clock.wallclockMs());
  }

  /** A host never seen counts as away since this process started. */
  around(hostId = ''): Surroundings {
    const connectedSinceMs = this.#connectedSinceMs.get(hostId);
    return {
      hostConnected: connectedSinceMs !== undefined,
      hostSinceMs: connectedSinceMs ?? this.#awaySinceMs.get(hostId) ?? this.#startedAtMs,
      isConnected: (another) => this.#connectedSinceMs.has(another),
    };
  }

  /** Tells the other processes which hosts are here. */
  async announce(): Promise<void> {
    const { registry, processId } = this.#options;
    for (const hostId of this.#connectedSinceMs.keys()) {
      await registry.tryOwn(keyOf(hostId), processId, PRESENCE_TTL_MS);
    }
  }

  /** Whether no process has told lately that the host is with it. */
  isAwayEverywhere(hostId: string): Promise<boolean> {
    const { registry, processId } = this.#options;
    return registry.tryOwn(keyOf(hostId), processId, INQUIRY_TTL_MS);
  }
}

function keyOf(hostId: string): string {
  return `host:${hostId}`;
}

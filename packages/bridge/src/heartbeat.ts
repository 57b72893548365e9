import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import { LIMITS } from '@earshot/bridge-protocol';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Called on every beat; sends a ping on the side that must. */
  readonly ping?: () => void;
  /** Called once, when the peer has been silent for too long. */
  readonly dead: () => void;
}

/**
 * Notices a peer that fell silent. It counts beats without a message instead of measuring time,
 * so that a stall of our own process condemns nobody.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #cancel: Cancel;
  #heard = true;
  #missed = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#cancel = every(options.clock, options.intervalMs, () => this.#beat());
  }

  /** The peer said something, whatever it was. */
  alive(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    this.#missed = this.#heard ? 0 : this.#missed + 1;
    this.#heard = false;
    if (this.#missed < LIMITS.maxMissedPings) {
      this.#options.ping?.();
      return;
    }
    this.stop();
    this.#options.dead();
  }
}

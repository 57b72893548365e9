import type { Clock } from '@earshot/async';

/**
 * Which calls have notifications that this process took from Graph and that were not yet folded
 * into the call, by this process or another. At most one entry a call.
 */
export class CallbackBacklog {
  readonly #clock: Clock;
  /** By call: when the oldest was accepted. */
  readonly #acceptedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls with notifications that wait. */
  get calls(): number {
    return this.#acceptedAtMs.size;
  }

  /** Age of the oldest notification, ms; 0 without one. */
  get oldestMs(): number {
    const nowMs = this.#clock.nowMs();
    let oldestMs = 0;
    for (const atMs of this.#acceptedAtMs.values()) oldestMs = Math.max(oldestMs, nowMs - atMs);
    return oldestMs;
  }

  accepted(callId: string): void {
    if (!this.#acceptedAtMs.has(callId)) this.#acceptedAtMs.set(callId, this.#clock.nowMs());
  }

  /** A look at the call's notifications begins; `done` takes off what was there before it. */
  taking(callId: string): { done(): void } {
    const atMs = this.#acceptedAtMs.get(callId);
    return {
      done: () => {
        if (atMs !== undefined) this.#acceptedAtMs.delete(callId);
      },
    };
  }
}

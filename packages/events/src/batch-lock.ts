import type { Cancel, Clock } from '@earshot/async';

export interface BatchLockOptions {
  readonly clock: Clock;
  /** What is left of the lock that came with the batch, ms. */
  readonly leftMs: number;
  /** How long each renewal lasts, ms. */
  readonly durationMs: number;
  readonly renewEveryMs: number;
  /** False when the lock is somebody else's by now; rejects when that can't be told. */
  readonly renew: () => Promise<boolean>;
}

/**
 * The right to handle a batch. It is held by this process's own clock from when a renewal was
 * sent: so it ends here before it ends in Redis, though Redis may be away or the process was
 * stopped or blocked meanwhile. Once lost it stays lost.
 */
export class BatchLock {
  readonly #options: BatchLockOptions;
  readonly #lost = new AbortController();
  #heldUntilMs: number;
  #isRenewing = false;
  #cancel: Cancel = () => {};

  constructor(options: BatchLockOptions) {
    this.#options = options;
    this.#heldUntilMs = options.clock.nowMs() + options.leftMs;
    this.#arm();
  }

  /** Aborted when the lock is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Asks the clock, not a timer: true is true even when this process was stopped before. */
  isHeld(): boolean {
    if (this.#options.clock.nowMs() >= this.#heldUntilMs) this.lose();
    return !this.#lost.signal.aborted;
  }

  lose(): void {
    this.#cancel();
    this.#lost.abort();
  }

  /** Renews no more. */
  release(): void {
    this.#cancel();
    this.#cancel = () => {};
  }

  #arm(): void {
    const { clock, renewEveryMs } = this.#options;
    const nextMs = Math.min(clock.nowMs() + renewEveryMs, this.#heldUntilMs);
    this.#cancel = clock.at(nextMs, () => {
      if (!this.isHeld()) return;
      if (!this.#isRenewing) void this.#renew();
      this.#arm();
    });
  }

  async #renew(): Promise<void> {
    const { clock, durationMs, renew } = this.#options;
    const sentMs = clock.nowMs();
    this.#isRenewing = true;
    try {
      if (!(await renew())) this.lose();
      else if (this.isHeld()) this.#heldUntilMs = sentMs + durationMs;
    } catch {
      // Tried again until the lock runs out.
    } finally {
      this.#isRenewing = false;
    }
  }
}

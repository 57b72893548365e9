import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 50;

/**
 * From now on: by how much timers of this process are late, altogether, ms. What a busy machine adds to
 * a time is not what is tested.
 */
export class Lateness {
  #lateMs = 0;
  #isOver = false;

  constructor() {
    void this.#watch();
  }

  /** Tells, and ends. */
  end(): number {
    this.#isOver = true;
    return this.#lateMs;
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const fromMs = performance.now();
      await sleep(TICK_MS);
      this.#lateMs += performance.now() - fromMs - TICK_MS;
    }
  }
}

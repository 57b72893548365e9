import type { Cancel, Clock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { vi } from 'vitest';

/** Farther off than anything that a worker waits for by itself. */
export const FAR_OFF_MS = 600_000;

const WAIT = { timeout: 50_000, interval: 10 };

/** The machine's clock, but what is far off comes when the test says so, and never by itself. */
export class LeapClock implements Clock {
  readonly #farOff = new Set<{ run(): void }>();

  nowMs(): number {
    return systemClock.nowMs();
  }

  wallclockMs(): number {
    return systemClock.wallclockMs();
  }

  at(deadlineMs: number, run: () => void): Cancel {
    if (deadlineMs - this.nowMs() < FAR_OFF_MS / 2) return systemClock.at(deadlineMs, run);
    const entry = { run };
    this.#farOff.add(entry);
    return () => {
      this.#farOff.delete(entry);
    };
  }

  /** What was far off is due now. */
  leap(): void {
    for (const entry of [...this.#farOff]) {
      if (this.#farOff.delete(entry)) entry.run();
    }
  }

  /** Leaps until `condition` holds: what waits for the leap may begin to do so at any moment. */
  async leapUntil(condition: () => boolean): Promise<void> {
    await vi.waitUntil(() => {
      this.leap();
      return condition();
    }, WAIT);
  }
}

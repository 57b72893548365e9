import type { Clock } from '@earshot/async';
import type { CallRecord, Registry } from '@earshot/registry';

/** A wake-up may be lost: records are read this often, too. */
const LOOK_INTERVAL_MS = 1_000;

/** What waiting stands on. */
export interface StartedCallsOptions {
  readonly registry: Pick<Registry, 'readCall'>;
  readonly clock: Clock;
}

/** Waits for calls that another process starts. */
export class StartedCalls {
  readonly #options: StartedCallsOptions;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: StartedCallsOptions) {
    this.#options = options;
  }

  /** Some process said that a call has changed. */
  heard(callId: string): void {
    for (const look of this.#waiting.get(callId) ?? []) look();
  }

  /** The record once it is so; undefined when it isn't within the time. */
  async until(
    callId: string,
    isSo: (record: CallRecord) => boolean,
    timeoutMs: number,
  ): Promise<CallRecord | undefined> {
    const { registry, clock } = this.#options;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      // Listened for before it is read, so that nothing is missed between.
      const next = this.#next(callId, Math.min(deadlineMs, clock.nowMs() + LOOK_INTERVAL_MS));
      const record = await registry.readCall(callId);
      if (record !== undefined && isSo(record)) {
        next.cancel();
        return record;
      }
      if (clock.nowMs() >= deadlineMs) {
        next.cancel();
        return undefined;
      }
      await next.heard;
    }
  }

  #next(callId: string, deadlineMs: number): { heard: Promise<void>; cancel(): void } {
    const looks = this.#waiting.get(callId) ?? new Set();
    this.#waiting.set(callId, looks);
    let cancel = (): void => {};
    const heard = new Promise<void>((resolve) => {
      const cancelTimer = this.#options.clock.at(deadlineMs, look);
      cancel = () => {
        cancelTimer();
        looks.delete(look);
        if (looks.size === 0 && this.#waiting.get(callId) === looks) this.#waiting.delete(callId);
      };
      looks.add(look);
      function look(): void {
        cancel();
        resolve();
      }
    });
    return { heard, cancel: () => cancel() };
  }
}

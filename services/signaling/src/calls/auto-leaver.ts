import type { Clock } from '@earshot/async';
import type { CallRecord, Registry } from '@earshot/registry';
import { autoLeftEnd, noteSpeech } from './auto-leave.js';
import { endCall } from './call-changes.js';

/** What the rules stand on. */
export interface AutoLeaverOptions {
  readonly registry: Registry;
  readonly clock: Clock;
}

/** Leaves calls by their rules; what is due is decided once more on the newest record. */
export class AutoLeaver {
  readonly #options: AutoLeaverOptions;

  constructor(options: AutoLeaverOptions) {
    this.#options = options;
  }

  /** Ends the call when a rule still says so. Safe to repeat. */
  async leave({ callId }: CallRecord): Promise<void> {
    const { registry, clock } = this.#options;
    const spokeAtMs = await registry.spokeAtMs(callId);
    const atMs = clock.wallclockMs();
    await registry.updateCall(callId, (current) => {
      const heard = noteSpeech(current, spokeAtMs);
      const end = autoLeftEnd(heard, atMs);
      return end === undefined ? heard : endCall(heard, end);
    });
  }
}

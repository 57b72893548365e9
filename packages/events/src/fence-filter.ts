import type { EarshotEvent } from './event.js';
import type { Fence } from './publish-script.js';

/** Fences remembered; beyond it the oldest are forgotten, and Redis has to be asked again. */
const MAX_FENCES = 1_000;

/** Leaves out events of calls that have a newer owner, as far as a publisher has heard of it. */
export class FenceFilter {
  readonly #fences = new Map<string, number>();

  learn({ callId, epoch }: Fence): void {
    this.#fences.delete(callId);
    this.#fences.set(callId, epoch);
    if (this.#fences.size <= MAX_FENCES) return;
    for (const oldest of this.#fences.keys()) {
      this.#fences.delete(oldest);
      return;
    }
  }

  /** Those that may pass, and the attachments of those that may not. */
  apply(events: readonly EarshotEvent[]): {
    readonly passed: readonly EarshotEvent[];
    readonly fenced: readonly Fence[];
  } {
    const newest = new Map<string, number>();
    const fenced: Fence[] = [];
    const passed = events.filter(({ source, callId, epoch }) => {
      if (source !== 'media') return true;
      // Within a batch too, nothing follows what is of a newer epoch.
      const fence = newest.get(callId) ?? this.#fences.get(callId) ?? epoch;
      if (epoch < fence) fenced.push({ callId, epoch });
      else newest.set(callId, epoch);
      return epoch >= fence;
    });
    return { passed, fenced };
  }
}

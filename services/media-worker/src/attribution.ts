import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type { SourceOwner, SourceOwners } from '@earshot/call';
import { ownerAt } from '@earshot/call';

export interface AttributionOptions {
  /** Asks the roster whose a source is and was. */
  lookUp(sourceId: string): Promise<SourceOwners>;
  readonly clock: Clock;
  /** How long a new source may stay unknown before its events go out without a name. */
  readonly waitMs: number;
}

const RETRY_MS = 50;
/** A source may be given to somebody else: what is known of it is asked for again after so long. */
export const KNOWN_FOR_MS = 10_000;

interface Known {
  readonly owners: SourceOwners;
  readonly sinceMs: number;
}

/**
 * Who speaks, for the sources of one call. The roster may name a source later than its first
 * sound: a new source is waited for once, all sources at the same time; what stays unknown is
 * asked for again with each event.
 */
export class Attribution {
  readonly #options: AttributionOptions;
  readonly #known = new Map<string, Known>();
  readonly #firstLooks = new Map<string, Promise<void>>();
  #patient = true;

  constructor(options: AttributionOptions) {
    this.#options = options;
  }

  /** Begins to ask for a source that is about to sound; it may have been another's before. */
  expect(sourceId: string): void {
    if (this.#firstLooks.has(sourceId)) return;
    const look = this.#lookUntilKnown(sourceId);
    this.#firstLooks.set(sourceId, look);
    void look.finally(() => this.#firstLooks.delete(sourceId));
  }

  /** Waits for nobody from now on: the call must end soon. */
  hurry(): void {
    this.#patient = false;
  }

  /** Whose a source is now, as far as is known; for display. */
  known(sourceId: string): SourceOwner | undefined {
    return this.#ownerAt(sourceId, this.#options.clock.wallclockMs());
  }

  /**
   * Whose a source was at `atMs` (Unix). Waits for a first look that is under way; undefined when
   * the roster does not know.
   */
  async resolve(sourceId: string, atMs: number): Promise<SourceOwner | undefined> {
    const first = this.#firstLooks.get(sourceId);
    if (first !== undefined) await first;
    else if (!this.#isFresh(sourceId) || this.#ownerAt(sourceId, atMs) === undefined) {
      await this.#look(sourceId);
    }
    return this.#ownerAt(sourceId, atMs);
  }

  #ownerAt(sourceId: string, atMs: number): SourceOwner | undefined {
    return ownerAt(this.#known.get(sourceId)?.owners ?? [], atMs);
  }

  #isFresh(sourceId: string): boolean {
    const known = this.#known.get(sourceId);
    return known !== undefined && this.#options.clock.nowMs() - known.sinceMs < KNOWN_FOR_MS;
  }

  async #lookUntilKnown(sourceId: string): Promise<void> {
    const { clock, waitMs } = this.#options;
    const deadlineMs = clock.nowMs() + waitMs;
    for (;;) {
      await this.#look(sourceId);
      const isKnown = this.#ownerAt(sourceId, clock.wallclockMs()) !== undefined;
      if (isKnown || !this.#patient || clock.nowMs() >= deadlineMs) return;
      await delay(clock, RETRY_MS);
    }
  }

  async #look(sourceId: string): Promise<void> {
    const { lookUp, clock } = this.#options;
    try {
      const owners = await lookUp(sourceId);
      if (owners.length > 0) this.#known.set(sourceId, { owners, sinceMs: clock.nowMs() });
    } catch {
      // The registry is away: an event without a name is worth more than none.
    }
  }
}

/** How a participant is shown in events and levels. */
export function toParticipant(
  ref: SourceOwner | undefined,
): { id: string; displayName?: string } | null {
  if (ref === undefined) return null;
  const { participantId: id, displayName } = ref;
  return displayName === undefined ? { id } : { id, displayName };
}

import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';

/** Who a source is. */
export interface ParticipantRef {
  readonly participantId: string;
  readonly displayName?: string | undefined;
}

export interface AttributionOptions {
  /** Asks the roster. */
  lookUp(sourceId: string): Promise<ParticipantRef | undefined>;
  readonly clock: Clock;
  /** How long a new source may stay unknown before its events go out without a name. */
  readonly waitMs: number;
}

const RETRY_MS = 50;

/**
 * Who speaks, for the sources of one call. The roster may name a source later than its first
 * sound: a new source is waited for once, all sources at the same time; what stays unknown is
 * asked for again with each event.
 */
export class Attribution {
  readonly #options: AttributionOptions;
  readonly #known = new Map<string, ParticipantRef>();
  readonly #firstLooks = new Map<string, Promise<ParticipantRef | undefined>>();
  #patient = true;

  constructor(options: AttributionOptions) {
    this.#options = options;
  }

  /** Begins to ask for a source that is about to sound. */
  expect(sourceId: string): void {
    if (this.#known.has(sourceId) || this.#firstLooks.has(sourceId)) return;
    const look = this.#lookUntilKnown(sourceId);
    this.#firstLooks.set(sourceId, look);
    void look.finally(() => this.#firstLooks.delete(sourceId));
  }

  /** Waits for nobody from now on: the call must end soon. */
  hurry(): void {
    this.#patient = false;
  }

  /** What is known by now; for display. */
  known(sourceId: string): ParticipantRef | undefined {
    return this.#known.get(sourceId);
  }

  /** Waits for a first look that is under way; undefined when the roster does not know. */
  async resolve(sourceId: string): Promise<ParticipantRef | undefined> {
    return (
      this.#known.get(sourceId) ?? (await (this.#firstLooks.get(sourceId) ?? this.#look(sourceId)))
    );
  }

  async #lookUntilKnown(sourceId: string): Promise<ParticipantRef | undefined> {
    const { clock, waitMs } = this.#options;
    const deadlineMs = clock.nowMs() + waitMs;
    for (;;) {
      const found = await this.#look(sourceId);
      if (found !== undefined || !this.#patient || clock.nowMs() >= deadlineMs) return found;
      await delay(clock, RETRY_MS);
    }
  }

  async #look(sourceId: string): Promise<ParticipantRef | undefined> {
    try {
      const found = await this.#options.lookUp(sourceId);
      if (found !== undefined) this.#known.set(sourceId, found);
      return found;
    } catch {
      // The registry is away: an event without a name is worth more than none.
      return undefined;
    }
  }
}

/** How a participant is shown in events and levels. */
export function toParticipant(
  ref: ParticipantRef | undefined,
): { id: string; displayName?: string } | null {
  if (ref === undefined) return null;
  const { participantId: id, displayName } = ref;
  return displayName === undefined ? { id } : { id, displayName };
}

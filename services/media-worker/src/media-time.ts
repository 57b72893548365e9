import type { Clock } from '@earshot/async';

/** One stream, as far as it is heard. */
export interface HeardStream {
  /** End of the last frame that was heard; undefined before the first. */
  readonly heardMs: number | undefined;
  /** What was found in the frames up to there has come. */
  readonly hasAllFindings: boolean;
  /** Further frames wait. */
  readonly isBusy: boolean;
  readonly identity: { readonly sourceId: string | null };
}

/**
 * What is found, and what a host reports, is told later than it sounds: a key when it is released, and
 * what other streams carry a little before or after. So much later is what is said of a time final.
 */
const SETTLE_MS = 250;

/** Frames that a host on a busy machine sends late come within this. */
const STALL_MS = 10_000;

/**
 * What time it is on a call's media clock, for what happens because nothing does: the time of the
 * newest frame heard, and while none come, by the worker's clock from there. That stands still while
 * there is no link, for what was said meanwhile comes later, and for hosts of virtual time always.
 */
export class MediaTime {
  readonly #clock: Clock;
  readonly #isVirtual: boolean;
  #newestMs: number | undefined;
  #firstMs: number | undefined;
  #newestAtMs = 0;
  #nowMs: number | undefined;

  constructor(clock: Clock, isVirtual: boolean) {
    this.#clock = clock;
    this.#isVirtual = isVirtual;
  }

  /** Looks at the streams. */
  look(streams: Iterable<HeardStream>, isLinked: boolean): void {
    const atMs = this.#clock.nowMs();
    let newestMs = this.#newestMs ?? Number.NEGATIVE_INFINITY;
    for (const { heardMs } of streams) newestMs = Math.max(newestMs, heardMs ?? newestMs);
    if (newestMs === Number.NEGATIVE_INFINITY) return;
    if (newestMs !== this.#newestMs || !isLinked) this.#newestAtMs = atMs;
    this.#newestMs = newestMs;
    this.#firstMs ??= newestMs;
    this.#nowMs = newestMs + (this.#isVirtual ? 0 : atMs - this.#newestAtMs);
  }

  /** What was heard at the first look; undefined before. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** End of the newest frame heard at the last look; undefined before the first. */
  get heardMs(): number | undefined {
    return this.#newestMs;
  }

  /**
   * Up to when all is known even if the host stalls now: further than what was heard only after long,
   * for what has to be the same whenever frames come.
   */
  get surelySettledMs(): number | undefined {
    if (this.#nowMs === undefined || this.#newestMs === undefined) return undefined;
    return Math.max(this.#newestMs, this.#nowMs - STALL_MS) - SETTLE_MS;
  }

  /** Up to when all is known; undefined before the first frame. */
  get settledMs(): number | undefined {
    return this.#nowMs === undefined ? undefined : this.#nowMs - SETTLE_MS;
  }

  /** The same for one source: not later than what its stream has yet to say. */
  settledMsOf(stream: HeardStream | undefined): number | undefined {
    if (stream === undefined) return this.settledMs;
    const { heardMs } = stream;
    // Asked after the time: the findings are then at least those of it.
    if (!stream.hasAllFindings) return undefined;
    if (!stream.isBusy) return this.settledMs;
    return heardMs === undefined ? undefined : heardMs - SETTLE_MS;
  }
}

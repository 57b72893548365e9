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
 * A stream that is behind others, and of which no frame comes for so long, is quiet. Before that it is
 * late: a host that sends again has no credit for it until it hears of the last ones.
 */
const QUIET_AFTER_MS = 1000;

/** Between two looks no more time counts: it was this process that was held up, and not the stream. */
const LONGEST_LOOK_MS = 250;

/** How long no frame of a stream has come. */
interface Wait {
  heardMs: number | undefined;
  idleMs: number;
}

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
  #lookedAtMs: number | undefined;
  readonly #waits = new WeakMap<HeardStream, Wait>();

  constructor(clock: Clock, isVirtual: boolean) {
    this.#clock = clock;
    this.#isVirtual = isVirtual;
  }

  /** Looks at the streams; call it several times a second. */
  look(streams: Iterable<HeardStream>, isLinked: boolean): void {
    const atMs = this.#clock.nowMs();
    const passedMs = Math.min(LONGEST_LOOK_MS, atMs - (this.#lookedAtMs ?? atMs));
    this.#lookedAtMs = atMs;
    let newestMs = this.#newestMs ?? Number.NEGATIVE_INFINITY;
    for (const stream of streams) {
      const heardMs = this.#wait(stream, isLinked ? passedMs : undefined);
      newestMs = Math.max(newestMs, heardMs ?? newestMs);
    }
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
    if (!stream.isBusy && !this.#isLate(stream)) return this.settledMs;
    return heardMs === undefined ? undefined : heardMs - SETTLE_MS;
  }

  /**
   * Counts how long nothing came of a stream; returns how far it is heard.
   *
   * @param passedMs undefined while nothing can come
   */
  #wait(stream: HeardStream, passedMs: number | undefined): number | undefined {
    const { heardMs } = stream;
    const wait = this.#waits.get(stream);
    if (wait === undefined) {
      this.#waits.set(stream, { heardMs, idleMs: 0 });
      return heardMs;
    }
    const isIdle = wait.heardMs === heardMs && passedMs !== undefined;
    wait.idleMs = isIdle ? wait.idleMs + passedMs : 0;
    wait.heardMs = heardMs;
    return heardMs;
  }

  /** Whether frames of it are to come that are older than what others were heard to say. */
  #isLate(stream: HeardStream): boolean {
    // A host of virtual time sends whatever there is at once.
    if (this.#isVirtual) return false;
    const { heardMs = Number.NEGATIVE_INFINITY } = stream;
    const { idleMs } = this.#waits.get(stream) ?? { idleMs: 0 };
    return heardMs < (this.#newestMs ?? heardMs) && idleMs < QUIET_AFTER_MS;
  }
}

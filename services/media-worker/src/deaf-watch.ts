import type { Clock } from '@earshot/async';

/** How often a call that is quiet is looked up in the roster. */
const ASK_INTERVAL_MS = 5000;

/** Why nothing is heard of a call in which somebody could speak. */
export type DeafReason =
  /** No media link. */
  | 'noLink'
  /** A link, but no frame. */
  | 'noFrames'
  /** Frames, and every sample of them zero. */
  | 'digitalSilence';

export interface DeafWatchOptions {
  /** Quiet for so long is suspicious; 0 never. */
  readonly deafAfterMs: number;
  readonly clock: Clock;
  /** How many people in the call are not muted; undefined when nobody told. */
  unmuted(): Promise<number | undefined>;
  /** Told once an episode. */
  onDeaf(reason: DeafReason, quietMs: number, unmutedParticipants: number): void;
  /** Sound is back. */
  onRecovered(deafMs: number): void;
}

/** What came of a call since the last check. */
export interface SoundSigns {
  /** Frames taken. */
  readonly frames: number;
  /** Of them, those with a sample that is not zero. */
  readonly sounding: number;
  readonly linked: boolean;
}

/**
 * Tells a deaf call from one in which nobody speaks. A room has noise: as long as any sample is not
 * zero, the ear works. When there is none for long, the roster decides: if all are muted, silence
 * is what there is to hear, and the wait starts anew; if somebody is not, the call is deaf.
 */
export class DeafWatch {
  readonly #options: DeafWatchOptions;
  #quietSinceMs: number;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** The roster has not answered yet: it may be slower than we ask. */
  #isAsking = false;
  #deafSinceMs: number | undefined;
  #frames = 0;

  constructor(options: DeafWatchOptions) {
    this.#options = options;
    this.#quietSinceMs = options.clock.nowMs();
  }

  get isDeaf(): boolean {
    return this.#deafSinceMs !== undefined;
  }

  /** Looks at what came; call it about once a second. */
  check(signs: SoundSigns): void {
    const { deafAfterMs, clock } = this.#options;
    if (deafAfterMs === 0) return;
    const nowMs = clock.nowMs();
    if (signs.sounding > 0) {
      this.#heard(nowMs);
      return;
    }
    this.#frames += signs.frames;
    if (this.isDeaf || nowMs - this.#quietSinceMs < deafAfterMs) return;
    if (this.#isAsking || nowMs - this.#askedAtMs < ASK_INTERVAL_MS) return;
    this.#askedAtMs = nowMs;
    void this.#ask(signs.linked, this.#quietSinceMs);
  }

  #heard(nowMs: number): void {
    const deafSinceMs = this.#deafSinceMs;
    this.#quiet(nowMs);
    if (deafSinceMs === undefined) return;
    this.#deafSinceMs = undefined;
    this.#options.onRecovered(nowMs - deafSinceMs);
  }

  /** From now on it is quiet, as far as is known. */
  #quiet(nowMs: number): void {
    this.#quietSinceMs = nowMs;
    this.#frames = 0;
  }

  async #ask(linked: boolean, quietSinceMs: number): Promise<void> {
    const { clock, unmuted, onDeaf } = this.#options;
    this.#isAsking = true;
    // A registry that is away knows nothing: it is asked again.
    const speakers = await unmuted().catch(() => undefined);
    this.#isAsking = false;
    // Something was heard meanwhile.
    if (speakers === undefined || this.#quietSinceMs !== quietSinceMs) return;
    const nowMs = clock.nowMs();
    if (speakers === 0) {
      this.#quiet(nowMs);
      return;
    }
    this.#deafSinceMs = quietSinceMs;
    onDeaf(this.#reason(linked), nowMs - quietSinceMs, speakers);
  }

  #reason(linked: boolean): DeafReason {
    if (!linked) return 'noLink';
    return this.#frames === 0 ? 'noFrames' : 'digitalSilence';
  }
}

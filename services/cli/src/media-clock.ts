/**
 * Where a call's media are now, told from its events: they come a little late each, so the most
 * punctual one so far is believed, and time goes on from there.
 */
export class MediaClock {
  readonly #speed: number;
  /** Media time minus speed times local time. */
  #offsetMs: number | undefined;
  #stoppedAtMs: number | undefined;

  /** @param speed media seconds in a second. */
  constructor(speed: number) {
    this.#speed = speed;
  }

  /** An event of `mediaTimeMs` came at the local time `nowMs`. */
  see(mediaTimeMs: number, nowMs: number): void {
    const offsetMs = mediaTimeMs - this.#speed * nowMs;
    this.#offsetMs = Math.max(this.#offsetMs ?? offsetMs, offsetMs);
  }

  /** The media ended at `mediaTimeMs`. */
  stop(mediaTimeMs: number): void {
    this.#stoppedAtMs = mediaTimeMs;
  }

  /** Media time at the local time `nowMs`; 0 while none is known. */
  at(nowMs: number): number {
    if (this.#stoppedAtMs !== undefined) return this.#stoppedAtMs;
    return this.#offsetMs === undefined ? 0 : this.#offsetMs + this.#speed * nowMs;
  }
}

import type { Clock } from '@earshot/async';

/** Often enough for rules of minutes, and cheap for a meeting in which somebody always speaks. */
export const SPEECH_NOTE_INTERVAL_MS = 15_000;

export interface SpeechNotesOptions {
  readonly clock: Clock;
  /** Tells everybody that somebody was heard at `atMs` (Unix). */
  note(atMs: number): Promise<void>;
}

/** Tells that somebody speaks in a call, now and then while somebody does. */
export class SpeechNotes {
  readonly #options: SpeechNotesOptions;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: SpeechNotesOptions) {
    this.#options = options;
  }

  /** Somebody is heard now. */
  spoke(): void {
    const { clock, note } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs < this.#notBeforeMs) return;
    this.#notBeforeMs = nowMs + SPEECH_NOTE_INTERVAL_MS;
    // A registry that is away is told at the next word.
    note(clock.wallclockMs()).catch(() => {
      this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    });
  }
}

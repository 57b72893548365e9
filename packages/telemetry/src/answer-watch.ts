import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';

const ASK_INTERVAL_MS = 1000;

/** Asks something once a second, and tells how long it has not answered. */
export class AnswerWatch {
  readonly #clock: Clock;
  readonly #ask: () => Promise<unknown>;
  #askedAtMs: number | undefined;
  #failingSinceMs: number | undefined;

  /** @param ask rejects, or does not settle, when there is no answer. */
  constructor(clock: Clock, ask: () => Promise<unknown>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Asks from now on, until cancelled. */
  start(): Cancel {
    return every(this.#clock, ASK_INTERVAL_MS, () => this.#tick());
  }

  /** Since the first question in a row without an answer, s; 0 while there are answers. */
  get awaySeconds(): number {
    const sinceMs = this.#failingSinceMs ?? this.#askedAtMs;
    return sinceMs === undefined ? 0 : (this.#clock.nowMs() - sinceMs) / 1000;
  }

  /** One question at a time. */
  #tick(): void {
    if (this.#askedAtMs !== undefined) return;
    const askedAtMs = this.#clock.nowMs();
    this.#askedAtMs = askedAtMs;
    this.#ask().then(
      () => {
        this.#failingSinceMs = undefined;
        this.#askedAtMs = undefined;
      },
      () => {
        this.#failingSinceMs ??= askedAtMs;
        this.#askedAtMs = undefined;
      },
    );
  }
}

import type { Step } from '../scenario/scenario.js';

/** Does a scenario's steps as the meeting's clock comes to them. */
export class StepPlayer {
  readonly #waiting: Step[];
  readonly #perform: (step: Step) => void;

  constructor(steps: readonly Step[], perform: (step: Step) => void) {
    this.#waiting = [...steps].sort((a, b) => a.atMs - b.atMs);
    this.#perform = perform;
  }

  /** Does all that is due. */
  playUntil(timeMs: number): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.atMs > timeMs) return;
      this.#waiting.shift();
      this.#perform(next);
    }
  }
}

import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';

/** How often a host is told how far its streams are. */
const INTERVAL_MS = 200;

/** What tells of a call may take a millisecond: those of a whole worker at once would hold up its frames. */
const TURNS = 10;

/** A call, as far as it takes turns. */
export interface TakesTurns {
  sendProgress(): void;
}

/** Has each call tell its host of progress several times a second, spread evenly over the time. */
export class ProgressTurns {
  readonly #turns: readonly Set<TakesTurns>[] = Array.from({ length: TURNS }, () => new Set());
  #next = 0;

  /** Begins; ends with the result. */
  start(clock: Clock): Cancel {
    return every(clock, INTERVAL_MS / TURNS, () => {
      const turn = this.#turns[this.#next]!;
      this.#next = (this.#next + 1) % TURNS;
      for (const call of turn) call.sendProgress();
    });
  }

  /** Gives a call its turn: one that the fewest have. */
  add(call: TakesTurns): void {
    const fewest = Math.min(...this.#turns.map(({ size }) => size));
    this.#turns.find(({ size }) => size === fewest)?.add(call);
  }

  remove(call: TakesTurns): void {
    for (const turn of this.#turns) turn.delete(call);
  }
}

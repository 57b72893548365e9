import type { Cancel, Clock } from './clock.js';

interface Entry {
  readonly deadlineMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that moves only when told to; calls run in deadline order, ties in the order made. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #wallclockOriginMs: number;
  readonly #entries = new Set<Entry>();

  /** @param wallclockOriginMs Unix time in ms that the clock shows at its start. */
  constructor(wallclockOriginMs = 1_700_000_000_000) {
    this.#wallclockOriginMs = wallclockOriginMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallclockMs(): number {
    return this.#wallclockOriginMs + this.#nowMs;
  }

  at(deadlineMs: number, run: () => void): Cancel {
    const entry: Entry = { deadlineMs, order: this.#order++, run };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  /** How many calls are still scheduled. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Moves time forward by `durationMs`, running what falls due on the way. */
  advance(durationMs: number): void {
    const targetMs = this.#nowMs + durationMs;
    for (let due = this.#nextDue(targetMs); due !== undefined; due = this.#nextDue(targetMs)) {
      this.#entries.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.deadlineMs);
      due.run();
    }
    this.#nowMs = targetMs;
  }

  #nextDue(targetMs: number): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.deadlineMs > targetMs) continue;
      if (best === undefined || isBefore(entry, best)) best = entry;
    }
    return best;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.deadlineMs === b.deadlineMs ? a.order < b.order : a.deadlineMs < b.deadlineMs;
}

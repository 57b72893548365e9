import { sequenceDistance } from '@earshot/bridge-protocol';

/** Ranges that are told apart; beyond, the two oldest become one. */
const MAX_RANGES = 64;

/** Why slots are gone: out of the window after they were sent once, or never sent for want of room. */
export type GoneReason = 'window' | 'overflow';

/** Slots to be told by `discarded`. */
export interface GoneRange {
  readonly firstSequence: number;
  readonly frames: number;
  readonly reason: GoneReason;
}

interface Range {
  readonly first: number;
  end: number;
  readonly reason: GoneReason;
}

/**
 * Slots that a ring gave up before they were durable, and so may have to be told again on each link.
 * Bounded: ranges of the same reason join, over source losses too, and of more than 64 the two oldest.
 */
export class GoneSlots {
  readonly #ranges: Range[] = [];

  /** The slot of `sequence` is gone; they come in order. */
  add(sequence: number, reason: GoneReason): void {
    const end = (sequence + 1) >>> 0;
    const last = this.#ranges.at(-1);
    if (last?.reason === reason) {
      last.end = end;
      return;
    }
    this.#ranges.push({ first: sequence, end, reason });
    if (this.#ranges.length <= MAX_RANGES) return;
    const [oldest, next] = this.#ranges as [Range, Range];
    this.#ranges.splice(0, 2, { ...oldest, end: next.end });
  }

  /** Nobody asks for slots before `durable` any more. */
  forget(durable: number): void {
    while (this.#ranges.length > 0 && sequenceDistance(this.#ranges[0]!.end, durable) >= 0) {
      this.#ranges.shift();
    }
  }

  /** The first range at or past `start`; undefined when nothing is gone from there on. */
  nextFrom(start: number): GoneRange | undefined {
    for (const { first, end, reason } of this.#ranges) {
      const firstSequence = sequenceDistance(start, first) > 0 ? first : start;
      const frames = sequenceDistance(firstSequence, end);
      if (frames > 0) return { firstSequence, frames, reason };
    }
    return undefined;
  }
}

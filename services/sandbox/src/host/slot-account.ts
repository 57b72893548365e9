import { sequenceDistance } from '@earshot/bridge-protocol';

/** Losses that a rewind can take back exactly; older ones are counted for good. */
const MAX_RANGES = 1024;

interface SlotRange {
  first: number;
  /** One past the last slot. */
  end: number;
}

/**
 * One stream's slots as the worker must count them within an epoch: each frame that is
 * sent makes the slots that it jumps over lost, and so do `discarded` and `streamClose`. A link that
 * starts further back takes back what was lost from there on.
 *
 * Bounded: of the losses past `durable` the newest 1024 ranges are kept apart, the oldest are merely
 * a number.
 */
export class SlotAccount {
  /** Lost in slots that no link starts before any more. */
  #settledLost = 0;
  /** Losses past `durable`, oldest first. */
  #ranges: SlotRange[] = [];
  #position = 0;
  #received = 0;

  /** Every slot before it was sent on this link, is lost, or lies before the link's start. */
  get position(): number {
    return this.#position;
  }

  /** The next sequence that the worker expects, as it told last. */
  get received(): number {
    return this.#received;
  }

  /** Frames sent on this link and not before `received`. */
  get inFlight(): number {
    const slots = sequenceDistance(this.#received, this.#position);
    return slots <= 0 ? 0 : slots - this.#lostFrom(this.#received);
  }

  /** Slots lost since the start of the epoch. */
  get lost(): number {
    return this.lostBefore(this.#position);
  }

  /** Slots lost before a sequence, which must not lie before `durable`. */
  lostBefore(sequence: number): number {
    let lost = this.#settledLost;
    for (const { first, end } of this.#ranges) lost += slotsBefore(first, end, sequence);
    return lost;
  }

  /** A new epoch begins at `start`: what was lost before is the business of the one before. */
  begin(start: number): void {
    this.#settledLost = 0;
    this.#ranges = [];
    this.#position = start;
    this.#received = start;
  }

  /** Another link of the same epoch begins at `start`: slots from there on are still to come. */
  rewind(start: number): void {
    while (this.#ranges.length > 0) {
      const last = this.#ranges.at(-1)!;
      if (sequenceDistance(last.first, start) > 0) {
        if (sequenceDistance(start, last.end) > 0) last.end = start;
        break;
      }
      this.#ranges.pop();
    }
    this.#position = start;
    this.#received = start;
  }

  /** A frame is on its way. */
  sent(sequence: number): void {
    this.passed(sequence);
    this.#position = (sequence + 1) >>> 0;
  }

  /** Slots before `sequence` that were not sent never will be: they are lost. */
  passed(sequence: number): void {
    const slots = sequenceDistance(this.#position, sequence);
    if (slots <= 0) return;
    const last = this.#ranges.at(-1);
    if (last?.end === this.#position) last.end = sequence;
    else this.#ranges.push({ first: this.#position, end: sequence });
    this.#position = sequence;
    if (this.#ranges.length > MAX_RANGES) this.#settle(this.#ranges.shift()!);
  }

  /** The worker's positions; neither goes back. */
  acknowledge(received: number, durable: number): void {
    if (sequenceDistance(this.#received, received) > 0) this.#received = received;
    while (this.#ranges.length > 0) {
      const range = this.#ranges[0]!;
      if (sequenceDistance(range.end, durable) < 0) return;
      this.#settle(this.#ranges.shift()!);
    }
  }

  #settle({ first, end }: SlotRange): void {
    this.#settledLost += sequenceDistance(first, end);
  }

  #lostFrom(sequence: number): number {
    let lost = 0;
    for (let at = this.#ranges.length - 1; at >= 0; at -= 1) {
      const { first, end } = this.#ranges[at]!;
      const slots = sequenceDistance(first, end) - slotsBefore(first, end, sequence);
      if (slots === 0) break;
      lost += slots;
    }
    return lost;
  }
}

function slotsBefore(first: number, end: number, sequence: number): number {
  const slots = Math.min(sequenceDistance(first, sequence), sequenceDistance(first, end));
  return Math.max(0, slots);
}

import { sequenceDistance } from '@earshot/bridge-protocol';

/** A worker's end stays so far behind with what is durable. */
const LAG_FRAMES = 5;

/** What a small worker knows of one stream, over all links and epochs. */
export class SmallHeard {
  received: number;
  durable: number;
  lost = 0;
  dropped = 0;
  isClosed = false;
  /** Told that it is durable to its end. */
  isTold = false;

  constructor(firstSequence: number) {
    this.received = firstSequence;
    this.durable = firstSequence;
  }

  get isOver(): boolean {
    return this.isClosed && this.durable === this.received;
  }

  /** Slots up to `sequence` are lost. */
  skipTo(sequence: number): void {
    const slots = sequenceDistance(this.received, sequence);
    if (slots <= 0) return;
    this.lost += slots;
    this.pass(sequence);
  }

  /** All before `sequence` came or is lost. */
  pass(sequence: number): void {
    this.received = sequence;
    const settled = (sequence - LAG_FRAMES) >>> 0;
    if (sequenceDistance(this.durable, settled) > 0) this.durable = settled;
  }

  close(): void {
    this.isClosed = true;
    this.durable = this.received;
  }

  /** Another worker, or another attachment, goes on with what is durable. */
  restart(): void {
    this.received = this.durable;
    this.lost = 0;
    this.dropped = 0;
  }
}

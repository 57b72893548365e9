import { sequenceDistance } from '@earshot/bridge-protocol';

/**
 * Frames of one stream that the worker may still need, oldest first: kept until durable, bounded,
 * oldest dropped when full. It holds frame numbers, not payloads. Three marks move through it:
 * what is acknowledged as received, what is sent on the present link, and what was ever sent.
 *
 * A frame dropped before it was sent is lost, and counted; one dropped after is merely beyond the
 * replay window.
 */
export class StreamRing {
  readonly capacity: number;
  readonly #sequences: Uint32Array;
  readonly #captureMs: Float64Array;
  readonly #frames: Uint32Array;
  readonly #flags: Uint8Array;
  // Positions only grow; a slot is the position modulo the capacity.
  #first = 0;
  #received = 0;
  #sent = 0;
  #everSent = 0;
  #end = 0;
  /** The first sequence that could still be sent again. */
  #windowStart: number | undefined;
  #lost: { firstSequence: number; nextSequence: number } | undefined;

  /** @param capacity most frames held; a positive integer. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#sequences = new Uint32Array(capacity);
    this.#captureMs = new Float64Array(capacity);
    this.#frames = new Uint32Array(capacity);
    this.#flags = new Uint8Array(capacity);
  }

  /** Frames in the order of their sequence that wait to be sent. */
  get unsent(): number {
    return this.#end - this.#sent;
  }

  /** Frames sent and not known to be received. */
  get inFlight(): number {
    return this.#sent - this.#received;
  }

  /** Adds the newest frame; a full ring drops its oldest. */
  push(sequence: number, captureMs: number, frame: number, flags: number): void {
    if (this.#end - this.#first === this.capacity) this.#dropOldest();
    const slot = this.#end % this.capacity;
    this.#sequences[slot] = sequence;
    this.#captureMs[slot] = captureMs;
    this.#frames[slot] = frame;
    this.#flags[slot] = flags;
    this.#end += 1;
  }

  /** Capture time of the next frame to be sent; only if there is one. */
  get nextCaptureMs(): number {
    return this.#captureMs[this.#sent % this.capacity]!;
  }

  get nextSequence(): number {
    return this.#sequences[this.#sent % this.capacity]!;
  }

  get nextFrame(): number {
    return this.#frames[this.#sent % this.capacity]!;
  }

  get nextFlags(): number {
    return this.#flags[this.#sent % this.capacity]!;
  }

  /** Whether the next frame was sent before, on this link or an earlier one. */
  get nextIsReplay(): boolean {
    return this.#sent < this.#everSent;
  }

  /** The next frame has been sent. */
  advance(): void {
    this.#sent += 1;
    if (this.#sent > this.#everSent) this.#everSent = this.#sent;
  }

  /**
   * The worker's positions; each is the next sequence that it expects.
   *
   * @param received frames before it need no more credit.
   * @param durable frames before it are never asked for again.
   */
  acknowledge(received: number, durable: number): void {
    while (this.#received < this.#sent && this.#isBefore(this.#received, received)) {
      this.#received += 1;
    }
    while (this.#first < this.#received && this.#isBefore(this.#first, durable)) this.#first += 1;
  }

  /**
   * A new link: sending starts again at `position`, the sequence that the worker expects next, or
   * without one at the first frame not known to be received. What was dropped since is lost.
   */
  rewind(position?: number): void {
    if (position !== undefined) {
      this.#sent = this.#first;
      while (this.#sent < this.#everSent && this.#isBefore(this.#sent, position)) this.#sent += 1;
      this.#received = this.#sent;
      this.#loseUpToWindow(position);
    } else this.#sent = this.#received;
  }

  /** The range of sequences lost unsent since last asked; undefined when there is none. */
  takeLost(): { firstSequence: number; frames: number } | undefined {
    const lost = this.#lost;
    if (lost === undefined) return undefined;
    this.#lost = undefined;
    const { firstSequence, nextSequence } = lost;
    return { firstSequence, frames: sequenceDistance(firstSequence, nextSequence) };
  }

  #dropOldest(): void {
    const sequence = this.#sequences[this.#first % this.capacity]!;
    const nextSequence = (sequence + 1) >>> 0;
    if (this.#first === this.#sent) {
      // Drops are from one end, so what is lost between two questions is one range.
      this.#lost = { firstSequence: this.#lost?.firstSequence ?? sequence, nextSequence };
      this.#sent += 1;
      if (this.#sent > this.#everSent) this.#everSent = this.#sent;
    }
    this.#windowStart = nextSequence;
    this.#first += 1;
    if (this.#received < this.#first) this.#received = this.#first;
  }

  #loseUpToWindow(position: number): void {
    if (this.#windowStart === undefined) return;
    if (sequenceDistance(position, this.#windowStart) <= 0) return;
    const nextSequence = this.#lost?.nextSequence ?? this.#windowStart;
    this.#lost = { firstSequence: position, nextSequence };
  }

  #isBefore(position: number, sequence: number): boolean {
    return sequenceDistance(this.#sequences[position % this.capacity]!, sequence) > 0;
  }
}

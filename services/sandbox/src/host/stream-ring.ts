import { sequenceDistance } from '@earshot/bridge-protocol';

/**
 * Frames of one stream that the worker may still need, oldest first: kept until durable, bounded,
 * oldest dropped when full. It holds frame numbers, not payloads.
 *
 * A frame dropped before it was sent is lost, and counted; one dropped after is merely beyond the
 * replay window.
 */
export class StreamRing {
  /** Most frames held, and most frames in flight. */
  readonly capacity: number;
  readonly #sequences: Uint32Array;
  readonly #captureMs: Float64Array;
  readonly #frames: Uint32Array;
  readonly #flags: Uint8Array;
  // Positions only grow; a slot is the position modulo the capacity.
  #first = 0;
  #sent = 0;
  #everSent = 0;
  #end = 0;
  /** The first sequence that could still be sent again. */
  #windowStart: number | undefined;
  #lost: { firstSequence: number; nextSequence: number } | undefined;
  /** Sequences in flight; apart from the frames, which may be dropped meanwhile. */
  readonly #flight: Uint32Array;
  #flightFirst = 0;
  #flightEnd = 0;

  /** @param capacity a positive integer. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#sequences = new Uint32Array(capacity);
    this.#captureMs = new Float64Array(capacity);
    this.#frames = new Uint32Array(capacity);
    this.#flags = new Uint8Array(capacity);
    this.#flight = new Uint32Array(capacity);
  }

  /** Frames that wait to be sent. */
  get unsent(): number {
    return this.#end - this.#sent;
  }

  /** Frames sent on the present link and not known to be received. */
  get inFlight(): number {
    return this.#flightEnd - this.#flightFirst;
  }

  /** Whether there is a next frame and it may be sent. */
  get isReady(): boolean {
    return this.#sent < this.#end && this.inFlight < this.capacity;
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

  /** Of the next frame to be sent, like the three below; only while `isReady`. */
  get nextSequence(): number {
    return this.#sequences[this.#sent % this.capacity]!;
  }

  get nextCaptureMs(): number {
    return this.#captureMs[this.#sent % this.capacity]!;
  }

  get nextFrame(): number {
    return this.#frames[this.#sent % this.capacity]!;
  }

  get nextFlags(): number {
    return this.#flags[this.#sent % this.capacity]!;
  }

  /** Whether the next frame was sent before, on an earlier link. */
  get nextIsReplay(): boolean {
    return this.#sent < this.#everSent;
  }

  /** The next frame has been sent; only while `isReady`. */
  advance(): void {
    this.#flight[this.#flightEnd % this.capacity] = this.nextSequence;
    this.#flightEnd += 1;
    this.#sent += 1;
    if (this.#sent > this.#everSent) this.#everSent = this.#sent;
  }

  /**
   * The worker's positions; each is the next sequence that it expects.
   *
   * @param received frames before it are no longer in flight.
   * @param durable frames before it are never asked for again.
   */
  acknowledge(received: number, durable: number): void {
    while (this.#flightFirst < this.#flightEnd) {
      const sequence = this.#flight[this.#flightFirst % this.capacity]!;
      if (sequenceDistance(sequence, received) <= 0) break;
      this.#flightFirst += 1;
    }
    while (this.#first < this.#sent && this.#isBefore(this.#first, durable)) this.#first += 1;
  }

  /**
   * A new link: sending starts again at `position`, the sequence that the worker expects next.
   * What it would want and was dropped meanwhile is lost.
   */
  rewind(position: number): void {
    this.#flightFirst = this.#flightEnd;
    this.#sent = this.#first;
    while (this.#sent < this.#everSent && this.#isBefore(this.#sent, position)) this.#sent += 1;
    this.#loseUpToWindow(position);
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

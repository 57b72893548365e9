import { sequenceDistance } from '@earshot/bridge-protocol';
import type { GoneRange } from './gone-slots.js';
import { GoneSlots } from './gone-slots.js';

/** What a ring may hold; whichever bound comes first. */
export interface StreamRingBounds {
  /** A positive integer: the replay window in frames of 20 ms. */
  readonly frames: number;
  /** Sum of the packets' sizes. One frame is held, however large. */
  readonly bytes: number;
}

/**
 * Frames of one stream that a worker may still need, oldest first: kept until durable. Bounded
 * in time, as a number of frames, and in bytes; policy: a full ring drops its oldest frames, sent or
 * not. It holds frame numbers, not payloads.
 */
export class StreamRing {
  readonly bounds: StreamRingBounds;
  readonly #capacity: number;
  readonly #sequences: Uint32Array;
  readonly #captureMs: Float64Array;
  readonly #frames: Uint32Array;
  readonly #sizes: Uint16Array;
  readonly #flags: Uint8Array;
  // Positions only grow; a slot is the position modulo the capacity.
  #first = 0;
  #sent = 0;
  #everSent = 0;
  #end = 0;
  #bytes = 0;
  readonly #gone = new GoneSlots();
  /** What is gone before it was sent, told, or lies before the link's start. */
  #tellFrom = 0;

  constructor(bounds: StreamRingBounds) {
    this.bounds = bounds;
    this.#capacity = bounds.frames;
    this.#sequences = new Uint32Array(bounds.frames);
    this.#captureMs = new Float64Array(bounds.frames);
    this.#frames = new Uint32Array(bounds.frames);
    this.#sizes = new Uint16Array(bounds.frames);
    this.#flags = new Uint8Array(bounds.frames);
  }

  /** Frames held. */
  get length(): number {
    return this.#end - this.#first;
  }

  /** Sum of the sizes of the packets held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames that wait to be sent on the present link. */
  get unsent(): number {
    return this.#end - this.#sent;
  }

  /** Whether there is a next frame. */
  get isReady(): boolean {
    return this.#sent < this.#end;
  }

  /** Adds the newest frame, whose packet has `size` bytes; drops the oldest as room is needed. */
  push(sequence: number, captureMs: number, frame: number, flags: number, size: number): void {
    if (this.length === this.#capacity) this.#dropOldest();
    while (this.length > 0 && this.#bytes + size > this.bounds.bytes) this.#dropOldest();
    const slot = this.#end % this.#capacity;
    this.#sequences[slot] = sequence;
    this.#captureMs[slot] = captureMs;
    this.#frames[slot] = frame;
    this.#sizes[slot] = size;
    this.#flags[slot] = flags;
    this.#bytes += size;
    this.#end += 1;
  }

  /** Of the next frame to be sent, like the three below; only while `isReady`. */
  get nextSequence(): number {
    return this.#sequences[this.#sent % this.#capacity]!;
  }

  get nextCaptureMs(): number {
    return this.#captureMs[this.#sent % this.#capacity]!;
  }

  get nextFrame(): number {
    return this.#frames[this.#sent % this.#capacity]!;
  }

  get nextFlags(): number {
    return this.#flags[this.#sent % this.#capacity]!;
  }

  /** Whether the next frame was sent before, on an earlier link. */
  get nextIsReplay(): boolean {
    return this.#sent < this.#everSent;
  }

  /** The next frame has been sent; only while `isReady`. */
  advance(): void {
    this.#tellFrom = (this.nextSequence + 1) >>> 0;
    this.#sent += 1;
    if (this.#sent > this.#everSent) this.#everSent = this.#sent;
  }

  /** Frames before `durable` are never asked for again. */
  forget(durable: number): void {
    while (this.#first < this.#sent && this.#isBefore(this.#first, durable)) this.#removeOldest();
    this.#gone.forget(durable);
  }

  /** A new link: sending starts again at `start`, the sequence that the worker expects next. */
  rewind(start: number): void {
    this.#sent = this.#first;
    while (this.#sent < this.#everSent && this.#isBefore(this.#sent, start)) this.#sent += 1;
    this.#tellFrom = start;
  }

  /** The oldest slots that are gone and not yet told on this link, to be told before the next frame. */
  takeGone(): GoneRange | undefined {
    const range = this.#gone.nextFrom(this.#tellFrom);
    if (range !== undefined) this.#tellFrom = (range.firstSequence + range.frames) >>> 0;
    return range;
  }

  #dropOldest(): void {
    const sequence = this.#sequences[this.#first % this.#capacity]!;
    this.#gone.add(sequence, this.#first < this.#everSent ? 'window' : 'overflow');
    this.#removeOldest();
  }

  #removeOldest(): void {
    this.#bytes -= this.#sizes[this.#first % this.#capacity]!;
    this.#first += 1;
    if (this.#sent < this.#first) this.#sent = this.#first;
    if (this.#everSent < this.#first) this.#everSent = this.#first;
  }

  #isBefore(position: number, sequence: number): boolean {
    return sequenceDistance(this.#sequences[position % this.#capacity]!, sequence) > 0;
  }
}

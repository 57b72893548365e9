import type { FrameCursor } from '@earshot/bridge-protocol';
import { LIMITS } from '@earshot/bridge-protocol';

/**
 * Frames of one send stream that wait to be played, oldest first. Its memory is made once; who keeps
 * to the credit never finds it full.
 */
export class SendBuffer {
  readonly capacity: number;
  readonly #sequences: Uint32Array;
  readonly #codecs: Uint8Array;
  readonly #lengths: Uint16Array;
  readonly #bytes: Uint8Array;
  // Positions only grow; a slot is the position modulo the capacity.
  #first = 0;
  #end = 0;

  /** @param capacity frames, a positive integer. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#sequences = new Uint32Array(capacity);
    this.#codecs = new Uint8Array(capacity);
    this.#lengths = new Uint16Array(capacity);
    this.#bytes = new Uint8Array(capacity * LIMITS.maxPayloadBytes);
  }

  get length(): number {
    return this.#end - this.#first;
  }

  /** Copies the cursor's frame, as of `codec`. @returns false when full. */
  push(cursor: FrameCursor, codec: number): boolean {
    if (this.length === this.capacity) return false;
    const slot = this.#end % this.capacity;
    const start = slot * LIMITS.maxPayloadBytes;
    const { bytes, payloadOffset, payloadLength } = cursor;
    this.#sequences[slot] = cursor.sequence;
    this.#codecs[slot] = codec;
    this.#lengths[slot] = payloadLength;
    this.#bytes.set(bytes.subarray(payloadOffset, payloadOffset + payloadLength), start);
    this.#end += 1;
    return true;
  }

  /** Of the oldest frame, like the two below; only while there is one. */
  get sequence(): number {
    return this.#sequences[this.#first % this.capacity]!;
  }

  get codec(): number {
    return this.#codecs[this.#first % this.capacity]!;
  }

  /** Borrowed until the frame is dropped and others come. */
  get payload(): Uint8Array {
    const slot = this.#first % this.capacity;
    const start = slot * LIMITS.maxPayloadBytes;
    return this.#bytes.subarray(start, start + this.#lengths[slot]!);
  }

  /** Drops the oldest frame; only while there is one. */
  shift(): void {
    this.#first += 1;
  }

  clear(): void {
    this.#first = this.#end;
  }
}

import type { Codec } from './codec.js';
import { aligned } from './codec.js';

/** Hands out the pieces of a codec's memory, once, at its birth. */
export class MemoryLayout {
  #next: number;

  constructor(codec: Codec) {
    this.#next = codec.firstFree;
  }

  /** Offset of `bytes` bytes, aligned. */
  take(bytes: number): number {
    const offset = this.#next;
    this.#next += aligned(bytes);
    return offset;
  }
}

import type { FrameSlot } from './frame-ring.js';
import { FRAME_PAYLOAD_BYTES } from './frame-ring.js';

/** The last packets of a stream, oldest first; copies, in memory that is made once. */
export class PacketHistory {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #lengths: Int32Array;
  /** Where the next one goes. */
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    const memory = new ArrayBuffer(capacity * FRAME_PAYLOAD_BYTES);
    this.#bytes = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.#lengths = new Int32Array(capacity);
  }

  get isFull(): boolean {
    return this.#count === this.#lengths.length;
  }

  push({ words, length }: FrameSlot): void {
    const to = this.#next * (FRAME_PAYLOAD_BYTES / 4);
    for (let i = 0, count = (length + 3) >> 2; i < count; i += 1) this.#words[to + i] = words[i]!;
    this.#lengths[this.#next] = length;
    this.#next = (this.#next + 1) % this.#lengths.length;
    if (!this.isFull) this.#count += 1;
  }

  /** Calls `take` with each; the bytes are borrowed for the call. */
  replay(take: (bytes: Uint8Array, offset: number, length: number) => void): void {
    const capacity = this.#lengths.length;
    for (let n = this.#count; n > 0; n -= 1) {
      const at = (this.#next - n + capacity) % capacity;
      take(this.#bytes, at * FRAME_PAYLOAD_BYTES, this.#lengths[at]!);
    }
  }

  clear(): void {
    this.#count = 0;
  }
}

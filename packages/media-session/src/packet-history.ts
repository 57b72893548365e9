import type { FrameSlot } from './frame-ring.js';
import { FRAME_PAYLOAD_BYTES } from './frame-ring.js';

/** Words of a packet: its length, then its bytes. Next to each other, they come to the processor at once. */
const SLOT_WORDS = 1 + FRAME_PAYLOAD_BYTES / 4;

/** The last packets of a stream, oldest first; copies, in memory that is made once. */
export class PacketHistory {
  readonly #capacity: number;
  readonly #words: Int32Array;
  /** Where the next one goes. */
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#words = new Int32Array(capacity * SLOT_WORDS);
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  push({ words, length }: FrameSlot): void {
    const history = this.#words;
    const at = this.#next * SLOT_WORDS;
    history[at] = length;
    for (let i = 0, count = (length + 3) >> 2; i < count; i += 1) history[at + 1 + i] = words[i]!;
    this.#next = this.#next + 1 === this.#capacity ? 0 : this.#next + 1;
    if (!this.isFull) this.#count += 1;
  }

  /** Calls `take` with each; the bytes are borrowed for the call. */
  replay(take: (bytes: Uint8Array, offset: number, length: number) => void): void {
    const bytes = new Uint8Array(this.#words.buffer);
    for (let n = this.#count; n > 0; n -= 1) {
      const at = ((this.#next - n + this.#capacity) % this.#capacity) * SLOT_WORDS;
      take(bytes, (at + 1) * 4, this.#words[at]!);
    }
  }

  clear(): void {
    this.#count = 0;
  }
}

import type { PacketStream } from './packet-corpus.js';
import type { Random } from './random.js';

/** Longer than any legal packet, so that the bounds are tried too. */
export const MAX_FUZZED_BYTES = 1400;

const PADDING_FLAG = 0x40;
const VBR_FLAG = 0x80;

/**
 * Makes hostile packets: random bytes, and real packets changed in the ways that reach deep into a
 * decoder. A packet lies in `bytes[0, length)` and is the mutator's until the next.
 */
export class PacketMutator {
  readonly bytes: Uint8Array = new Uint8Array(MAX_FUZZED_BYTES);
  length = 0;
  readonly #random: Random;
  readonly #streams: readonly PacketStream[];
  readonly #changes: readonly (() => void)[] = [
    () => this.#flipBits(),
    () => this.#truncate(),
    () => this.#splice(),
    () => this.#changeToc(),
    () => this.#changeFrameCount(),
    () => this.#insertBytes(),
    () => this.#removeBytes(),
    () => this.#join(),
  ];

  constructor(random: Random, streams: readonly PacketStream[]) {
    this.#random = random;
    this.#streams = streams;
  }

  /** Makes the next one. @param from what is changed; any real packet when not given */
  next(from?: Uint8Array): void {
    if (this.#random.oneIn(8)) {
      this.#randomBytes();
      return;
    }
    this.#take(from ?? this.#anyPacket());
    for (let changes = 1 + this.#random.below(3); changes > 0; changes -= 1) this.#change();
  }

  /** Takes a packet as it is. */
  keep(packet: Uint8Array): void {
    this.#take(packet);
  }

  #change(): void {
    this.#random.pick(this.#changes)();
  }

  #randomBytes(): void {
    const random = this.#random;
    // Most are short: in long ones the first bytes decide all the same.
    this.length = random.oneIn(4) ? random.below(MAX_FUZZED_BYTES + 1) : random.below(100);
    for (let i = 0; i < this.length; i += 1) this.bytes[i] = random.bits() >>> 11;
  }

  #flipBits(): void {
    if (this.length === 0) return;
    for (let flips = 1 + this.#random.below(8); flips > 0; flips -= 1) {
      const at = this.#random.below(this.length);
      this.bytes[at] = this.bytes[at]! ^ (1 << this.#random.below(8));
    }
  }

  #truncate(): void {
    this.length = this.#random.below(this.length + 1);
  }

  /** The tail of another packet from some place on. */
  #splice(): void {
    const other = this.#anyPacket();
    const at = this.#random.below(this.length + 1);
    const from = this.#random.below(other.length);
    this.#copy(other, from, at, other.length - from);
    this.length = Math.min(at + other.length - from, MAX_FUZZED_BYTES);
  }

  #changeToc(): void {
    if (this.length > 0) this.bytes[0] = this.#random.bits() >>> 9;
  }

  /** Makes it a packet of several frames (code 1 to 3) with lengths that may or may not add up. */
  #changeFrameCount(): void {
    if (this.length < 3) return;
    const random = this.#random;
    this.bytes[0] = (this.bytes[0]! & 0xfc) | random.below(4);
    const flags = (random.oneIn(2) ? VBR_FLAG : 0) | (random.oneIn(3) ? PADDING_FLAG : 0);
    this.bytes[1] = flags | (random.oneIn(3) ? random.below(64) : 1 + random.below(6));
    this.bytes[2] = random.oneIn(4) ? 251 + random.below(5) : random.below(60);
  }

  #insertBytes(): void {
    const at = this.#random.below(this.length + 1);
    const count = Math.min(1 + this.#random.below(40), MAX_FUZZED_BYTES - this.length);
    this.bytes.copyWithin(at + count, at, this.length);
    const value = this.#random.bits() & 255;
    this.bytes.fill(value, at, at + count);
    this.length += count;
  }

  #removeBytes(): void {
    if (this.length < 2) return;
    const at = this.#random.below(this.length);
    const count = Math.min(1 + this.#random.below(20), this.length - at);
    this.bytes.copyWithin(at, at + count, this.length);
    this.length -= count;
  }

  /** A well-formed packet of code 3 with two or three frames and maybe padding. */
  #join(): void {
    const frameBytes = this.length - 1;
    const frames = 2 + this.#random.below(2);
    const padding = this.#random.oneIn(2) ? this.#random.below(255) : 0;
    const header = padding > 0 ? 3 : 2;
    const total = header + frames * frameBytes + padding;
    if (frameBytes < 1 || total > MAX_FUZZED_BYTES) return;
    const frame = this.bytes.slice(1, this.length);
    this.bytes[0] = this.bytes[0]! | 3;
    this.bytes[1] = frames | (padding > 0 ? PADDING_FLAG : 0);
    if (padding > 0) this.bytes[2] = padding;
    for (let i = 0; i < frames; i += 1) this.bytes.set(frame, header + i * frameBytes);
    this.bytes.fill(0, total - padding, total);
    this.length = total;
  }

  #anyPacket(): Uint8Array {
    return this.#random.pick(this.#random.pick(this.#streams));
  }

  #take(packet: Uint8Array): void {
    this.#copy(packet, 0, 0, packet.length);
    this.length = packet.length;
  }

  #copy(source: Uint8Array, from: number, to: number, count: number): void {
    const end = Math.min(to + count, MAX_FUZZED_BYTES);
    for (let i = to; i < end; i += 1) this.bytes[i] = source[from + i - to]!;
  }
}

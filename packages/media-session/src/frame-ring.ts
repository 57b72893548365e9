import { LIMITS } from '@earshot/bridge-protocol';

/** Values of `FrameSlot.kind`. */
export const SLOT_KIND = { frame: 0, discarded: 1 } as const;

/** Values of `FrameRing.closeMode`. */
export const CLOSE_MODE = {
  open: 0,
  /** The stream ended: what is open in the detectors is reported as ended. */
  end: 1,
  /** The stream goes on elsewhere: what is open in the detectors is left to its next owner. */
  abandon: 2,
} as const;

/** One of the values of `CLOSE_MODE`. */
export type CloseMode = (typeof CLOSE_MODE)[keyof typeof CLOSE_MODE];

// Control words (Int32). All on one cache line, which comes to a thread at once: frames come so seldom
// that it matters little whose it was.
const HEAD = 0;
const TAIL = 1;
const CLOSED = 2;
const NEXT_SEQUENCE = 3;
const HAS_NEXT_SEQUENCE = 4;
/** The tail that the reader left; one that replaces it, when it is gone, goes on there and misses no drop. */
const READ_TAIL = 5;
/** The record that lies in the first slot; the writer's, and the same while a record waits. */
const FIRST = 6;
const CONTROL_WORDS = 16;

// Words of a slot.
const TIME_AT = 0;
const SEQUENCE_AT = 2;
/** Codec, flags and length of the payload: from the lowest byte on 1, 1 and 2 of them. */
const SHAPE_AT = 3;
const DISCARDED_AT = 4;
const RECEIVED_AT = 5;
const KIND_AT = 6;
const PAYLOAD_AT = 8;

/** Room for any payload, in whole words: what a `FrameSlot` needs. */
export const FRAME_PAYLOAD_BYTES: number = (LIMITS.maxPayloadBytes + 7) & ~7;

const SLOT_WORDS = PAYLOAD_AT + FRAME_PAYLOAD_BYTES / 4;

/** A number of 64 bits as two words. */
const number: Float64Array = new Float64Array(1);
const halves: Int32Array = new Int32Array(number.buffer);

/**
 * One record taken out of a ring. Owned by its reader and filled anew by each `pop`.
 *
 * `kind` frame: all of `sequence`, `mediaTimeMs`, `codec`, `flags`, and `payload[0, length)`.
 * `kind` discarded: `sequence` is the first of `discardedFrames` that the host let go.
 */
export class FrameSlot {
  kind: number = SLOT_KIND.frame;
  sequence = 0;
  mediaTimeMs = 0;
  codec = 0;
  flags = 0;
  length = 0;
  discardedFrames = 0;
  /** Records that overflow took between the `pop` before and this one. */
  droppedBefore = 0;
  /** When the frame came, as its writer said; both kinds. */
  receivedMicros = 0;
  readonly payload: Uint8Array;
  /** The same memory as `payload`, for copying by words. */
  readonly words: Int32Array;

  /**
   * @param payload where payloads are copied to, such as a packet of a `DecodeBatch`; memory of its
   * own by default.
   * @throws RangeError when it is shorter than `FRAME_PAYLOAD_BYTES`, or begins within a word.
   */
  constructor(payload: Uint8Array = new Uint8Array(FRAME_PAYLOAD_BYTES)) {
    if (payload.length < FRAME_PAYLOAD_BYTES) {
      throw new RangeError(
        `Cannot create a frame slot: it needs ${FRAME_PAYLOAD_BYTES} bytes, got ${payload.length}`,
      );
    }
    this.payload = payload;
    this.words = new Int32Array(payload.buffer, payload.byteOffset, FRAME_PAYLOAD_BYTES / 4);
  }
}

/**
 * The frames of one stream on their way from the I/O thread to its decode thread: fixed slots in
 * a SharedArrayBuffer, one writer, one reader, no lock, no allocation per frame.
 *
 * ```
 *            tail (reader takes here;               head (writer puts here)
 *             writer moves it when full)              │
 *   ┌─────────┬─▼───────┬─────────┬─────────┬─────────▼─────────┐
 *   │  free   │ oldest  │   ...   │ newest  │  free   │   ...   │
 *   └─────────┴─────────┴─────────┴─────────┴─────────┴─────────┘
 *   slot: f64 mediaTimeMs · u32 sequence · u8 codec · u8 flags · u16 length ·
 *         u32 discardedFrames · i32 receivedMicros · i32 kind · 4 spare · payload
 * ```
 *
 * Head and tail count records ever put and taken (wrapping 32 bits). Overflow drops the oldest:
 * the writer advances the tail by compare-and-swap, and a reader that was copying that slot finds
 * its own swap refused and throws its copy away. The reader tells drops from the jump of the tail,
 * so its count is exact.
 *
 * Records lie one after the other, but one that comes to an empty ring lies in the first slot: while
 * the reader keeps up, few slots are touched at all, and these stay in the processor's cache.
 *
 * Each thread makes its own `FrameRing` over the shared memory, and calls either the writer's
 * methods (`push`, `pushDiscarded`, `close`) or the reader's (`pop`, `closeMode`, ...).
 */
export class FrameRing {
  readonly slots: number;
  /** All of the memory. One view only: each is an object of its own, which must come to the processor. */
  readonly #words: Int32Array;
  /** Reader: the tail it expects to find. */
  #nextTail: number;

  /** @param shared memory from `FrameRing.allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    this.slots = (this.#words.length - CONTROL_WORDS) / SLOT_WORDS;
    this.#nextTail = Atomics.load(this.#words, READ_TAIL);
  }

  /**
   * @param slots records held; a power of two from 2 to 65536.
   * @throws RangeError for any other number.
   */
  static allocate(slots: number): SharedArrayBuffer {
    if (!Number.isInteger(slots) || slots < 2 || slots > 65_536 || (slots & (slots - 1)) !== 0) {
      throw new RangeError(
        `Cannot allocate a frame ring: slots must be a power of two from 2 to 65536, got ${slots}`,
      );
    }
    return new SharedArrayBuffer(4 * (CONTROL_WORDS + slots * SLOT_WORDS));
  }

  /** Records waiting; either side may ask. */
  get waiting(): number {
    return (Atomics.load(this.#words, HEAD) - Atomics.load(this.#words, TAIL)) | 0;
  }

  /** `receivedMicros` of the oldest record waiting; undefined when none is. Either side may ask. */
  get oldestReceivedMicros(): number | undefined {
    for (;;) {
      const tail = Atomics.load(this.#words, TAIL);
      if (tail === Atomics.load(this.#words, HEAD)) return undefined;
      const receivedMicros = this.#words[this.#slotOf(tail) + RECEIVED_AT]!;
      // A slot that was taken meanwhile may hold a newer record already.
      if (tail === Atomics.load(this.#words, TAIL)) return receivedMicros;
    }
  }

  /**
   * Writer: copies one frame in; `bytes` is free afterwards. When full, the oldest record goes.
   *
   * @param receivedMicros when it came, on a clock of the caller's that wraps in 32 signed bits
   * @returns false when a record was dropped to make room.
   * @throws RangeError when `length` is beyond what a frame may carry: check before.
   */
  push(
    sequence: number,
    mediaTimeMs: number,
    codec: number,
    flags: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    receivedMicros = 0,
  ): boolean {
    if (length > FRAME_PAYLOAD_BYTES) {
      throw new RangeError(
        `Cannot push a frame: a payload has at most ${FRAME_PAYLOAD_BYTES} bytes, got ${length}`,
      );
    }
    const head = Atomics.load(this.#words, HEAD);
    const complete = this.#makeRoom(head);
    const words = this.#words;
    const at = this.#slotOf(head);
    number[0] = mediaTimeMs;
    words[at + TIME_AT] = halves[0]!;
    words[at + TIME_AT + 1] = halves[1]!;
    words[at + SEQUENCE_AT] = sequence;
    words[at + SHAPE_AT] = (codec & 0xff) | ((flags & 0xff) << 8) | (length << 16);
    words[at + RECEIVED_AT] = receivedMicros;
    words[at + KIND_AT] = SLOT_KIND.frame;
    this.#copyIn(at + PAYLOAD_AT, bytes, offset, length);
    Atomics.store(this.#words, HEAD, (head + 1) | 0);
    return complete;
  }

  /** Writer: notes that the host let go of `frames` frames from `firstSequence` on. */
  pushDiscarded(firstSequence: number, frames: number, receivedMicros = 0): void {
    const head = Atomics.load(this.#words, HEAD);
    this.#makeRoom(head);
    const words = this.#words;
    const at = this.#slotOf(head);
    words[at + SEQUENCE_AT] = firstSequence;
    words[at + SHAPE_AT] = 0;
    words[at + DISCARDED_AT] = frames;
    words[at + RECEIVED_AT] = receivedMicros;
    words[at + KIND_AT] = SLOT_KIND.discarded;
    Atomics.store(this.#words, HEAD, (head + 1) | 0);
  }

  /**
   * Writer: no record follows. The reader sees it after all records before it.
   *
   * @param nextSequence the sequence that would have come next, when the host said so.
   */
  close(mode: CloseMode, nextSequence?: number): void {
    Atomics.store(this.#words, NEXT_SEQUENCE, (nextSequence ?? 0) | 0);
    Atomics.store(this.#words, HAS_NEXT_SEQUENCE, nextSequence === undefined ? 0 : 1);
    Atomics.store(this.#words, CLOSED, mode);
  }

  /** Reader: how the writer closed. What is empty when it is looked into *afterwards* is at its end. */
  get closeMode(): CloseMode {
    const mode = Atomics.load(this.#words, CLOSED);
    if (mode === CLOSE_MODE.end) return CLOSE_MODE.end;
    return mode === CLOSE_MODE.abandon ? CLOSE_MODE.abandon : CLOSE_MODE.open;
  }

  /** Reader: what `close` was given. */
  get closeSequence(): number | undefined {
    if (Atomics.load(this.#words, HAS_NEXT_SEQUENCE) === 0) return undefined;
    return Atomics.load(this.#words, NEXT_SEQUENCE) >>> 0;
  }

  /** Reader: copies the oldest record into `slot`; false when there is none. */
  pop(slot: FrameSlot): boolean {
    for (;;) {
      const tail = Atomics.load(this.#words, TAIL);
      if (tail === Atomics.load(this.#words, HEAD)) return false;
      this.#read(this.#slotOf(tail), slot);
      const next = (tail + 1) | 0;
      if (Atomics.compareExchange(this.#words, TAIL, tail, next) === tail) {
        slot.droppedBefore = (tail - this.#nextTail) | 0;
        this.#nextTail = next;
        this.#words[READ_TAIL] = next;
        return true;
      }
    }
  }

  /** Drops the oldest record when full; true when nothing was dropped. Shown by the head's store. */
  #makeRoom(head: number): boolean {
    const tail = Atomics.load(this.#words, TAIL);
    if (tail === head) this.#words[FIRST] = head;
    if (((head - tail) | 0) < this.slots) return true;
    // Refused when the reader took it meanwhile, which makes room just as well.
    return Atomics.compareExchange(this.#words, TAIL, tail, (tail + 1) | 0) !== tail;
  }

  /** Where a record lies that waits, or is written. */
  #slotOf(index: number): number {
    return CONTROL_WORDS + ((index - this.#words[FIRST]!) & (this.slots - 1)) * SLOT_WORDS;
  }

  /** By words: what comes begins anywhere. */
  #copyIn(at: number, bytes: Uint8Array, offset: number, length: number): void {
    const words = this.#words;
    const end = offset + (length & ~3);
    let to = at;
    for (let from = offset; from < end; from += 4, to += 1) {
      words[to] =
        bytes[from]! |
        (bytes[from + 1]! << 8) |
        (bytes[from + 2]! << 16) |
        (bytes[from + 3]! << 24);
    }
    let last = 0;
    for (let from = end; from < offset + length; from += 1) {
      last |= bytes[from]! << (8 * (from - end));
    }
    if ((length & 3) !== 0) words[to] = last;
  }

  /** May copy a record that is being overwritten: the caller's swap then fails. */
  #read(at: number, slot: FrameSlot): void {
    const words = this.#words;
    halves[0] = words[at + TIME_AT]!;
    halves[1] = words[at + TIME_AT + 1]!;
    slot.mediaTimeMs = number[0]!;
    slot.sequence = words[at + SEQUENCE_AT]! >>> 0;
    const shape = words[at + SHAPE_AT]!;
    slot.codec = shape & 0xff;
    slot.flags = (shape >>> 8) & 0xff;
    slot.length = shape >>> 16;
    slot.discardedFrames = words[at + DISCARDED_AT]! >>> 0;
    slot.receivedMicros = words[at + RECEIVED_AT]!;
    slot.kind = words[at + KIND_AT]!;
    const from = at + PAYLOAD_AT;
    const count = (slot.length + 3) >> 2;
    for (let i = 0; i < count; i += 1) slot.words[i] = words[from + i]!;
  }
}

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

// Control words (Int32). Head and tail sit on cache lines of their own: each thread writes one.
const HEAD = 0;
const TAIL = 16;
const CLOSED = 32;
const NEXT_SEQUENCE = 33;
const HAS_NEXT_SEQUENCE = 34;
/** The tail that the reader left; one that replaces it goes on there and misses no drop. */
const READ_TAIL = 35;
const CONTROL_BYTES = 192;

const SLOT_HEADER_BYTES = 32;

/** Room for any payload, in whole words: what a `FrameSlot` needs. */
export const FRAME_PAYLOAD_BYTES: number = (LIMITS.maxPayloadBytes + 7) & ~7;

const SLOT_BYTES = SLOT_HEADER_BYTES + FRAME_PAYLOAD_BYTES;

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
 *         u32 discardedFrames · i32 receivedMicros · u8 kind · 7 spare · payload
 * ```
 *
 * Head and tail count records ever put and taken (wrapping 32 bits). Overflow drops the oldest:
 * the writer advances the tail by compare-and-swap, and a reader that was copying that slot finds
 * its own swap refused and throws its copy away. The reader tells drops from the jump of the tail,
 * so its count is exact.
 *
 * Each thread makes its own `FrameRing` over the shared memory, and calls either the writer's
 * methods (`push`, `pushDiscarded`, `close`) or the reader's (`pop`, `closeMode`, ...).
 */
export class FrameRing {
  readonly slots: number;
  readonly #control: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #view: DataView;
  /** Reader: the tail it expects to find. */
  #nextTail: number;

  /** @param shared memory from `FrameRing.allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.slots = (shared.byteLength - CONTROL_BYTES) / SLOT_BYTES;
    this.#control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
    this.#bytes = new Uint8Array(shared, CONTROL_BYTES);
    this.#words = new Int32Array(shared, CONTROL_BYTES);
    this.#view = new DataView(shared, CONTROL_BYTES);
    this.#nextTail = Atomics.load(this.#control, READ_TAIL);
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
    return new SharedArrayBuffer(CONTROL_BYTES + slots * SLOT_BYTES);
  }

  /** Records waiting; either side may ask. */
  get waiting(): number {
    return (Atomics.load(this.#control, HEAD) - Atomics.load(this.#control, TAIL)) | 0;
  }

  /** `receivedMicros` of the oldest record waiting; undefined when none is. Either side may ask. */
  get oldestReceivedMicros(): number | undefined {
    for (;;) {
      const tail = Atomics.load(this.#control, TAIL);
      if (tail === Atomics.load(this.#control, HEAD)) return undefined;
      const receivedMicros = this.#words[(this.#slotOffset(tail) + 20) >> 2]!;
      // A slot that was taken meanwhile may hold a newer record already.
      if (tail === Atomics.load(this.#control, TAIL)) return receivedMicros;
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
    const head = Atomics.load(this.#control, HEAD);
    const complete = this.#makeRoom(head);
    const base = this.#slotOffset(head);
    this.#view.setFloat64(base, mediaTimeMs, true);
    this.#view.setUint32(base + 8, sequence, true);
    this.#bytes[base + 12] = codec;
    this.#bytes[base + 13] = flags;
    this.#view.setUint16(base + 14, length, true);
    this.#words[(base + 20) >> 2] = receivedMicros;
    this.#bytes[base + 24] = SLOT_KIND.frame;
    const to = base + SLOT_HEADER_BYTES;
    for (let i = 0; i < length; i += 1) this.#bytes[to + i] = bytes[offset + i]!;
    Atomics.store(this.#control, HEAD, (head + 1) | 0);
    return complete;
  }

  /** Writer: notes that the host let go of `frames` frames from `firstSequence` on. */
  pushDiscarded(firstSequence: number, frames: number, receivedMicros = 0): void {
    const head = Atomics.load(this.#control, HEAD);
    this.#makeRoom(head);
    const base = this.#slotOffset(head);
    this.#view.setUint32(base + 8, firstSequence, true);
    this.#view.setUint16(base + 14, 0, true);
    this.#view.setUint32(base + 16, frames, true);
    this.#words[(base + 20) >> 2] = receivedMicros;
    this.#bytes[base + 24] = SLOT_KIND.discarded;
    Atomics.store(this.#control, HEAD, (head + 1) | 0);
  }

  /**
   * Writer: no record follows. The reader sees it after all records before it.
   *
   * @param nextSequence the sequence that would have come next, when the host said so.
   */
  close(mode: CloseMode, nextSequence?: number): void {
    Atomics.store(this.#control, NEXT_SEQUENCE, (nextSequence ?? 0) | 0);
    Atomics.store(this.#control, HAS_NEXT_SEQUENCE, nextSequence === undefined ? 0 : 1);
    Atomics.store(this.#control, CLOSED, mode);
  }

  /** Reader: how the writer closed. Ask *before* emptying: then an empty ring is the end. */
  get closeMode(): CloseMode {
    const mode = Atomics.load(this.#control, CLOSED);
    if (mode === CLOSE_MODE.end) return CLOSE_MODE.end;
    return mode === CLOSE_MODE.abandon ? CLOSE_MODE.abandon : CLOSE_MODE.open;
  }

  /** Reader: what `close` was given. */
  get closeSequence(): number | undefined {
    if (Atomics.load(this.#control, HAS_NEXT_SEQUENCE) === 0) return undefined;
    return Atomics.load(this.#control, NEXT_SEQUENCE) >>> 0;
  }

  /** Reader: copies the oldest record into `slot`; false when there is none. */
  pop(slot: FrameSlot): boolean {
    for (;;) {
      const tail = Atomics.load(this.#control, TAIL);
      if (tail === Atomics.load(this.#control, HEAD)) return false;
      this.#read(this.#slotOffset(tail), slot);
      const next = (tail + 1) | 0;
      if (Atomics.compareExchange(this.#control, TAIL, tail, next) === tail) {
        slot.droppedBefore = (tail - this.#nextTail) | 0;
        this.#nextTail = next;
        Atomics.store(this.#control, READ_TAIL, next);
        return true;
      }
    }
  }

  /** Drops the oldest record when full; true when nothing was dropped. */
  #makeRoom(head: number): boolean {
    const tail = Atomics.load(this.#control, TAIL);
    if (((head - tail) | 0) < this.slots) return true;
    // Refused when the reader took it meanwhile, which makes room just as well.
    return Atomics.compareExchange(this.#control, TAIL, tail, (tail + 1) | 0) !== tail;
  }

  #slotOffset(index: number): number {
    return (index & (this.slots - 1)) * SLOT_BYTES;
  }

  /** May copy a record that is being overwritten: the caller's swap then fails. */
  #read(base: number, slot: FrameSlot): void {
    slot.mediaTimeMs = this.#view.getFloat64(base, true);
    slot.sequence = this.#view.getUint32(base + 8, true);
    slot.codec = this.#bytes[base + 12]!;
    slot.flags = this.#bytes[base + 13]!;
    slot.length = this.#view.getUint16(base + 14, true);
    slot.discardedFrames = this.#view.getUint32(base + 16, true);
    slot.receivedMicros = this.#words[(base + 20) >> 2]!;
    slot.kind = this.#bytes[base + 24]!;
    const from = (base + SLOT_HEADER_BYTES) >> 2;
    const words = (slot.length + 3) >> 2;
    for (let i = 0; i < words; i += 1) slot.words[i] = this.#words[from + i]!;
  }
}

import { PTIME_MS } from '@earshot/audio';

/** Samples of one record. */
const RECORD_SAMPLES = 320;

/** Values of `PcmRecord.kind`. */
export const PCM_RECORD = {
  /** A frame that was heard. */
  sound: 0,
  /** The source was silent, or made a pause; no samples. */
  silence: 1,
  /** Sound that never came, or was damaged; no samples. */
  lost: 2,
  /** A talkspurt began at `mediaTimeMs`; told a little later, when it is sure. */
  speechStarted: 3,
  /** The talkspurt ended at `mediaTimeMs`. */
  speechEnded: 4,
  /** Nothing follows: `durationMs` says how the stream closed, one of `CLOSE_MODE`. */
  closed: 5,
} as const;

// Control words (Int32). Head and tail sit on cache lines of their own: each thread writes one.
const HEAD = 0;
const TAIL = 16;
/** Sequence up to which the reader took all. */
const CONSUMED = 32;
const CONTROL_BYTES = 192;

// In doubles, then in words of 4 bytes.
const MEDIA_TIME = 0;
const DURATION = 1;
const SPEECH_START = 2;
const SEQUENCE = 6;
const KIND = 7;
const HEADER_BYTES = 32;
const SLOT_BYTES = HEADER_BYTES + RECORD_SAMPLES * 2;

/** One record taken out of a ring. Owned by its reader and filled anew by each `pop`. */
export class PcmRecord {
  kind: number = PCM_RECORD.silence;
  mediaTimeMs = 0;
  durationMs = 0;
  /** Begin of the talkspurt that goes on here; NaN while nobody speaks. */
  speechStartMs: number = Number.NaN;
  /** Sequence that the stream was at. */
  sequence = 0;
  /** Records that overflow took between the `pop` before and this one. */
  droppedBefore = 0;
  readonly pcm: Int16Array = new Int16Array(RECORD_SAMPLES);
}

/**
 * What is heard in one stream on its way from its decode thread to a recognizer: fixed slots in a
 * SharedArrayBuffer, one writer, one reader, no lock, no allocation per record. Sound and the marks
 * of talkspurts come in one order.
 *
 * Overflow drops the oldest, as in `FrameRing`, and the reader learns how many records. Each record
 * says whether somebody speaks, so that marks among those dropped are made up for.
 *
 * Each thread makes its own `PcmRing` over the shared memory, and calls either the writer's methods or `pop`.
 */
export class PcmRing {
  readonly slots: number;
  readonly #control: Int32Array;
  readonly #doubles: Float64Array;
  readonly #words: Int32Array;
  readonly #samples: Int16Array;
  /**
   * Writer: begin of the frame that `sound` is about to put, on the media clock. An array, as a number
   * that is passed on is boxed.
   */
  readonly timeMs: Float64Array = new Float64Array(1);
  /** Writer: begin of the talkspurt that goes on. An array, so that no number is boxed. */
  readonly #speechStartMs: Float64Array = Float64Array.of(Number.NaN);
  /** Reader: the tail it expects to find. */
  #nextTail: number;

  readonly #bell: Int32Array | undefined;

  /**
   * @param shared memory from `PcmRing.allocate`.
   * @param bell writer: a word that is counted up, and those who wait for it woken, with each record
   */
  constructor(shared: SharedArrayBuffer, bell?: SharedArrayBuffer) {
    this.#bell = bell === undefined ? undefined : new Int32Array(bell);
    this.slots = (shared.byteLength - CONTROL_BYTES) / SLOT_BYTES;
    this.#control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
    this.#doubles = new Float64Array(shared, CONTROL_BYTES);
    this.#words = new Int32Array(shared, CONTROL_BYTES);
    this.#samples = new Int16Array(shared, CONTROL_BYTES);
    this.#nextTail = Atomics.load(this.#control, TAIL);
  }

  /**
   * @param slots records held; a power of two from 2 to 65536.
   * @param firstSequence where the stream is
   * @throws RangeError for any other number.
   */
  static allocate(slots: number, firstSequence = 0): SharedArrayBuffer {
    if (!Number.isInteger(slots) || slots < 2 || slots > 65_536 || (slots & (slots - 1)) !== 0) {
      throw new RangeError(
        `Cannot allocate a PCM ring: slots must be a power of two from 2 to 65536, got ${slots}`,
      );
    }
    const shared = new SharedArrayBuffer(CONTROL_BYTES + slots * SLOT_BYTES);
    new Int32Array(shared)[CONSUMED] = firstSequence | 0;
    return shared;
  }

  /** Records waiting; either side may ask. */
  get waiting(): number {
    return (Atomics.load(this.#control, HEAD) - Atomics.load(this.#control, TAIL)) | 0;
  }

  /** Sequence up to which the reader took all; any side may ask. */
  get consumed(): number {
    return Atomics.load(this.#control, CONSUMED) >>> 0;
  }

  /** Writer: the frame of sound that begins at `timeMs[0]`, copied. */
  sound(sequence: number, pcm: Int16Array): void {
    const head = Atomics.load(this.#control, HEAD);
    this.#makeRoom(head);
    const base = this.#header(head, PCM_RECORD.sound, sequence);
    this.#doubles[base + MEDIA_TIME] = this.timeMs[0]!;
    this.#doubles[base + DURATION] = PTIME_MS;
    const to = base * 4 + HEADER_BYTES / 2;
    for (let i = 0; i < RECORD_SAMPLES; i += 1) this.#samples[to + i] = pcm[i]!;
    this.#show(head);
  }

  /** Writer: a record without samples, of any other kind. */
  note(kind: number, mediaTimeMs: number, durationMs: number, sequence: number): void {
    if (kind === PCM_RECORD.speechStarted) this.#speechStartMs[0] = mediaTimeMs;
    if (kind === PCM_RECORD.speechEnded) this.#speechStartMs[0] = Number.NaN;
    const head = Atomics.load(this.#control, HEAD);
    this.#makeRoom(head);
    const base = this.#header(head, kind, sequence);
    this.#doubles[base + MEDIA_TIME] = mediaTimeMs;
    this.#doubles[base + DURATION] = durationMs;
    this.#show(head);
  }

  /** Reader: copies the oldest record into `record`; false when there is none. */
  pop(record: PcmRecord): boolean {
    for (;;) {
      const tail = Atomics.load(this.#control, TAIL);
      if (tail === Atomics.load(this.#control, HEAD)) return false;
      this.#read(this.#base(tail), record);
      const next = (tail + 1) | 0;
      if (Atomics.compareExchange(this.#control, TAIL, tail, next) === tail) {
        record.droppedBefore = (tail - this.#nextTail) | 0;
        this.#nextTail = next;
        this.#consumedTo(record.sequence);
        return true;
      }
    }
  }

  /**
   * Reader: goes back to what an earlier reader, which is gone, took from `fromMs` on, as far as it is
   * still there.
   *
   * @param spare slots that are left for what the writer puts there meanwhile
   * @returns where the first frame begins, on the media clock; NaN when there is none
   */
  rewind(fromMs: number, spare: number): number {
    for (;;) {
      const head = Atomics.load(this.#control, HEAD);
      const tail = Atomics.load(this.#control, TAIL);
      const most = Math.min(this.slots - Math.max(1, spare), head >>> 0);
      let first = ((head - tail) | 0) < this.slots ? tail : (head - this.slots + 1) | 0;
      while (((head - first) | 0) < most && !this.#liesBefore((first - 1) | 0, fromMs)) {
        first = (first - 1) | 0;
      }
      if (Atomics.compareExchange(this.#control, TAIL, tail, first) !== tail) continue;
      // A writer that had passed it before it saw the new tail has overwritten it.
      if (((Atomics.load(this.#control, HEAD) - first) | 0) >= this.slots) continue;
      this.#nextTail = first;
      return this.#firstFrameMs(first, head);
    }
  }

  #liesBefore(index: number, fromMs: number): boolean {
    const base = this.#base(index);
    return !isMark(this.#words[base * 2 + KIND]!) && this.#doubles[base + MEDIA_TIME]! < fromMs;
  }

  #firstFrameMs(first: number, head: number): number {
    for (let index = first; index !== head; index = (index + 1) | 0) {
      const base = this.#base(index);
      if (!isMark(this.#words[base * 2 + KIND]!)) return this.#doubles[base + MEDIA_TIME]!;
    }
    return Number.NaN;
  }

  /** What is read again was consumed before. */
  #consumedTo(sequence: number): void {
    const consumed = Atomics.load(this.#control, CONSUMED);
    if (((sequence - consumed) | 0) > 0) Atomics.store(this.#control, CONSUMED, sequence | 0);
  }

  #show(head: number): void {
    Atomics.store(this.#control, HEAD, (head + 1) | 0);
    if (this.#bell === undefined) return;
    Atomics.add(this.#bell, 0, 1);
    Atomics.notify(this.#bell, 0);
  }

  /** Drops the oldest record when full. */
  #makeRoom(head: number): void {
    const tail = Atomics.load(this.#control, TAIL);
    if (((head - tail) | 0) < this.slots) return;
    // Refused when the reader took it meanwhile, which makes room just as well.
    Atomics.compareExchange(this.#control, TAIL, tail, (tail + 1) | 0);
  }

  /** Where a slot begins, in doubles. */
  #base(index: number): number {
    return ((index & (this.slots - 1)) * SLOT_BYTES) / 8;
  }

  #header(index: number, kind: number, sequence: number): number {
    const base = this.#base(index);
    this.#doubles[base + SPEECH_START] = this.#speechStartMs[0]!;
    this.#words[base * 2 + SEQUENCE] = sequence;
    this.#words[base * 2 + KIND] = kind;
    return base;
  }

  /** May copy a record that is being overwritten: the caller's swap then fails. */
  #read(base: number, record: PcmRecord): void {
    record.mediaTimeMs = this.#doubles[base + MEDIA_TIME]!;
    record.durationMs = this.#doubles[base + DURATION]!;
    record.speechStartMs = this.#doubles[base + SPEECH_START]!;
    record.sequence = this.#words[base * 2 + SEQUENCE]! >>> 0;
    record.kind = this.#words[base * 2 + KIND]!;
    if (record.kind !== PCM_RECORD.sound) return;
    const from = base * 4 + HEADER_BYTES / 2;
    for (let i = 0; i < RECORD_SAMPLES; i += 1) record.pcm[i] = this.#samples[from + i]!;
  }
}

/** Whether a record has no time of its own. */
function isMark(kind: number): boolean {
  return kind > PCM_RECORD.lost;
}

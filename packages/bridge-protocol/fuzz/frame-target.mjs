// @ts-check
// Hostile binary messages: golden vectors, changed where it hurts, read by the cursor and by a
// second reader written from the specification alone.
import { bytesOf } from '../check-vectors.mjs';

/** @typedef {import('./random.mjs').Random} Random */
/** @typedef {{ bytes: Uint8Array, frames: number[] }} Base `frames`: where its frames begin */

const HEADER_BYTES = 4;
const FRAME_HEADER_BYTES = 18;
/** More than the protocol allows, so that the bound itself is tried. */
const MAX_BYTES = 70_000;
const GUARD_BYTES = 64;
const BIG_BYTES = 4000;
/** Big messages are slow to copy: one input in so many is made from one. */
const BIG_ONE_IN = 200;
const INTERESTING_BYTES = [0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xfe, 0xff];
const INTERESTING_U16 = [0, 1, 2, 3, 639, 640, 641, 1023, 1024, 1025, 1275, 1276, 0x7fff, 0xffff];

/** Makes inputs and judges what the codec does with them. */
export class FrameTarget {
  name = 'frames';
  accepted = 0;
  refused = 0;
  /** Frames of accepted messages. */
  frames = 0;
  #codec;
  #cursors;
  #writers;
  #random;
  /** Good ones. @type {Base[]} */
  #small = [];
  /** @type {Base[]} */
  #big = [];
  /** Those that must be refused as they are. @type {Base[]} */
  #bad = [];
  #which = 0;
  #buffer = new Uint8Array(GUARD_BYTES + MAX_BYTES + GUARD_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;
  /** Where frames begin in the input, as long as that is known. @type {number[]} */
  #starts = [];

  /**
   * @param {import('../check-vectors.mjs').Codec} codec
   * @param {import('../check-vectors.mjs').Vectors} vectors
   * @param {Random} random
   */
  constructor(codec, { frames }, random) {
    const { FrameCursor, FrameBatchWriter, KIND, LIMITS } = codec;
    this.#codec = codec;
    this.#random = random;
    this.#cursors = [new FrameCursor(KIND.heard), new FrameCursor(KIND.send)];
    this.#writers = [
      new FrameBatchWriter(LIMITS.maxMessageBytes, KIND.heard),
      new FrameBatchWriter(LIMITS.maxMessageBytes, KIND.send),
    ];
    for (const vector of frames.valid) {
      let at = HEADER_BYTES;
      const starts = vector.frames.map(({ payloadHex }) => {
        const start = at;
        at += FRAME_HEADER_BYTES + payloadHex.length / 2;
        return start;
      });
      const base = { bytes: bytesOf(vector.hex), frames: starts };
      (base.bytes.length > BIG_BYTES ? this.#big : this.#small).push(base);
    }
    for (const { hex } of frames.invalid) {
      if (hex.length <= 2 * BIG_BYTES) this.#bad.push({ bytes: bytesOf(hex), frames: [] });
      else this.#big.push({ bytes: bytesOf(hex), frames: [] });
    }
  }

  /** The input that `step` made last. */
  get input() {
    return Buffer.from(this.#buffer.buffer, GUARD_BYTES, this.#length).toString('hex');
  }

  /**
   * One input; returns what is wrong, if anything.
   * @returns {string | undefined}
   */
  step() {
    this.#make();
    const message = this.#buffer.subarray(GUARD_BYTES, GUARD_BYTES + this.#length);
    return this.#judge(message, this.#which);
  }

  #make() {
    const random = this.#random;
    if (random.oneIn(16)) {
      this.#randomBytes();
    } else {
      const base = random.pick(this.#anyPool());
      this.#buffer.set(base.bytes, GUARD_BYTES);
      this.#length = base.bytes.length;
      this.#starts = base.frames;
      for (let changes = random.below(4); changes > 0; changes -= 1) this.#change();
    }
    // Mostly the cursor that the message is for.
    this.#which = random.oneIn(16) || this.#length < 2 ? random.below(2) : this.#kindByte();
    // What follows the input differs from run to run: a reader that strays gives it away.
    const poison = random.bits();
    for (let i = 0; i < GUARD_BYTES; i += 1) {
      this.#buffer[i] = poison >>> (i & 15);
      this.#buffer[GUARD_BYTES + this.#length + i] = poison >>> (i & 15);
    }
  }

  #anyPool() {
    if (this.#random.oneIn(BIG_ONE_IN)) return this.#big;
    return this.#random.oneIn(6) ? this.#bad : this.#small;
  }

  #kindByte() {
    return this.#buffer[GUARD_BYTES + 1] === 2 ? 1 : 0;
  }

  #randomBytes() {
    const random = this.#random;
    this.#length = random.below(120);
    this.#starts = [];
    for (let i = 0; i < this.#length; i += 1) this.#buffer[GUARD_BYTES + i] = random.bits();
    if (random.oneIn(4) || this.#length < HEADER_BYTES) return;
    this.#buffer.set([1, 1 + random.below(2), 0, random.below(5)], GUARD_BYTES);
  }

  #change() {
    const random = this.#random;
    switch (random.below(12)) {
      case 0:
        return this.#flipBit();
      case 1:
        return this.#setByte(random.below(this.#length + 1), random.pick(INTERESTING_BYTES));
      case 2:
        return this.#setByte(random.below(this.#length + 1), random.bits());
      case 3:
        return this.#setU16(2, this.#anyU16(this.#getU16(2)));
      case 4:
        this.#length = random.below(this.#length + 1);
        return;
      case 5:
        return this.#extend();
      case 6:
        return this.#doubleFrame();
      case 7:
        return this.#dropFrame();
      case 8:
        return this.#otherFrame();
      case 9:
        return this.#setByte(random.below(2), random.pick(INTERESTING_BYTES));
      default:
        return this.#changeHeader();
    }
  }

  #flipBit() {
    if (this.#length === 0) return;
    const at = GUARD_BYTES + this.#random.below(this.#length);
    this.#buffer[at] = (this.#buffer[at] ?? 0) ^ (1 << this.#random.below(8));
  }

  /** A field of a frame's header gets a value at or beside a bound. */
  #changeHeader() {
    const random = this.#random;
    if (this.#starts.length === 0) return;
    const at = random.pick(this.#starts);
    switch (random.below(6)) {
      case 0:
        return this.#setU16(at, random.oneIn(3) ? 0 : this.#anyU16(0));
      case 1:
        return this.#setByte(at + 2, random.below(5));
      case 2:
        return this.#setByte(at + 3, random.bits());
      case 3:
        return this.#setU32(at + 4, random.oneIn(2) ? random.bits() : 0 - random.below(3));
      case 4:
        this.#setU32(at + 8, random.oneIn(2) ? random.bits() : 0 - random.below(2));
        return this.#setU32(at + 12, random.oneIn(2) ? random.bits() : 0 - random.below(2));
      default:
        return this.#setU16(at + 16, this.#anyU16(this.#getU16(at + 16)));
    }
  }

  #extend() {
    const random = this.#random;
    const bytes = Math.min(1 + random.below(40), MAX_BYTES - this.#length);
    for (let i = 0; i < bytes; i += 1) {
      this.#buffer[GUARD_BYTES + this.#length + i] = random.bits();
    }
    this.#length += bytes;
  }

  /** The message's last frame, or its tail, once more; the count mostly keeps up with it. */
  #doubleFrame() {
    const random = this.#random;
    if (this.#starts.length === 0) return;
    const from = random.pick(this.#starts);
    const bytes = Math.min(this.#length - from, MAX_BYTES - this.#length);
    if (bytes <= 0) return;
    const start = GUARD_BYTES + from;
    this.#buffer.copyWithin(GUARD_BYTES + this.#length, start, start + bytes);
    const added = this.#starts.filter((s) => s >= from).map((s) => s - from + this.#length);
    this.#length += bytes;
    this.#starts = [...this.#starts, ...added];
    if (!random.oneIn(4)) this.#setU16(2, this.#getU16(2) + added.length);
  }

  #dropFrame() {
    if (this.#starts.length === 0) return;
    const index = this.#random.below(this.#starts.length);
    const from = this.#starts[index] ?? 0;
    const to = this.#starts[index + 1] ?? this.#length;
    if (to > this.#length || from > to) return;
    this.#buffer.copyWithin(GUARD_BYTES + from, GUARD_BYTES + to, GUARD_BYTES + this.#length);
    this.#length -= to - from;
    this.#starts = this.#starts
      .filter((_, i) => i !== index)
      .map((s) => (s > from ? s - (to - from) : s));
    if (!this.#random.oneIn(4)) this.#setU16(2, this.#getU16(2) - 1);
  }

  /** A frame of another vector behind the last. */
  #otherFrame() {
    const { bytes, frames } = this.#random.pick(this.#small);
    if (frames.length === 0) return;
    const from = this.#random.pick(frames);
    const frame = bytes.subarray(from, Math.min(bytes.length, from + MAX_BYTES - this.#length));
    this.#buffer.set(frame, GUARD_BYTES + this.#length);
    const added = frames.filter((s) => s >= from).map((s) => s - from + this.#length);
    this.#length += frame.length;
    this.#starts = [...this.#starts, ...added];
    if (!this.#random.oneIn(4)) this.#setU16(2, this.#getU16(2) + added.length);
  }

  /** @param {number} before */
  #anyU16(before) {
    const random = this.#random;
    switch (random.below(3)) {
      case 0:
        return before + 1 - 2 * random.below(2);
      case 1:
        return random.pick(INTERESTING_U16);
      default:
        return random.bits();
    }
  }

  /** @param {number} at @param {number} value */
  #setByte(at, value) {
    if (at < this.#length) this.#buffer[GUARD_BYTES + at] = value;
  }

  /** @param {number} at */
  #getU16(at) {
    return at + 2 > this.#length ? 0 : this.#view.getUint16(GUARD_BYTES + at);
  }

  /** @param {number} at @param {number} value */
  #setU16(at, value) {
    if (at + 2 <= this.#length) this.#view.setUint16(GUARD_BYTES + at, value);
  }

  /** @param {number} at @param {number} value */
  #setU32(at, value) {
    if (at + 4 <= this.#length) this.#view.setUint32(GUARD_BYTES + at, value);
  }

  /**
   * @param {Uint8Array} message
   * @param {number} which
   * @returns {string | undefined}
   */
  #judge(message, which) {
    const cursor = this.#cursors[which];
    const writer = this.#writers[which];
    if (cursor === undefined || writer === undefined) return 'there must be two kinds';
    const wanted = failureOf(this.#view, GUARD_BYTES, message.length, which + 1);
    const error = cursor.open(message);
    if (error?.code !== wanted) {
      return `must be ${wanted ?? 'taken'}, got ${error?.code ?? 'taken'}`;
    }
    if (error !== undefined) {
      this.refused += 1;
      return this.#judgeRefusal(error, cursor);
    }
    this.accepted += 1;
    return this.#judgeFrames(message, cursor, writer);
  }

  /**
   * @param {import('../src/index.js').FrameError} error
   * @param {import('../src/index.js').FrameCursor} cursor
   */
  #judgeRefusal({ code, closeCode, message }, cursor) {
    const { CLOSE } = this.#codec;
    const wanted =
      code === 'too_large'
        ? CLOSE.tooLarge
        : code === 'unsupported_version'
          ? CLOSE.unsupportedVersion
          : CLOSE.protocolError;
    if (closeCode !== wanted) return `${code} closes with ${closeCode}`;
    if (message.length > 200) return 'the message of the error is long';
    return cursor.next() || cursor.frameCount !== 0 || cursor.bytes.length !== 0
      ? 'the cursor is not empty after an error'
      : undefined;
  }

  /**
   * @param {Uint8Array} message
   * @param {import('../src/index.js').FrameCursor} cursor
   * @param {import('../src/index.js').FrameBatchWriter} writer
   */
  #judgeFrames(message, cursor, writer) {
    const view = this.#view;
    if (cursor.bytes !== message) return 'the cursor has copied the message';
    let at = HEADER_BYTES;
    let frames = 0;
    writer.reset();
    while (cursor.next()) {
      const header = GUARD_BYTES + at;
      const { payloadOffset, payloadLength } = cursor;
      if (payloadOffset !== at + FRAME_HEADER_BYTES) return `frame ${frames} begins elsewhere`;
      at = payloadOffset + payloadLength;
      if (at > message.length) return `frame ${frames} ends outside the message`;
      if (
        cursor.streamId !== view.getUint16(header) ||
        cursor.codec !== view.getUint8(header + 2) ||
        cursor.flags !== view.getUint8(header + 3) ||
        cursor.sequence !== view.getUint32(header + 4) ||
        cursor.ticksHigh !== view.getUint32(header + 8) ||
        cursor.ticksLow !== view.getUint32(header + 12) ||
        payloadLength !== view.getUint16(header + 16)
      ) {
        return `frame ${frames} is read otherwise`;
      }
      const payload = cursor.codec === 0 ? null : message.subarray(payloadOffset, at);
      const fits = writer.append(
        cursor.streamId,
        cursor.codec,
        cursor.flags,
        cursor.sequence,
        cursor.ticksHigh,
        cursor.ticksLow,
        payload,
      );
      if (!fits) return `frame ${frames} does not fit a message`;
      frames += 1;
    }
    this.frames += frames;
    if (frames !== cursor.frameCount) return `${cursor.frameCount} frames told, ${frames} came`;
    if (at !== message.length) return 'the last frame ends before the message';
    const written = writer.finish();
    const same = Buffer.compare(written, message) === 0;
    cursor.close();
    return same ? undefined : 'what is written is not what was read';
  }
}

/**
 * Which rule a message breaks, read off §5 of the specification and not off the code under test.
 * @param {DataView} view
 * @param {number} start
 * @param {number} length
 * @param {number} kind
 * @returns {string | undefined}
 */
function failureOf(view, start, length, kind) {
  if (length > 65_536) return 'too_large';
  if (length < HEADER_BYTES) return 'truncated';
  if (view.getUint8(start) !== 1) return 'unsupported_version';
  if (view.getUint8(start + 1) !== kind) return 'unsupported_kind';
  const count = view.getUint16(start + 2);
  if (count > 1024) return 'too_many_frames';
  let at = HEADER_BYTES;
  for (let frame = 0; frame < count; frame += 1) {
    if (length - at < FRAME_HEADER_BYTES) return 'truncated';
    if (view.getUint16(start + at) === 0) return 'reserved_stream_id';
    const codec = view.getUint8(start + at + 2);
    if (codec > 2) return 'unsupported_codec';
    const payloadLength = view.getUint16(start + at + 16);
    const [least, most] = [
      [0, 0],
      [1, 1275],
      [640, 640],
    ][codec] ?? [0, 0];
    if (payloadLength < (least ?? 0) || payloadLength > (most ?? 0))
      return 'invalid_payload_length';
    at += FRAME_HEADER_BYTES + payloadLength;
    if (at > length) return 'truncated';
  }
  return at === length ? undefined : 'trailing_bytes';
}

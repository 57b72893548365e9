import type { AudioDecoder, DecodeBatch, DecoderPool } from '../src/index.js';
import { FRAME_PAYLOAD_BYTES, FRAME_SAMPLES, SESSION_SAMPLE_RATE_HZ } from '../src/index.js';

const HAS_COPY = 1;
const INVALID = -4;

/** Configuration 9: SILK wideband, 20 ms, one frame. */
const TOC = 9 << 3;

/**
 * A packet of the stub codec, which looks like Opus to who reads its table of contents: a buzz of this
 * loudness, and the loudness of the frame before when it carries a copy of that.
 */
export function packet(loudness: number, previous?: number): Uint8Array {
  return Uint8Array.of(TOC, previous === undefined ? 0 : HAS_COPY, loudness, previous ?? 0);
}

/** The loudness at which it is no buzz but the digit 5, which goes on from frame to frame. */
export const DIGIT_5 = 255;

/** The same, but only the last 10 ms of the frame. */
export const END_OF_DIGIT_5 = 254;

/** A packet that does not decode. */
export const DAMAGED_PACKET: Uint8Array = Uint8Array.of(TOC, 7, 0);

/** What an encoder sends in a pause. */
export const DTX_PACKET: Uint8Array = Uint8Array.of(TOC);

export function carriesPrevious(bytes: Uint8Array, offset: number, length: number): boolean {
  return length === 4 && bytes[offset + 1] === HAS_COPY;
}

/** A codec whose sound depends on all that its decoder was asked so far, as a real one's does. */
export class StubDecoder implements AudioDecoder {
  /** What it was asked, one letter each: decode, conceal, recover, begin anew. */
  asked = '';
  isReleased = false;
  #last = 0;
  #samples = 0;

  decode(bytes: Uint8Array, offset: number, length: number, out: Int16Array): number {
    this.asked += 'd';
    if (length !== 4 || bytes[offset + 1]! > HAS_COPY) return INVALID;
    return this.#sound(bytes[offset + 2]!, out);
  }

  reset(): void {
    this.asked += 'n';
    this.#last = 0;
  }

  conceal(samples: number, out: Int16Array): number {
    this.asked += 'c';
    if (samples !== FRAME_SAMPLES) return INVALID;
    // A tone goes on in what is made up, as loud as it was.
    return this.#sound(this.#last >= END_OF_DIGIT_5 ? DIGIT_5 : this.#last * 0.8, out);
  }

  recover(
    bytes: Uint8Array,
    offset: number,
    length: number,
    samples: number,
    out: Int16Array,
  ): number {
    if (!carriesPrevious(bytes, offset, length)) return this.conceal(samples, out);
    this.asked += 'r';
    return this.#sound(bytes[offset + 3]!, out);
  }

  release(): void {
    this.isReleased = true;
  }

  #sound(loudness: number, out: Int16Array): number {
    const amplitude = 0.75 * loudness + 0.25 * this.#last;
    this.#last = loudness;
    const from = this.#samples;
    this.#samples += out.length;
    for (let i = 0; i < out.length; i += 1) {
      const buzz = amplitude * 60 * Math.sin(i * 0.11) * Math.sin(i * 0.013);
      const isDigit = loudness === DIGIT_5 || (loudness === END_OF_DIGIT_5 && i >= out.length / 2);
      out[i] = Math.round(isDigit ? digit5(from + i) : loudness === END_OF_DIGIT_5 ? 0 : buzz);
    }
    return FRAME_SAMPLES;
  }
}

function digit5(sample: number): number {
  const radians = (2 * Math.PI * sample) / SESSION_SAMPLE_RATE_HZ;
  return 4000 * (Math.sin(770 * radians) + Math.sin(1336 * radians));
}

/** Hands out stub decoders, without bound. */
export class StubDecoders implements DecoderPool {
  readonly made: StubDecoder[] = [];
  readonly batch: DecodeBatch;

  constructor(entries = 1) {
    this.batch = new StubBatch(entries);
  }

  acquire(): StubDecoder {
    const decoder = new StubDecoder();
    this.made.push(decoder);
    return decoder;
  }
}

class StubBatch implements DecodeBatch {
  readonly entries: number;
  readonly packets: Uint8Array[];
  readonly pcm: Int16Array[];
  readonly results: Int32Array;
  readonly #decoders: (StubDecoder | undefined)[] = [];
  readonly #lengths: number[] = [];

  constructor(entries: number) {
    this.entries = entries;
    this.packets = Array.from({ length: entries }, () => new Uint8Array(FRAME_PAYLOAD_BYTES));
    this.pcm = Array.from({ length: entries }, () => new Int16Array(FRAME_SAMPLES));
    this.results = new Int32Array(entries);
  }

  set(entry: number, decoder: AudioDecoder, length: number): void {
    this.#decoders[entry] = asStub(decoder);
    this.#lengths[entry] = length;
  }

  run(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const decoder = this.#decoders[i];
      this.results[i] =
        decoder?.decode(this.packets[i]!, 0, this.#lengths[i] ?? 0, this.pcm[i]!) ?? INVALID;
    }
  }
}

export function asStub(decoder: AudioDecoder): StubDecoder {
  if (decoder instanceof StubDecoder) return decoder;
  throw new TypeError('the decoder must be a stub');
}

import type { DecoderPool, OpusDecoder } from '@earshot/opus';
import type { PacketStream } from './packet-corpus.js';

export interface ControlStreamOptions {
  readonly pool: DecoderPool;
  readonly channels: number;
  readonly packets: PacketStream;
  /** From `decodeAlone`. */
  readonly expected: readonly Int16Array[];
}

/** A stream that is never tampered with, amid decoders that are: it must not notice. */
export class ControlStream {
  readonly #pool: DecoderPool;
  readonly #packets: PacketStream;
  readonly #expected: readonly Int16Array[];
  readonly #channels: number;
  #decoder: OpusDecoder;
  #next = 0;

  constructor(options: ControlStreamOptions) {
    this.#pool = options.pool;
    this.#packets = options.packets;
    this.#expected = options.expected;
    this.#channels = options.channels;
    this.#decoder = options.pool.acquire();
  }

  get decoder(): OpusDecoder {
    return this.#decoder;
  }

  /** The packet to be decoded next. */
  get packet(): Uint8Array {
    return this.#packets[this.#next]!;
  }

  /** Takes what was made of `packet`, and goes on; false when it is not what it must be. */
  check(samples: number, pcm: Int16Array): boolean {
    const wanted = this.#expected[this.#next]!;
    const isSame =
      samples * this.#channels === wanted.length && wanted.every((value, i) => value === pcm[i]);
    this.#next += 1;
    if (this.#next === this.#packets.length) this.#startAgain();
    return isSame;
  }

  #startAgain(): void {
    this.#decoder.release();
    this.#decoder = this.#pool.acquire();
    this.#next = 0;
  }
}

/** Decodes a stream by a decoder of a pool that nobody else uses. */
export function decodeAlone(
  pool: DecoderPool,
  packets: PacketStream,
  frameLength: number,
): Int16Array[] {
  const decoder = pool.acquire();
  const frames = packets.map((packet) => {
    const pcm = new Int16Array(frameLength);
    decoder.decode(packet, 0, packet.length, pcm);
    return pcm;
  });
  decoder.release();
  return frames;
}

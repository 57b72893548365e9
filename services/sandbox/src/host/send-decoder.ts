import { samplesPerFrame } from '@earshot/audio';
import { CODEC } from '@earshot/bridge-protocol';
import type { DecoderPool, OpusDecoder } from '@earshot/opus';

/** What the meeting hears. */
export const MEETING_RATE_HZ = 16_000;
/** Of 20 ms. */
export const MEETING_FRAME_SAMPLES: number = samplesPerFrame(MEETING_RATE_HZ);

/** Turns the frames of one send stream into what the meeting hears. Give it back with `release`. */
export class SendDecoder {
  readonly #pool: DecoderPool;
  #opus: OpusDecoder | undefined;

  constructor(pool: DecoderPool) {
    this.#pool = pool;
  }

  /**
   * Writes 20 ms into `out`: silence where the payload does not decode.
   *
   * @returns false when it did not.
   */
  decode(codec: number, payload: Uint8Array, out: Int16Array): boolean {
    if (codec === CODEC.opus) return this.#decodeOpus(payload, out);
    out.fill(0);
    if (codec !== CODEC.pcm16) return true;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    for (let n = 0; n < MEETING_FRAME_SAMPLES; n += 1) out[n] = view.getInt16(2 * n, true);
    return true;
  }

  release(): void {
    this.#opus?.release();
    this.#opus = undefined;
  }

  #decodeOpus(payload: Uint8Array, out: Int16Array): boolean {
    this.#opus ??= this.#pool.acquire();
    const samples = this.#opus.decode(payload, 0, payload.length, out);
    if (samples === MEETING_FRAME_SAMPLES) return true;
    out.fill(0);
    return false;
  }
}

import type { OpusEncoder, OpusEngine, OpusSampleRateHz } from './opus-engine.js';
import { MAX_FRAME_BYTES } from './opus-packet.js';

const FRAMES_PER_SECOND = 50;
const BITRATE_BPS = 24_000;

/** Cuts mono PCM of any length into frames and encodes them as a media host does: voice, DTX. */
export class FrameEncoder {
  readonly #encoder: OpusEncoder;
  readonly #frame: Int16Array;
  readonly #packet: Uint8Array = new Uint8Array(MAX_FRAME_BYTES);
  readonly #packets: Uint8Array[] = [];
  #filled = 0;
  #lowByte: number | undefined;

  constructor(engine: OpusEngine, sampleRateHz: OpusSampleRateHz) {
    const pool = engine.createEncoderPool({
      sampleRateHz,
      channels: 1,
      bitrateBps: BITRATE_BPS,
      dtx: true,
      application: 'voip',
      capacity: 1,
    });
    this.#encoder = pool.acquire();
    this.#frame = new Int16Array(sampleRateHz / FRAMES_PER_SECOND);
  }

  /** Takes the samples; `pcm` stays the caller's. */
  write(pcm: Int16Array): void {
    for (const sample of pcm) this.#add(sample);
  }

  /** Takes little-endian samples; one may be split between two calls. */
  writeBytes(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#lowByte === undefined) {
        this.#lowByte = byte;
      } else {
        this.#add(this.#lowByte | (byte << 8));
        this.#lowByte = undefined;
      }
    }
  }

  /** Fills the last frame with silence and returns all packets. Call once. */
  finish(): Uint8Array[] {
    if (this.#filled > 0) {
      this.#frame.fill(0, this.#filled);
      this.#encode();
    }
    this.#encoder.release();
    return this.#packets;
  }

  #add(sample: number): void {
    this.#frame[this.#filled++] = sample;
    if (this.#filled < this.#frame.length) return;
    this.#encode();
    this.#filled = 0;
  }

  #encode(): void {
    const length = this.#encoder.encode(this.#frame, this.#packet);
    this.#packets.push(this.#packet.slice(0, length));
  }
}

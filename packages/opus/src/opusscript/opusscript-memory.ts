import { MAX_PACKET_BYTES, MAX_PACKET_SAMPLES } from '../opus-packet.js';
import type { OpusHandler, OpusModule } from './opusscript-module.js';

const MAX_CHANNELS = 2;
const BYTES_PER_SAMPLE_OUT = 4;

/**
 * One module and the two buffers that all its decoders and encoders share: calls are synchronous,
 * so no call sees another's bytes.
 */
export class OpusscriptMemory {
  readonly module: OpusModule;
  readonly #packetPointer: number;
  readonly #pcmPointer: number;

  constructor(module: OpusModule) {
    this.module = module;
    this.#packetPointer = module._malloc(MAX_PACKET_BYTES);
    this.#pcmPointer = module._malloc(MAX_PACKET_SAMPLES * MAX_CHANNELS * BYTES_PER_SAMPLE_OUT);
  }

  /**
   * Decodes into `out[outOffset, …)`; returns samples per channel, or libopus' error. Bounds are the
   * caller's.
   */
  decode(
    handler: OpusHandler,
    channels: number,
    packet: Uint8Array,
    offset: number,
    length: number,
    out: Int16Array,
    outOffset = 0,
  ): number {
    const bytes = this.module.HEAPU8;
    const target = this.#packetPointer;
    for (let i = 0; i < length; i++) bytes[target + i] = packet[offset + i]!;
    const samples = handler._decode(target, length, this.#pcmPointer);
    if (samples > 0) this.#takeSamples(samples * channels, out, outOffset);
    return samples;
  }

  // The handler leaves a sample's low and high byte in two 16-bit slots: one 32-bit word.
  #takeSamples(count: number, out: Int16Array, outOffset: number): void {
    const words = this.module.HEAP32;
    const first = this.#pcmPointer >> 2;
    for (let i = 0; i < count; i++) {
      const word = words[first + i]!;
      out[outOffset + i] = (word & 0xff) | ((word >>> 8) & 0xff00);
    }
  }

  /** Encodes `pcm`; returns the packet's length, or libopus' error. */
  encode(handler: OpusHandler, channels: number, pcm: Int16Array, out: Uint8Array): number {
    this.module.HEAP16.set(pcm, this.#pcmPointer >> 1);
    const frameSize = pcm.length / channels;
    const length = handler._encode(this.#pcmPointer, 0, this.#packetPointer, frameSize);
    const bytes = this.module.HEAPU8;
    for (let i = 0; i < length; i++) out[i] = bytes[this.#packetPointer + i]!;
    return length;
  }

  /** A number that the encoder tells: its argument is a pointer to an `opus_int32`. */
  encoderValue(handler: OpusHandler, request: number): number {
    handler._encoder_ctl(request, this.#pcmPointer);
    return this.module.HEAP32[this.#pcmPointer >> 2]!;
  }
}

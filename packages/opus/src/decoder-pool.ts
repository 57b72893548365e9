import { CodedError } from '@earshot/async';
import type { EngineMemory } from './engine-memory.js';
import { MAX_PACKET_BYTES, OPUS_ERROR, packetSamplesAt48k } from './opus-packet.js';
import type { OpusHandler } from './opusscript-module.js';
import { APPLICATION, CTL } from './opusscript-module.js';

/** Rates libopus decodes to and encodes from. */
export type OpusSampleRateHz = 8000 | 12000 | 16000 | 24000 | 48000;

export interface DecoderPoolOptions {
  /** PCM rate of every decoder of the pool; independent of the rate that was encoded. */
  readonly sampleRateHz: OpusSampleRateHz;
  /** 1: stereo packets are mixed down. 2: samples are interleaved. */
  readonly channels: 1 | 2;
  /** Decoders that may be in use at once; about 100 kB each, made when first needed. */
  readonly capacity: number;
}

/** Decodes the packets of one stream; state carries from packet to packet. */
export interface OpusDecoder {
  /**
   * Decodes the packet `packet[offset, offset + length)` into `out`. Both stay the caller's.
   *
   * @returns samples per channel written, or a negative `OPUS_ERROR`: not decodable, empty, or longer
   * than `out` holds. Never throws; after an error the next packet decodes as usual.
   */
  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number;
  /** Forgets the stream so far: the next packet decodes as by a new decoder. */
  reset(): void;
  /** Gives the decoder back. Afterwards `decode` returns `OPUS_ERROR.invalidState`. */
  release(): void;
}

/**
 * Decoders of one kind. Policy: made on demand up to `capacity`, then refused; a released one is
 * reset and handed out again, last in first out.
 */
export class DecoderPool {
  readonly capacity: number;
  readonly #memory: EngineMemory;
  readonly #options: DecoderPoolOptions;
  readonly #idle: OpusHandler[] = [];
  #inUse = 0;

  constructor(memory: EngineMemory, options: DecoderPoolOptions) {
    this.#memory = memory;
    this.#options = options;
    this.capacity = options.capacity;
  }

  /** Decoders handed out and not given back. */
  get inUse(): number {
    return this.#inUse;
  }

  /**
   * A decoder in its initial state; give it back with `release`.
   *
   * @throws CodedError `decoder_pool_exhausted` when `capacity` decoders are in use.
   */
  acquire(): OpusDecoder {
    if (this.#inUse >= this.capacity) {
      throw new CodedError(
        'decoder_pool_exhausted',
        `Cannot acquire a decoder: at most ${this.capacity} may be in use, got a request for one more`,
      );
    }
    const handler = this.#idle.pop() ?? this.#create();
    handler._decoder_ctl(CTL.resetState, 0);
    this.#inUse += 1;
    return new PooledDecoder(this.#memory, this.#options, handler, this.#takeBack);
  }

  #create(): OpusHandler {
    const { sampleRateHz, channels } = this.#options;
    return new this.#memory.module.OpusScriptHandler(sampleRateHz, channels, APPLICATION.voip);
  }

  readonly #takeBack = (handler: OpusHandler): void => {
    this.#inUse -= 1;
    this.#idle.push(handler);
  };
}

/** One loan of a handler: a holder that lets go can't reach what the next one is decoding. */
class PooledDecoder implements OpusDecoder {
  readonly #memory: EngineMemory;
  readonly #channels: number;
  readonly #samplesPer48k: number;
  readonly #takeBack: (handler: OpusHandler) => void;
  #handler: OpusHandler | undefined;

  constructor(
    memory: EngineMemory,
    options: DecoderPoolOptions,
    handler: OpusHandler,
    takeBack: (handler: OpusHandler) => void,
  ) {
    this.#memory = memory;
    this.#channels = options.channels;
    this.#samplesPer48k = 48_000 / options.sampleRateHz;
    this.#handler = handler;
    this.#takeBack = takeBack;
  }

  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number {
    if (this.#handler === undefined) return OPUS_ERROR.invalidState;
    if (offset < 0 || offset + length > packet.length) return OPUS_ERROR.badArgument;
    // libopus would answer an empty packet with concealment, up to 360 ms of it.
    const samplesAt48k = packetSamplesAt48k(packet, offset, length);
    if (samplesAt48k === 0 || length > MAX_PACKET_BYTES) return OPUS_ERROR.invalidPacket;
    const fits = samplesAt48k * this.#channels <= out.length * this.#samplesPer48k;
    if (!fits) return OPUS_ERROR.bufferTooSmall;
    return this.#memory.decode(this.#handler, this.#channels, packet, offset, length, out);
  }

  reset(): void {
    this.#handler?._decoder_ctl(CTL.resetState, 0);
  }

  release(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    this.#handler = undefined;
    this.#takeBack(handler);
  }
}

/** The engines there are; `wasm` is the default. */
export const OPUS_ENGINES = ['wasm', 'native', 'opusscript'] as const;

/**
 * - `wasm`: libopus 1.5.2 with our patches as WebAssembly with SIMD. Runs wherever Node runs; a
 *   damaged or hostile packet can't reach outside its memory.
 * - `native`: the same sources as machine code behind Node-API, where a build for the machine exists.
 * - `opusscript`: libopus 1.4 as the npm package builds it; the differential oracle of the others.
 */
export type OpusEngineName = (typeof OPUS_ENGINES)[number];

/** Rates libopus decodes to and encodes from. */
export type OpusSampleRateHz = 8000 | 12000 | 16000 | 24000 | 48000;

/** Decodes and encodes in the thread that made it; not transferable. Its pools are independent. */
export interface OpusEngine {
  readonly name: OpusEngineName;
  /** What the codec calls itself, such as `libopus 1.5.2`. */
  readonly version: string;
  /** Whether `OpusDecoder.recover` uses in-band FEC; otherwise it conceals. */
  readonly recoversFec: boolean;
  /** @throws CodedError `invalid_opus_options` */
  createDecoderPool(options: DecoderPoolOptions): DecoderPool;
  /** @throws CodedError `invalid_opus_options` */
  createEncoderPool(options: EncoderPoolOptions): EncoderPool;
}

export interface DecoderPoolOptions {
  /** PCM rate of every decoder of the pool; independent of the rate that was encoded. */
  readonly sampleRateHz: OpusSampleRateHz;
  /** 1: stereo packets are mixed down. 2: samples are interleaved. */
  readonly channels: 1 | 2;
  /** Decoders that may be in use at once; their memory is reserved, and touched when first needed. */
  readonly capacity: number;
  /** What `batch` holds; one entry for a frame of 20 ms by default. */
  readonly batch?: DecodeBatchOptions;
}

export interface DecodeBatchOptions {
  readonly entries: number;
  /** Longest packet of an entry. */
  readonly maxPacketBytes: number;
  /** Most samples per channel of an entry. */
  readonly maxSamples: number;
}

/**
 * Decoders of one kind. Policy: at most `capacity` in use, then refused; a released one is handed
 * out again, last in first out, in its initial state.
 */
export interface DecoderPool {
  readonly capacity: number;
  /** Decoders handed out and not given back. */
  readonly inUse: number;
  /** Packets and PCM in the codec's own memory, decoded by one call. One for the whole pool. */
  readonly batch: DecodeBatch;
  /**
   * A decoder in its initial state; give it back with `release`.
   *
   * @throws CodedError `decoder_pool_exhausted` when `capacity` decoders are in use.
   */
  acquire(): OpusDecoder;
}

/** Decodes the packets of one stream; state carries from packet to packet. */
export interface OpusDecoder {
  /**
   * Decodes the packet `packet[offset, offset + length)` into `out`. Both stay the caller's; memory
   * of the pool's batch is used in place.
   *
   * @returns samples per channel written, or a negative `OPUS_ERROR`: not decodable, empty, or longer
   * than `out` holds. Never throws; after an error the next packet decodes as usual.
   */
  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number;
  /**
   * Makes up the sound of a lost packet (PLC), so that the next one follows on.
   *
   * @param samples how much per channel was lost; a multiple of 2.5 ms.
   * @returns `samples`, or a negative `OPUS_ERROR`.
   */
  conceal(samples: number, out: Int16Array): number;
  /**
   * The sound of the lost packet before `packet`, from the low-bitrate copy of it that `packet`
   * carries (in-band FEC, RFC 6716 §2.1.7); concealed where there is none. `packet` itself is still
   * to be decoded.
   *
   * @param samples how much per channel was lost; a multiple of 2.5 ms.
   * @returns `samples`, or a negative `OPUS_ERROR`.
   */
  recover(
    packet: Uint8Array,
    offset: number,
    length: number,
    samples: number,
    out: Int16Array,
  ): number;
  /** Forgets the stream so far: the next packet decodes as by a new decoder. */
  reset(): void;
  /** Gives the decoder back. Afterwards `decode` returns `OPUS_ERROR.invalidState`. */
  release(): void;
}

/**
 * Entries that are filled one by one and decoded by one call, each by a decoder of its own. The
 * arrays are views of the codec's memory and stay the same for as long as the pool lives; what they
 * hold is the caller's until the next `run` with that entry.
 */
export interface DecodeBatch {
  readonly entries: number;
  /** Where the packet of an entry is written; `maxPacketBytes` long each. */
  readonly packets: readonly Uint8Array[];
  /** Where the samples of an entry are found after `run`; `maxSamples` times channels long each. */
  readonly pcm: readonly Int16Array[];
  /** By entry, after `run`: samples per channel, or a negative `OPUS_ERROR`. */
  readonly results: Int32Array;
  /** States who decodes the entry, and how many bytes of its packet. `decoder` must be of this pool. */
  set(entry: number, decoder: OpusDecoder, length: number): void;
  /** Decodes the entries `[0, count)` in order. Never throws. */
  run(count: number): void;
}

export interface OpusEncoderOptions {
  readonly sampleRateHz: OpusSampleRateHz;
  /** 2: samples are interleaved. */
  readonly channels: 1 | 2;
  readonly bitrateBps: number;
  /** Discontinuous transmission: pauses become packets of 1 or 2 bytes. */
  readonly dtx: boolean;
  /** `voip`: speech, tuned to be understood. `audio`: faithful to the input. */
  readonly application: 'voip' | 'audio';
  /**
   * In-band FEC for this much loss: packets carry a low-bitrate copy of the frame before them.
   * 0, the default: none.
   */
  readonly fecLossPercent?: number;
}

export interface EncoderPoolOptions extends OpusEncoderOptions {
  /** Encoders that may be in use at once. */
  readonly capacity: number;
}

/** Encoders of one kind. Policy as for decoders. */
export interface EncoderPool {
  readonly capacity: number;
  readonly inUse: number;
  /** Samples at the input rate by which the decoded sound comes later than the input. */
  readonly lookaheadSamples: number;
  /**
   * An encoder in its initial state; give it back with `release`.
   *
   * @throws CodedError `encoder_pool_exhausted` when `capacity` encoders are in use.
   */
  acquire(): OpusEncoder;
}

/** Encodes one stream, 20 ms a packet. */
export interface OpusEncoder {
  /**
   * Encodes the next 20 ms into `out`, which bounds the packet. Both stay the caller's.
   *
   * @returns the packet's length in bytes.
   * @throws CodedError `invalid_frame_length` when `pcm` is not 20 ms, `encoder_released`,
   * `opus_encode_failed`.
   */
  encode(pcm: Int16Array, out: Uint8Array): number;
  /** Gives the encoder back. Idempotent. */
  release(): void;
}

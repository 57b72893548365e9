/**
 * Decodes the packets of one stream. Port: the adapter lives in another package.
 * State carries from packet to packet, so a decoder serves one stream at a time.
 */
export interface AudioDecoder {
  /**
   * Decodes `packet[offset, offset + length)` into `out`, which stays the caller's.
   *
   * @returns samples written, or a negative number when the packet is not decodable or does not
   * fit `out`; the decoder stays usable.
   */
  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number;
  /** Forgets the stream so far. */
  reset(): void;
  /** Gives the decoder back to its pool; it must not be used afterwards. */
  release(): void;
}

/** Hands out decoders in their initial state. */
export interface DecoderPool {
  /** @throws CodedError when the pool is exhausted. */
  acquire(): AudioDecoder;
}

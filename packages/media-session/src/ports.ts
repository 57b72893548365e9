// What the core asks of a codec and of a speech model. Structural: @earshot/opus and
// @earshot/speech-model satisfy it without knowing it.

/**
 * The decoder of one stream, whose state carries from packet to packet. Packets are decoded by the
 * pool's batch; what else a stream asks of its decoder is here.
 */
export interface AudioDecoder {
  /**
   * Decodes the packet `packet[offset, offset + length)` by itself, as the batch would.
   *
   * @param out the caller's; memory of the pool's batch is used in place
   * @returns samples, or a negative number when it is not decodable.
   */
  decode(packet: Uint8Array, offset: number, length: number, out: Int16Array): number;
  /** Forgets all packets: as good as new. */
  reset(): void;
  /**
   * Makes up the sound of a lost packet, so that the next one follows on.
   *
   * @param samples how much was lost
   * @param out the caller's; memory of the pool's batch is used in place
   * @returns `samples`, or a negative number when it can't.
   */
  conceal(samples: number, out: Int16Array): number;
  /**
   * The sound of the lost packet before `packet[offset, offset + length)`, from the copy of it that
   * this one carries. `packet` itself is still to be decoded.
   *
   * @param samples how much was lost
   * @param out the caller's; memory of the pool's batch is used in place
   * @returns `samples`, or a negative number when it can't.
   */
  recover(
    packet: Uint8Array,
    offset: number,
    length: number,
    samples: number,
    out: Int16Array,
  ): number;
  /** Gives the decoder back to its pool; it must not be used afterwards. */
  release(): void;
}

/** Hands out decoders in their initial state. */
export interface DecoderPool {
  /** Decodes packets of several decoders by one call. One for the whole pool. */
  readonly batch: DecodeBatch;
  /** @throws CodedError when the pool is exhausted. */
  acquire(): AudioDecoder;
}

/**
 * Entries in the codec's own memory: each is a packet that is written in place, and the samples that
 * are read in place after `run`. What an entry holds is the caller's until the next `run` with it.
 */
export interface DecodeBatch {
  readonly entries: number;
  /** Where the packet of an entry is written; `FRAME_PAYLOAD_BYTES` each, at whole words. */
  readonly packets: readonly Uint8Array[];
  /** Where the samples of an entry are found; `FRAME_SAMPLES` each. */
  readonly pcm: readonly Int16Array[];
  /** By entry, after `run`: samples, or a negative number when the packet is not decodable. */
  readonly results: Int32Array;
  /** States who decodes the entry, and how many bytes of its packet. */
  set(entry: number, decoder: AudioDecoder, length: number): void;
  /** Decodes the entries `[0, count)` in order. Never throws. */
  run(count: number): void;
}

/**
 * Whether the packet `bytes[offset, offset + length)` carries a copy of the frame before it, which
 * `AudioDecoder.recover` can use. Asked only when that frame is missing.
 */
export type CarriesPrevious = (bytes: Uint8Array, offset: number, length: number) => boolean;

/** 32-bit words that a checkpoint has for the state of a speech model's stream. */
export const SPEECH_MODEL_WORDS = 546;

/** Tells how likely sound is speech, for many streams by one call. */
export interface SpeechModel {
  /** 32-bit words that `SpeechModelStream.save` writes; at most `SPEECH_MODEL_WORDS`. */
  readonly stateWords: number;
  /** A stream in its initial state. @throws CodedError when there are too many. */
  acquire(): SpeechModelStream;
  /** Listens to the windows that are due, of all streams. What one gets does not depend on others. */
  run(): void;
}

/** One stream's way through the model, whose state carries from window to window. */
export interface SpeechModelStream {
  /** Of the last window that was listened to, 0 to 1; 0 before the first. */
  readonly probability: number;
  /** A window is full, and waits for `SpeechModel.run`. */
  readonly isDue: boolean;
  /** Adds a frame's sound, copied; listens first when a window is due. */
  push(pcm: Int16Array): void;
  /** Forgets all: as good as new. */
  reset(): void;
  /** Writes its state; listens first when a window is due. */
  save(out: Int32Array, at: number): void;
  /** Reads back what `save` wrote; resets it when that can't be. */
  restore(from: Int32Array, at: number): void;
  /** Gives its place to others; it must not be used afterwards. */
  release(): void;
}

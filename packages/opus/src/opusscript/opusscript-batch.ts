import type { DecodeBatch, DecodeBatchOptions, OpusDecoder } from '../opus-engine.js';
import { checkEntry } from '../opus-options.js';
import { OPUS_ERROR } from '../opus-packet.js';

/** A batch of packets decoded one after another, as opusscript has no call for several. */
export class OpusscriptBatch implements DecodeBatch {
  readonly entries: number;
  readonly packets: readonly Uint8Array[];
  readonly pcm: readonly Int16Array[];
  readonly results: Int32Array;
  readonly #decoders: (OpusDecoder | undefined)[];
  readonly #lengths: Int32Array;

  constructor({ entries, maxPacketBytes, maxSamples }: DecodeBatchOptions, channels: number) {
    this.entries = entries;
    this.packets = Array.from({ length: entries }, () => new Uint8Array(maxPacketBytes));
    this.pcm = Array.from({ length: entries }, () => new Int16Array(maxSamples * channels));
    this.results = new Int32Array(entries);
    this.#decoders = Array.from({ length: entries }, () => undefined);
    this.#lengths = new Int32Array(entries);
  }

  set(entry: number, decoder: OpusDecoder, length: number): void {
    checkEntry(entry, this.entries);
    this.#decoders[entry] = decoder;
    this.#lengths[entry] = length <= this.packets[entry]!.length ? length : 0;
  }

  run(count: number): void {
    const used = Math.min(count, this.entries);
    for (let i = 0; i < used; i++) {
      this.results[i] =
        this.#decoders[i]?.decode(this.packets[i]!, 0, this.#lengths[i]!, this.pcm[i]!) ??
        OPUS_ERROR.invalidState;
    }
  }
}

import { CODEC } from '@earshot/bridge-protocol';
import type { AudioDecoder, DecoderPool, Finding } from '@earshot/media-session';
import {
  FRAME_PAYLOAD_BYTES,
  FRAME_SAMPLES,
  FrameSlot,
  SESSION_SAMPLE_RATE_HZ,
  StreamCounters,
  StreamPipeline,
} from '@earshot/media-session';
import type { OpusEngine } from '@earshot/opus';
import { opusPacketHasFec } from '@earshot/opus';
import { BATCH_ENTRIES } from '../engines/batch-run.js';

const FRAME_MS = 20;

/** Streams that are decoded and heard in the calling thread, without a socket and without a ring. */
export class OfflineStreams {
  readonly #pool: DecoderPool;
  readonly #slots: readonly FrameSlot[];
  readonly #decoders: readonly AudioDecoder[];
  readonly #pipelines: readonly StreamPipeline[];
  /** Of the next frame of each stream; those that are only decoded have none. */
  #sequence = 0;

  /** @param count streams; a multiple of the entries of a batch. */
  constructor(engine: OpusEngine, count: number, onFinding: (finding: Finding) => void) {
    this.#pool = engine.createDecoderPool({
      sampleRateHz: SESSION_SAMPLE_RATE_HZ,
      channels: 1,
      capacity: 2 * count,
      batch: {
        entries: BATCH_ENTRIES,
        maxPacketBytes: FRAME_PAYLOAD_BYTES,
        maxSamples: FRAME_SAMPLES,
      },
    });
    this.#slots = this.#pool.batch.packets.map((packet) => new FrameSlot(packet));
    this.#decoders = Array.from({ length: count }, () => this.#pool.acquire());
    this.#pipelines = Array.from({ length: count }, () => this.#open(onFinding));
  }

  /** Decodes a frame of each stream, and no more. */
  decodeFrame(packetOf: (stream: number) => Uint8Array): void {
    const { batch } = this.#pool;
    this.#eachBatch((first, count) => {
      for (let entry = 0; entry < count; entry += 1) {
        const packet = packetOf(first + entry);
        batch.packets[entry]!.set(packet);
        batch.set(entry, this.#decoders[first + entry]!, packet.length);
      }
      batch.run(count);
    });
  }

  /** Decodes a frame of each stream, and listens to it. */
  hearFrame(packetOf: (stream: number) => Uint8Array): void {
    const { batch } = this.#pool;
    const sequence = this.#sequence;
    this.#sequence += 1;
    this.#eachBatch((first, count) => {
      for (let entry = 0; entry < count; entry += 1) {
        const pipeline = this.#pipelines[first + entry]!;
        const slot = this.#slots[entry]!;
        const packet = packetOf(first + entry);
        slot.payload.set(packet);
        slot.sequence = sequence;
        slot.mediaTimeMs = sequence * FRAME_MS;
        slot.codec = CODEC.opus;
        slot.length = packet.length;
        // The track holds neither silence nor DTX: each frame is to be decoded.
        pipeline.accept(slot, batch.pcm[entry]!);
        batch.set(entry, pipeline.decoder, packet.length);
      }
      batch.run(count);
      for (let entry = 0; entry < count; entry += 1) {
        const pipeline = this.#pipelines[first + entry]!;
        pipeline.decoded(batch.results[entry]!, batch.pcm[entry]!);
        pipeline.publish();
      }
    });
  }

  #eachBatch(run: (first: number, count: number) => void): void {
    const count = this.#pipelines.length;
    for (let first = 0; first < count; first += BATCH_ENTRIES) {
      run(first, Math.min(BATCH_ENTRIES, count - first));
    }
  }

  #open(sink: (finding: Finding) => void): StreamPipeline {
    return new StreamPipeline({
      codec: CODEC.opus,
      decoders: this.#pool,
      carriesPrevious: opusPacketHasFec,
      counters: StreamCounters.allocate(0),
      sink,
    });
  }
}

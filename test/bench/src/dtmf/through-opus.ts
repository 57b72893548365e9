import { CODEC } from '@earshot/bridge-protocol';
import type { CallToneKind } from '@earshot/call-tones';
import { CALL_TONE_KINDS } from '@earshot/call-tones';
import type { AudioDecoder, DecoderPool, Finding } from '@earshot/media-session';
import {
  CLOSE_MODE,
  FRAME_PAYLOAD_BYTES,
  FRAME_SAMPLES,
  FrameSlot,
  SESSION_SAMPLE_RATE_HZ,
  StreamCounters,
  StreamPipeline,
} from '@earshot/media-session';
import type { OpusEngine } from '@earshot/opus';
import { encodeFrames, opusPacketHasFec } from '@earshot/opus';
import { SeededRandom } from '../seeded-random.js';
import { CELL_SEED } from './dialled-cells.js';
import type { HeardDigit } from './score.js';

const FRAME_MS = 20;
const BITRATE_BPS = 24_000;

/** A sound as it comes over the net; undefined for packets that were lost. */
export type Packets = readonly (Uint8Array | undefined)[];

/**
 * Sends sounds through Opus at 24 kbit/s, as a host may encode speech, and loses packets on the
 * way: each one by itself with the same probability, the same ones in every run.
 */
export class OpusPath {
  readonly #engine: OpusEngine;
  readonly #pool: DecoderPool;
  readonly #decoder: AudioDecoder;

  constructor(engine: OpusEngine) {
    this.#engine = engine;
    this.#pool = engine.createDecoderPool({
      sampleRateHz: SESSION_SAMPLE_RATE_HZ,
      channels: 1,
      capacity: 4,
      batch: { entries: 1, maxPacketBytes: FRAME_PAYLOAD_BYTES, maxSamples: FRAME_SAMPLES },
    });
    this.#decoder = this.#pool.acquire();
  }

  /** @param fecLossPercent what the encoder adds copies of frames for; 0: it adds none */
  send(pcm: Int16Array, fecLossPercent = 0): Packets {
    return encodeFrames(this.#engine, pcm, {
      sampleRateHz: SESSION_SAMPLE_RATE_HZ,
      channels: 1,
      bitrateBps: BITRATE_BPS,
      dtx: false,
      application: 'voip',
      fecLossPercent,
    });
  }

  /** @param lossShare of the packets, 0 to 1 */
  lose(packets: Packets, lossShare: number, seed: number): Packets {
    const random = new SeededRandom(CELL_SEED + 31 * seed);
    return packets.map((packet) =>
      random.below(10_000) < lossShare * 10_000 ? undefined : packet,
    );
  }

  /** What a peer gets to hear: lost packets are concealed by the decoder. */
  decode(packets: Packets): Int16Array {
    const pcm = new Int16Array(packets.length * FRAME_SAMPLES);
    this.#decoder.reset();
    packets.forEach((packet, n) => {
      const frame = pcm.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES);
      if (packet === undefined) this.#decoder.conceal(FRAME_SAMPLES, frame);
      else this.#decoder.decode(packet, 0, packet.length, frame);
    });
    return pcm;
  }

  /** The digits that the real pipeline of a stream finds, which knows what was lost. */
  hear(packets: Packets): HeardDigit[] {
    const heard: HeardDigit[] = [];
    this.#run(packets, [], (finding) => {
      if (finding.kind === 'tone') heard.push({ digit: finding.digit });
    });
    return heard;
  }

  /** The other tones that it finds, with how much of the sound it had been given by then. */
  hearTones(packets: Packets): { readonly kind: CallToneKind; readonly toldMs: number }[] {
    const told: { readonly kind: CallToneKind; readonly toldMs: number }[] = [];
    this.#run(packets, CALL_TONE_KINDS, (finding, toldMs) => {
      if (finding.kind === 'otherTone') told.push({ kind: finding.tone, toldMs });
    });
    return told;
  }

  #run(
    packets: Packets,
    tones: readonly CallToneKind[],
    found: (finding: Finding, givenMs: number) => void,
  ): void {
    let givenMs = 0;
    const pipeline = new StreamPipeline({
      codec: CODEC.opus,
      decoders: this.#pool,
      carriesPrevious: opusPacketHasFec,
      counters: StreamCounters.allocate(0),
      tones,
      sink: (finding) => found(finding, givenMs),
    });
    const { batch } = this.#pool;
    const slot = new FrameSlot(batch.packets[0]!);
    packets.forEach((packet, sequence) => {
      givenMs = (sequence + 1) * FRAME_MS;
      if (packet === undefined) return;
      slot.payload.set(packet);
      slot.sequence = sequence;
      slot.mediaTimeMs = sequence * FRAME_MS;
      slot.codec = CODEC.opus;
      slot.length = packet.length;
      if (pipeline.accept(slot, batch.pcm[0]!)) {
        batch.set(0, pipeline.decoder, packet.length);
        batch.run(1);
        pipeline.decoded(batch.results[0]!, batch.pcm[0]!);
      }
      pipeline.publish();
    });
    pipeline.close(CLOSE_MODE.end, batch.pcm[0]!, packets.length);
  }
}

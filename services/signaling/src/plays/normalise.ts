import { CodedError } from '@earshot/async';
import type { DecoderPool, EncoderPool, OggOpusView, OpusEngine } from '@earshot/opus';
import {
  fileKind,
  isStereoPacket,
  listOggOpus,
  MAX_FRAME_BYTES,
  MAX_PACKET_SAMPLES,
  opusPacketDurationMs,
  writeOggOpus,
} from '@earshot/opus';
import { Resampler, readMono } from '@earshot/wav';
import { FrameSink } from './frame-sink.js';
import { invalidAudio } from './invalid-audio.js';
import { Turn } from './turn.js';
import { parsePostedWav } from './wav.js';

/** Containers that can be posted. */
export type AudioKind = 'wav' | 'ogg';

/** Audio as the media worker sends it. */
export interface PlayableAudio {
  /** Ogg Opus whose packets are mono and sound for 20 ms. */
  readonly ogg: Uint8Array;
  readonly frames: number;
  readonly sampleRateHz: number;
}

/** Longest audio. */
export const MAX_AUDIO_MS = 600_000;
/** Packets that are fine as they are pass through up to this size: 10 minutes at 56 kbit/s. */
const MAX_PASSED_BYTES = 4 * 1024 * 1024;
/** Teams' media platform plays 16 kHz. */
const SAMPLE_RATE_HZ = 16_000;
const FRAME_SAMPLES = 320;
const FRAME_MS = 20;
const MIN_PACKET_MS = 2.5;
const BITRATE_BPS = 32_000;
const PRE_SKIP_RATE_HZ = 48_000;
/** Rates that a send stream may name. */
const OPUS_RATES_HZ: ReadonlySet<number> = new Set([8000, 12_000, 16_000, 24_000, 48_000]);

/** Makes posted audio playable, in slices that leave the event loop free for other work. */
export class AudioNormaliser {
  readonly #decoders: DecoderPool;
  readonly #encoders: EncoderPool;

  /** @param capacity audios at once. */
  constructor(engine: OpusEngine, capacity: number) {
    const format = { sampleRateHz: SAMPLE_RATE_HZ, channels: 1, capacity } as const;
    this.#decoders = engine.createDecoderPool(format);
    const coding = { bitrateBps: BITRATE_BPS, dtx: false, application: 'audio' } as const;
    this.#encoders = engine.createEncoderPool({ ...format, ...coding });
  }

  /**
   * @param body borrowed until the promise settles.
   * @throws CodedError `invalid_audio`.
   */
  async normalise(body: Uint8Array, kind: AudioKind): Promise<PlayableAudio> {
    return kind === 'wav' ? this.#encodeWav(body) : this.#takeOgg(body);
  }

  async #encodeWav(body: Uint8Array): Promise<PlayableAudio> {
    const wav = parsePostedWav(body);
    checkDuration((wav.samples / wav.sampleRateHz) * 1000);
    const resampler = new Resampler(wav.sampleRateHz, SAMPLE_RATE_HZ);
    const isAtRate = wav.sampleRateHz === SAMPLE_RATE_HZ;
    const length = resampler.lengthOf(wav.samples);
    const read = (start: number, out: Float32Array): void => readMono(wav, start, out);
    return this.#encode(async (sink, turn) => {
      const block = new Float32Array(FRAME_SAMPLES);
      for (let start = 0; start < length; start += FRAME_SAMPLES) {
        const out = block.subarray(0, Math.min(FRAME_SAMPLES, length - start));
        if (isAtRate) read(start, out);
        else resampler.read(read, start, out);
        sink.writeFloats(out);
        if (turn.isOver) await turn.yield();
      }
    });
  }

  async #takeOgg(body: Uint8Array): Promise<PlayableAudio> {
    const file = readOgg(body);
    const durationsMs = file.packets.map(opusPacketDurationMs);
    const broken = durationsMs.indexOf(0);
    if (broken >= 0) throw invalidAudio('its packets must be Opus', `another as packet ${broken}`);
    checkDuration(durationsMs.reduce((sum, ms) => sum + ms, 0));
    if (!canPass(file, durationsMs)) return this.#transcode(file);
    const { packets, preSkip, inputSampleRateHz } = file;
    const sampleRateHz = OPUS_RATES_HZ.has(inputSampleRateHz) ? inputSampleRateHz : 48_000;
    const ogg = await writeOggOpus({ packets, preSkip, inputSampleRateHz });
    return { ogg, frames: packets.length, sampleRateHz };
  }

  async #transcode(file: OggOpusView): Promise<PlayableAudio> {
    const decoder = this.#decoders.acquire();
    const pcm = new Int16Array(MAX_PACKET_SAMPLES);
    const gain = 10 ** (file.outputGainDb / 20);
    let skip = Math.round((file.preSkip * SAMPLE_RATE_HZ) / PRE_SKIP_RATE_HZ);
    try {
      return await this.#encode(async (sink, turn) => {
        for (const packet of file.packets) {
          let samples = decoder.decode(packet, 0, packet.length, pcm);
          if (samples < 0) {
            // A damaged packet is that much silence, so that what follows keeps its time.
            samples = (opusPacketDurationMs(packet) * SAMPLE_RATE_HZ) / 1000;
            pcm.fill(0, 0, samples);
          }
          const skipped = Math.min(skip, samples);
          skip -= skipped;
          sink.write(pcm.subarray(skipped, samples), gain);
          if (turn.isOver) await turn.yield();
        }
      });
    } finally {
      decoder.release();
    }
  }

  async #encode(fill: (sink: FrameSink, turn: Turn) => Promise<void>): Promise<PlayableAudio> {
    const encoder = this.#encoders.acquire();
    try {
      const sink = new FrameSink(encoder, FRAME_SAMPLES, this.#encoders.lookaheadSamples);
      await fill(sink, new Turn());
      const packets = sink.finish();
      const preSkip = (this.#encoders.lookaheadSamples * PRE_SKIP_RATE_HZ) / SAMPLE_RATE_HZ;
      const ogg = await writeOggOpus({ packets, preSkip, inputSampleRateHz: SAMPLE_RATE_HZ });
      return { ogg, frames: packets.length, sampleRateHz: SAMPLE_RATE_HZ };
    } finally {
      encoder.release();
    }
  }
}

function readOgg(body: Uint8Array): OggOpusView {
  try {
    const file = listOggOpus(body, MAX_AUDIO_MS / MIN_PACKET_MS);
    if (file.mappingFamily !== 0) throw invalidAudio('it must have 1 or 2 channels', file.channels);
    if (file.packets.length === 0) throw invalidAudio('it must have a packet or more', 0);
    return file;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    if (error.code === 'not_ogg_opus') throw invalidAudio('it must be Ogg Opus', fileKind(body));
    if (error.code === 'too_many_packets') throw tooLong('more packets than that');
    throw error;
  }
}

function checkDuration(durationMs: number): void {
  if (durationMs > MAX_AUDIO_MS) throw tooLong(`${Math.round(durationMs / 1000)} s`);
}

function tooLong(got: string): CodedError {
  return invalidAudio(`it must sound for at most ${MAX_AUDIO_MS / 1000} s`, got);
}

/** Whether the packets are already such as a media worker sends. */
function canPass(file: OggOpusView, durationsMs: readonly number[]): boolean {
  const bytes = file.packets.reduce((sum, packet) => sum + packet.length, 0);
  return (
    file.outputGainDb === 0 &&
    bytes <= MAX_PASSED_BYTES &&
    durationsMs.every((durationMs) => durationMs === FRAME_MS) &&
    !file.packets.some((packet) => isStereoPacket(packet) || packet.length > MAX_FRAME_BYTES)
  );
}

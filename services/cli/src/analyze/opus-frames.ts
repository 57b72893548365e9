import { CODEC } from '@earshot/bridge-protocol';
import type { FrameSlot } from '@earshot/media-session';
import { FRAME_SAMPLES, SESSION_SAMPLE_RATE_HZ } from '@earshot/media-session';
import type { DecoderPool, OggOpusView, OpusDecoder } from '@earshot/opus';
import { MAX_FRAME_BYTES, MAX_PACKET_SAMPLES, opusPacketDurationMs } from '@earshot/opus';
import type { AudioFile, FrameSource } from './frame-source.js';

const FRAME_MS = 20;
const PRE_SKIP_PER_MS = 48;
const SAMPLES_PER_MS = SESSION_SAMPLE_RATE_HZ / 1000;

/** Who decodes: mixed down by the codec, or into two channels. */
export interface OpusDecoders {
  mono(): DecoderPool;
  stereo(): DecoderPool;
}

/** An Ogg Opus file, whose packets go as they are where a media host could send them so. */
export class OpusFile implements AudioFile {
  readonly channels: number;
  readonly durationMs: number;
  readonly isWhole: boolean;
  readonly #file: OggOpusView;
  readonly #decoders: OpusDecoders;

  constructor(file: OggOpusView, decoders: OpusDecoders) {
    this.channels = file.channels;
    this.durationMs = durationOf(file);
    this.isWhole = file.isWhole;
    this.#file = file;
    this.#decoders = decoders;
  }

  frames(channel: number | null): FrameSource {
    const file = this.#file;
    if (channel !== null && file.channels === 2) {
      return new DecodedFrames(file, this.#decoders.stereo().acquire(), {
        channels: 2,
        channel: channel - 1,
      });
    }
    if (canPass(file)) return new PacketFrames(file);
    return new DecodedFrames(file, this.#decoders.mono().acquire(), { channels: 1, channel: 0 });
  }

  close(): void {}
}

function canPass({ outputGainDb, packets }: OggOpusView): boolean {
  return (
    outputGainDb === 0 &&
    packets.every(
      (packet) => packet.length <= MAX_FRAME_BYTES && opusPacketDurationMs(packet) === FRAME_MS,
    )
  );
}

/** Packets of 20 ms, each a frame; the pipeline decodes them. */
class PacketFrames implements FrameSource {
  readonly codec: number = CODEC.opus;
  readonly startMs: number;
  readonly #packets: readonly Uint8Array[];
  #next = 0;

  constructor(file: OggOpusView) {
    this.#packets = file.packets;
    this.startMs = -file.preSkip / PRE_SKIP_PER_MS;
  }

  next(slot: FrameSlot): boolean {
    const packet = this.#packets[this.#next];
    if (packet === undefined) return false;
    this.#next += 1;
    slot.payload.set(packet);
    slot.length = packet.length;
    return true;
  }

  close(): void {}
}

/** Packets of other lengths, to be amplified, or of one channel: decoded here, cut into frames of PCM. */
class DecodedFrames implements FrameSource {
  readonly codec: number = CODEC.pcm16;
  readonly startMs: number;
  readonly #packets: readonly Uint8Array[];
  readonly #decoder: OpusDecoder;
  readonly #channels: number;
  readonly #channel: number;
  readonly #gain: number;
  /** Interleaved. */
  readonly #pcm: Int16Array = new Int16Array(MAX_PACKET_SAMPLES);
  /** Of each channel, what was decoded and not yet taken. */
  #from = 0;
  #end = 0;
  #next = 0;

  /** @param decoder is given back by `close`. */
  constructor(
    file: OggOpusView,
    decoder: OpusDecoder,
    { channels, channel }: { channels: number; channel: number },
  ) {
    this.#packets = file.packets;
    this.#decoder = decoder;
    this.#channels = channels;
    this.#channel = channel;
    this.#gain = 10 ** (file.outputGainDb / 20);
    this.startMs = -file.preSkip / PRE_SKIP_PER_MS;
  }

  next(slot: FrameSlot): boolean {
    let sample = 0;
    for (; sample < FRAME_SAMPLES; sample += 1) {
      if (this.#from === this.#end && !this.#decode()) break;
      const value = Math.round(
        this.#pcm[this.#from * this.#channels + this.#channel]! * this.#gain,
      );
      const clipped = Math.max(-32_768, Math.min(32_767, value));
      slot.payload[2 * sample] = clipped & 0xff;
      slot.payload[2 * sample + 1] = (clipped >> 8) & 0xff;
      this.#from += 1;
    }
    if (sample === 0) return false;
    slot.payload.fill(0, 2 * sample, 2 * FRAME_SAMPLES);
    slot.length = 2 * FRAME_SAMPLES;
    return true;
  }

  close(): void {
    this.#decoder.release();
  }

  /** Until there is sound: a file may hold any number of packets without. */
  #decode(): boolean {
    this.#from = 0;
    this.#end = 0;
    while (this.#end === 0) {
      const packet = this.#packets[this.#next];
      if (packet === undefined) return false;
      this.#next += 1;
      let samples = this.#decoder.decode(packet, 0, packet.length, this.#pcm);
      if (samples < 0) {
        // A damaged packet is that much silence, so that what follows keeps its time.
        samples = opusPacketDurationMs(packet) * SAMPLES_PER_MS;
        this.#pcm.fill(0, 0, samples * this.#channels);
      }
      this.#end = samples;
    }
    return true;
  }
}

function durationOf({ packets, preSkip }: OggOpusView): number {
  const soundMs = packets.reduce((sum, packet) => sum + opusPacketDurationMs(packet), 0);
  return Math.max(0, soundMs - preSkip / PRE_SKIP_PER_MS);
}

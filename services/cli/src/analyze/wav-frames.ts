import { CODEC } from '@earshot/bridge-protocol';
import type { FrameSlot } from '@earshot/media-session';
import { FRAME_SAMPLES, SESSION_SAMPLE_RATE_HZ } from '@earshot/media-session';
import type { ReadSamples, Wav } from '@earshot/wav';
import { parseWav, Resampler, readChannel, readMono } from '@earshot/wav';
import type { OpenBytes } from './file-bytes.js';
import type { AudioFile, FrameSource } from './frame-source.js';
import { invalidAudioFile, readable } from './frame-source.js';

const MAX_CHANNELS = 32;
const MIN_RATE_HZ = 4000;
const MAX_RATE_HZ = 384_000;
const FULL_SCALE = 32_768;

/** Tables of rates met before; files of one batch mostly have the same. */
const RESAMPLERS: Map<number, Resampler> = new Map();
const MOST_RESAMPLERS = 4;

/** A WAV file of any rate. */
export class WavFile implements AudioFile {
  readonly channels: number;
  readonly durationMs: number;
  readonly isWhole: boolean;
  readonly #path: string;
  readonly #bytes: OpenBytes;
  readonly #wav: Wav;

  /** @throws CodedError `invalid_audio_file`, `audio_file_unreadable`; the file stays open. */
  constructor(path: string, bytes: OpenBytes) {
    const wav = readable(path, () => parse(path, bytes));
    this.channels = wav.channels;
    this.durationMs = (wav.samples / wav.sampleRateHz) * 1000;
    this.isWhole = !wav.isCut;
    this.#path = path;
    this.#bytes = bytes;
    this.#wav = wav;
  }

  frames(channel: number | null): FrameSource {
    return new WavFrames(this.#path, this.#wav, channel);
  }

  close(): void {
    this.#bytes.close();
  }
}

/** Its samples as PCM frames; the last one is filled up. */
class WavFrames implements FrameSource {
  readonly codec: number = CODEC.pcm16;
  readonly startMs = 0;
  readonly #path: string;
  readonly #read: (start: number, out: Float32Array) => void;
  readonly #length: number;
  readonly #frame: Float32Array = new Float32Array(FRAME_SAMPLES);
  #next = 0;

  constructor(path: string, wav: Wav, channel: number | null) {
    this.#path = path;
    const source: ReadSamples =
      channel === null
        ? (start, out) => readMono(wav, start, out)
        : (start, out) => readChannel(wav, channel - 1, start, out);
    if (wav.sampleRateHz === SESSION_SAMPLE_RATE_HZ) {
      this.#read = source;
      this.#length = wav.samples;
    } else {
      const resampler = resamplerFrom(wav.sampleRateHz);
      this.#read = (start, out) => resampler.read(source, start, out);
      this.#length = resampler.lengthOf(wav.samples);
    }
  }

  next(slot: FrameSlot): boolean {
    if (this.#next >= this.#length) return false;
    const frame = this.#frame;
    readable(this.#path, () => this.#read(this.#next, frame));
    this.#next += FRAME_SAMPLES;
    const { payload } = slot;
    for (let i = 0, at = 0; i < FRAME_SAMPLES; i += 1, at += 2) {
      const scaled = Math.round(frame[i]! * FULL_SCALE);
      const sample = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, scaled));
      payload[at] = sample & 0xff;
      payload[at + 1] = (sample >> 8) & 0xff;
    }
    slot.length = FRAME_SAMPLES * 2;
    return true;
  }

  close(): void {}
}

function parse(path: string, bytes: OpenBytes): Wav {
  const wav = parseWav(bytes, {
    refuse: (rule, got) => invalidAudioFile(path, rule, got),
    maxChannels: MAX_CHANNELS,
    mayBeCut: true,
  });
  const { sampleRateHz } = wav;
  if (sampleRateHz >= MIN_RATE_HZ && sampleRateHz <= MAX_RATE_HZ) return wav;
  const rule = `its sample rate must be from ${MIN_RATE_HZ} to ${MAX_RATE_HZ} Hz`;
  throw invalidAudioFile(path, rule, sampleRateHz);
}

function resamplerFrom(sampleRateHz: number): Resampler {
  let resampler = RESAMPLERS.get(sampleRateHz);
  if (resampler !== undefined) return resampler;
  if (RESAMPLERS.size >= MOST_RESAMPLERS) RESAMPLERS.clear();
  resampler = new Resampler(sampleRateHz, SESSION_SAMPLE_RATE_HZ);
  RESAMPLERS.set(sampleRateHz, resampler);
  return resampler;
}

import { CodedError } from '@earshot/async';
import { createOpusEngine } from './create-opus-engine.js';
import { ffmpegPcm } from './ffmpeg-pcm.js';
import { fileKind, OGG_OPUS } from './file-kind.js';
import { FrameEncoder } from './frame-encoder.js';
import type { OpusEngine } from './opus-engine.js';
import { isStereoPacket, MAX_FRAME_BYTES, MAX_PACKET_SAMPLES } from './opus-packet.js';
import type { OggOpus } from './read-ogg-opus.js';
import { readAudioFile, readOggOpus } from './read-ogg-opus.js';

const SAMPLE_RATE_HZ = 16_000;
const FRAME_MS = 20;
const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
const PRE_SKIP_RATE_HZ = 48_000;
export interface FramePacketsOptions {
  /** Whether ffmpeg on PATH may be used for files that are not Ogg Opus. True by default. */
  readonly ffmpeg?: boolean;
}

/**
 * The file's sound as mono Opus packets of 20 ms, 1275 bytes at most. Ogg Opus that already is that passes through
 * unchanged (its pre-skip stays in); any other is decoded and encoded again at 16 kHz.
 *
 * @throws CodedError `unsupported_audio_file` when nothing here can read it,
 * `audio_file_unreadable`.
 */
export async function toFramePackets(
  path: string,
  options: FramePacketsOptions = {},
): Promise<Uint8Array[]> {
  const bytes = await readAudioFile(path);
  const kind = fileKind(bytes);
  if (kind !== OGG_OPUS) return packetsThroughFfmpeg(path, kind, options);
  const file = await readOggOpus(bytes);
  if (file.packets.length === 0) throw unsupported(path, withoutSound(file));
  if (isFramePackets(file)) return file.packets;
  if (file.mappingFamily !== 0) {
    return packetsThroughFfmpeg(path, `Ogg Opus with ${file.channels} channels`, options);
  }
  return transcode(await createOpusEngine(), file);
}

function withoutSound({ ignoredBytes }: OggOpus): string {
  return ignoredBytes > 0 ? 'Ogg Opus cut off before its sound' : 'Ogg Opus without sound';
}

function isFramePackets(file: OggOpus): boolean {
  return (
    file.mappingFamily === 0 &&
    file.outputGainDb === 0 &&
    file.packetDurationMs.every((durationMs) => durationMs === FRAME_MS) &&
    !file.packets.some((packet) => isStereoPacket(packet) || packet.length > MAX_FRAME_BYTES)
  );
}

function transcode(engine: OpusEngine, file: OggOpus): Uint8Array[] {
  const pool = engine.createDecoderPool({ sampleRateHz: SAMPLE_RATE_HZ, channels: 1, capacity: 1 });
  const decoder = pool.acquire();
  const encoder = new FrameEncoder(engine, SAMPLE_RATE_HZ);
  const pcm = new Int16Array(MAX_PACKET_SAMPLES);
  const gain = 10 ** (file.outputGainDb / 20);
  let skip = Math.round((file.preSkip * SAMPLE_RATE_HZ) / PRE_SKIP_RATE_HZ);
  for (const [index, packet] of file.packets.entries()) {
    let samples = decoder.decode(packet, 0, packet.length, pcm);
    if (samples < 0) {
      // A damaged packet is that much silence, so that what follows keeps its time.
      samples = file.packetDurationMs[index]! * SAMPLES_PER_MS;
      pcm.fill(0, 0, samples);
    }
    if (gain !== 1) amplify(pcm, samples, gain);
    const skipped = Math.min(skip, samples);
    skip -= skipped;
    encoder.write(pcm.subarray(skipped, samples));
  }
  return encoder.finish();
}

function amplify(pcm: Int16Array, samples: number, gain: number): void {
  for (let i = 0; i < samples; i++) {
    pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round(pcm[i]! * gain)));
  }
}

async function packetsThroughFfmpeg(
  path: string,
  kind: string,
  options: FramePacketsOptions,
): Promise<Uint8Array[]> {
  if (options.ffmpeg === false) throw unsupported(path, kind);
  const encoder = new FrameEncoder(await createOpusEngine(), SAMPLE_RATE_HZ);
  const failure = await ffmpegPcm(path, SAMPLE_RATE_HZ, (chunk) => encoder.writeBytes(chunk));
  const packets = encoder.finish();
  if (failure?.kind === 'missing') throw unsupported(path, `${kind} and no ffmpeg on PATH`);
  if (failure !== undefined) throw unsupported(path, `${kind}; ${failure.detail}`);
  if (packets.length === 0) throw unsupported(path, `${kind} without sound`);
  return packets;
}

function unsupported(path: string, found: string): CodedError {
  return new CodedError(
    'unsupported_audio_file',
    `Cannot use ${path} as audio: it must be Ogg Opus, or readable by ffmpeg, got ${found}`,
    { fix: 'Install ffmpeg, or convert the file: opusenc --downmix-mono in.wav out.opus' },
  );
}

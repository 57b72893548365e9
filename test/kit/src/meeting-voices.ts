import { fileURLToPath } from 'node:url';
import type { OpusEngine, OpusSampleRateHz } from '@earshot/opus';
import { opusPacketDurationMs, readOggOpus } from '@earshot/opus';

const MEETING = new URL('../../../services/sandbox/meeting/', import.meta.url);
const VOICES = ['ada', 'alan', 'grace'];
const MAX_FRAME_MS = 120;
/** Frames below this are pauses. */
const PAUSE_RMS = 60;

/** The voices of the sample meeting one after another, without their pauses; mono. */
export async function readMeetingVoices(
  engine: OpusEngine,
  sampleRateHz: OpusSampleRateHz,
): Promise<Int16Array> {
  const frames: Int16Array[] = [];
  for (const voice of VOICES) {
    const { packets } = await readOggOpus(fileURLToPath(new URL(`${voice}.opus`, MEETING)));
    const decoder = engine.createDecoderPool({ sampleRateHz, channels: 1, capacity: 1 }).acquire();
    const pcm = new Int16Array((sampleRateHz / 1000) * MAX_FRAME_MS);
    for (const packet of packets.filter((one) => opusPacketDurationMs(one) > 0)) {
      const samples = decoder.decode(packet, 0, packet.length, pcm);
      const frame = pcm.slice(0, samples);
      if (rms(frame) > PAUSE_RMS) frames.push(frame);
    }
    decoder.release();
  }
  return join(frames);
}

function join(frames: readonly Int16Array[]): Int16Array {
  const pcm = new Int16Array(frames.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const frame of frames) {
    pcm.set(frame, at);
    at += frame.length;
  }
  return pcm;
}

function rms(frame: Int16Array): number {
  return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length);
}

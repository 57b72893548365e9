import { fileURLToPath } from 'node:url';
import { createOpusEngine, readOggOpus } from '@earshot/opus';

const FOLDER = fileURLToPath(new URL('../../../../services/sandbox/meeting/', import.meta.url));
const FRAME = 320;
const SAMPLES_PER_MS = 16;

/** What a participant of the sample meeting says, from joining on; 16 kHz. */
export async function sampleSpeech(key: string): Promise<Int16Array> {
  const engine = await createOpusEngine();
  const pool = engine.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 });
  const decoder = pool.acquire();
  const { packets } = await readOggOpus(`${FOLDER}${key}.opus`);
  const pcm = new Int16Array(packets.length * FRAME);
  for (const [index, packet] of packets.entries()) {
    const out = pcm.subarray(index * FRAME, (index + 1) * FRAME);
    if (decoder.decode(packet, 0, packet.length, out) !== FRAME) throw new Error('no 20 ms');
  }
  return pcm;
}

export function spanOf(pcm: Int16Array, startMs: number, endMs: number): Int16Array {
  return pcm.subarray(startMs * SAMPLES_PER_MS, endMs * SAMPLES_PER_MS);
}

import { createOpusEngine, encodeFrames } from '@earshot/opus';
import { readMeetingVoices } from '@earshot/test-kit';

/** Rate and frame of all sound in these tests. */
export const RATE_HZ = 16_000;
export const FRAME_SAMPLES = 320;

const engine = await createOpusEngine();
const voices = await readMeetingVoices(engine, RATE_HZ);

/** So much of what people say, the same each time and without a pause. */
export function voice(durationMs: number): Int16Array {
  return voices.slice(0, (durationMs * RATE_HZ) / 1000);
}

export function silence(durationMs: number): Int16Array {
  return new Int16Array((durationMs * RATE_HZ) / 1000);
}

export function join(...parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Opus packets of 20 ms, as a media host makes them. */
export function encode(pcm: Int16Array): Uint8Array[] {
  return encodeFrames(engine, pcm, {
    sampleRateHz: RATE_HZ,
    channels: 1,
    bitrateBps: 24_000,
    dtx: true,
    application: 'voip',
  });
}

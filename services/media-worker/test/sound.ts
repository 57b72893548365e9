import { createOpusEngine, encodeFrames } from '@earshot/opus';

/** Rate and frame of all sound in these tests. */
export const RATE_HZ = 16_000;
export const FRAME_SAMPLES = 320;

const engine = await createOpusEngine();

/** Something like a voice: a buzz of 140 Hz in syllables of changing loudness. */
export function voice(durationMs: number): Int16Array {
  const samples = new Int16Array((durationMs * RATE_HZ) / 1000);
  for (let i = 0; i < samples.length; i += 1) {
    const t = i / RATE_HZ;
    const syllable = Math.abs(Math.sin(Math.PI * 4 * t)) * (0.6 + 0.4 * Math.sin(9 * t));
    let buzz = 0;
    for (let h = 1; h <= 12; h += 1) buzz += Math.sin(2 * Math.PI * 140 * h * t) / h;
    samples[i] = Math.round(9000 * syllable * buzz);
  }
  return samples;
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

/** Samples of a frame of 20 ms at 16 kHz. */
export const FRAME = 320;

/** From 8 to 16 kHz, by a windowed sinc; −1 to 1. */
export function toSessionRate(pcm: Int16Array): Float64Array {
  const taps = 16;
  const half = Array.from({ length: 2 * taps }, (_, i) => {
    const x = i - taps + 0.5;
    return (Math.sin(Math.PI * x) / (Math.PI * x)) * Math.cos((Math.PI * x) / (2 * taps)) ** 2;
  });
  const out = new Float64Array(2 * pcm.length);
  for (let i = 0; i < pcm.length; i += 1) {
    out[2 * i] = pcm[i]! / 32_768;
    let sum = 0;
    for (let k = 0; k < half.length; k += 1) sum += half[k]! * (pcm[i + k - taps + 1] ?? 0);
    out[2 * i + 1] = sum / 32_768;
  }
  return out;
}

/** −1 to 1. */
export function fromPcm(pcm: Int16Array): Float64Array {
  return Float64Array.from(pcm, (sample) => sample / 32_768);
}

export function levelOf(sound: Float64Array): number {
  const power = sound.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, sound.length);
  return 10 * Math.log10(power + 1e-13);
}

export function gainTo(sound: Float64Array, dbfs: number): Float64Array {
  const gain = 10 ** ((dbfs - levelOf(sound)) / 20);
  return sound.map((sample) => sample * gain);
}

export function frameLevels(sound: Float64Array): number[] {
  return Array.from({ length: Math.floor(sound.length / FRAME) }, (_, n) =>
    levelOf(sound.subarray(n * FRAME, (n + 1) * FRAME)),
  );
}

/** The level of silence: the floor of every level in Earshot (RFC 6464 stops there too). */
export const SILENCE_DBFS = -127;

const FULL_SCALE = 32_768;

/**
 * Root-mean-square level of a stretch of PCM16, in dB relative to full scale: 0 is a square wave
 * at full scale, −3.01 a sine at full scale. Never below `SILENCE_DBFS`, also for no samples.
 *
 * @param pcm borrowed for the call
 * @param offset first sample
 * @param length samples, as far as `pcm` has them
 */
export function rmsDbfs(pcm: Int16Array, offset: number, length: number): number {
  const end = Math.min(offset + length, pcm.length);
  let energy = 0;
  for (let i = offset; i < end; i += 1) {
    const sample = pcm[i]!;
    energy += sample * sample;
  }
  if (energy === 0) return SILENCE_DBFS;
  const meanSquare = energy / (end - offset) / (FULL_SCALE * FULL_SCALE);
  return Math.max(SILENCE_DBFS, 10 * Math.log10(meanSquare));
}

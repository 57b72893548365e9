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
  const energy = energyOf(pcm, offset, end);
  if (energy === 0) return SILENCE_DBFS;
  const meanSquare = energy / (end - offset) / (FULL_SCALE * FULL_SCALE);
  return Math.max(SILENCE_DBFS, 10 * Math.log10(meanSquare));
}

/** Sum of the squares from `from` up to `end`. Of whole numbers: exact in any order. */
function energyOf(pcm: Int16Array, from: number, end: number): number {
  let energy = 0;
  let i = from;
  // Two squares are at most 2³¹: summed as whole numbers they need half the conversions.
  for (const last = end - 3; i < last; i += 4) {
    const first = pcm[i]!;
    const second = pcm[i + 1]!;
    const third = pcm[i + 2]!;
    const fourth = pcm[i + 3]!;
    const one = (Math.imul(first, first) + Math.imul(second, second)) >>> 0;
    const other = (Math.imul(third, third) + Math.imul(fourth, fourth)) >>> 0;
    energy += one + other;
  }
  for (; i < end; i += 1) energy += pcm[i]! * pcm[i]!;
  return energy;
}

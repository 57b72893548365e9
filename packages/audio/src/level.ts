/** The level of silence: the floor of every level in Earshot (RFC 6464 stops there too). */
export const SILENCE_DBFS = -127;

const FULL_SCALE = 32_768;

/** Whether a number, such as one that was kept, can be a level; NaN is none. */
export function isLevel(dbfs: number): boolean {
  return dbfs >= SILENCE_DBFS && dbfs <= 0;
}

/**
 * Root-mean-square level of a stretch of PCM16, in dB relative to full scale: 0 is a square wave
 * at full scale, −3.01 a sine at full scale. Never below `SILENCE_DBFS`, also for no samples.
 *
 * @param pcm borrowed for the call
 * @param offset first sample
 * @param length samples, as far as `pcm` has them
 */
export function rmsDbfs(pcm: Int16Array, offset: number, length: number): number {
  const level = new Float64Array(1);
  measureRmsDbfs(pcm, offset, length, level);
  return level[0]!;
}

/** As `rmsDbfs`, into `out[0]`: as a result V8 would box the level anew for each frame. */
export function measureRmsDbfs(
  pcm: Int16Array,
  offset: number,
  length: number,
  out: Float64Array,
): void {
  const end = Math.min(offset + length, pcm.length);
  let energy = 0;
  let i = offset;
  // Of whole numbers: exact in any order. Two squares are at most 2³¹: summed as whole numbers they
  // need half the conversions.
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
  const meanSquare = energy / (end - offset) / (FULL_SCALE * FULL_SCALE);
  out[0] = energy === 0 ? SILENCE_DBFS : Math.max(SILENCE_DBFS, 10 * Math.log10(meanSquare));
}

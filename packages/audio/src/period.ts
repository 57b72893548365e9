/** Longest period that is looked for: a voice of 66 Hz. */
export const MAX_PERIOD_MS = 15;

/** Shortest: 400 Hz. */
const MIN_PERIOD_MS = 2.5;

/** Stretch at the end of the history that is compared with what came one period before. */
const MATCH_MS = 20;

/** Below this likeness the sound is noise, which the longest repetition suits best. */
const VOICED = 0.5;

/** Rate at which the search is coarse enough to be cheap and fine enough not to miss a voice. */
const COARSE_RATE_HZ = 8000;

/**
 * The period, in samples, after which the end of `history` most resembles itself.
 *
 * @param history at least 35 ms, newest sample last; borrowed for the call
 */
export function findPeriod(history: Int16Array, sampleRateHz: number): number {
  const stride = Math.max(1, Math.floor(sampleRateHz / COARSE_RATE_HZ));
  const min = Math.ceil((MIN_PERIOD_MS * sampleRateHz) / 1000);
  const max = Math.floor((MAX_PERIOD_MS * sampleRateHz) / 1000);
  const length = Math.floor((MATCH_MS * sampleRateHz) / 1000);

  let best = max;
  let bestLikeness = VOICED;
  for (let lag = min; lag <= max; lag += stride) {
    const likeness = likenessAt(history, lag, length, stride);
    if (likeness <= bestLikeness) continue;
    bestLikeness = likeness;
    best = lag;
  }
  if (bestLikeness === VOICED || stride === 1) return best;
  return refine(history, best, Math.max(min, best - stride), Math.min(max, best + stride), length);
}

function refine(
  history: Int16Array,
  coarse: number,
  from: number,
  to: number,
  length: number,
): number {
  let best = coarse;
  let bestLikeness = likenessAt(history, coarse, length, 1);
  for (let lag = from; lag <= to; lag += 1) {
    const likeness = likenessAt(history, lag, length, 1);
    if (likeness <= bestLikeness) continue;
    bestLikeness = likeness;
    best = lag;
  }
  return best;
}

/** Normalized correlation, −1 to 1, of the last `length` samples with those `lag` before. */
function likenessAt(history: Int16Array, lag: number, length: number, stride: number): number {
  let cross = 0;
  let energy = 0;
  let lagged = 0;
  for (let i = history.length - length; i < history.length; i += stride) {
    const now = history[i]!;
    const before = history[i - lag]!;
    cross += now * before;
    energy += now * now;
    lagged += before * before;
  }
  return energy === 0 || lagged === 0 ? 0 : cross / Math.sqrt(energy * lagged);
}

/** Duration of one frame in milliseconds: what Teams sends and what one packet carries. */
export const PTIME_MS = 20;

/**
 * Samples of one frame of one channel.
 *
 * @param sampleRateHz any rate with a whole number of samples in 20 ms
 * @throws RangeError when it has none
 */
export function samplesPerFrame(sampleRateHz: number): number {
  const samples = (sampleRateHz * PTIME_MS) / 1000;
  if (!Number.isInteger(samples) || samples < 1) {
    throw new RangeError(
      `Cannot size a frame: ${PTIME_MS} ms must hold a whole number of samples, got ${sampleRateHz} Hz`,
    );
  }
  return samples;
}

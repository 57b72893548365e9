/** A sine, in -1 to 1. */
export function sine(options: {
  readonly hz: number;
  readonly sampleRateHz: number;
  readonly durationMs: number;
  readonly amplitude?: number;
}): Float64Array {
  const { hz, sampleRateHz, durationMs, amplitude = 0.5 } = options;
  return Float64Array.from(
    { length: Math.round((durationMs * sampleRateHz) / 1000) },
    (_, n) => amplitude * Math.sin((2 * Math.PI * hz * n) / sampleRateHz),
  );
}

/** How far `got` is from `expected`, dB: signal over the difference. */
export function snrDb(expected: ArrayLike<number>, got: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let n = 0; n < expected.length; n += 1) {
    signal += (expected[n] ?? 0) ** 2;
    noise += ((expected[n] ?? 0) - (got[n] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / Math.max(noise, 1e-20));
}

/** The middle of a sample and the middle half around it. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** Quartiles of at least one number; those between two are taken as the nearer one. */
export function quartilesOf(numbers: readonly number[]): Quartiles {
  return {
    low: quantile(numbers, 0.25),
    median: quantile(numbers, 0.5),
    high: quantile(numbers, 0.75),
  };
}

/**
 * The number below which a share of the sample lies; NaN of an empty sample.
 *
 * @param share from 0 to 1, such as 0.99
 */
export function quantile(numbers: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}

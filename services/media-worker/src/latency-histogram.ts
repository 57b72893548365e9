/** Buckets are 1/8 of an octave wide: a quantile is right within 1/8 of its value. */
const STEPS = 8;
const STEP_BITS = 3;
const OCTAVES = 31;
const BUCKETS = OCTAVES * STEPS;
const BUCKET_BYTES = BUCKETS * 4;

/**
 * How long frames took, in shared memory: their decode thread adds, any thread reads. Adding costs a
 * few instructions and no object. Counts wrap at 2^32.
 */
export class LatencyHistogram {
  readonly #counts: Uint32Array;
  readonly #sumMicros: Float64Array;

  /** @param shared memory from `LatencyHistogram.allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.#counts = new Uint32Array(shared, 0, BUCKETS);
    this.#sumMicros = new Float64Array(shared, BUCKET_BYTES, 1);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(BUCKET_BYTES + 8);
  }

  /** @param micros whole, in 32 signed bits; less than 0 counts as 0. */
  record(micros: number): void {
    const value = Math.max(micros, 0);
    const bucket = bucketOf(value);
    this.#counts[bucket] = this.#counts[bucket]! + 1;
    this.#sumMicros[0] = this.#sumMicros[0]! + value;
  }

  /** What was recorded so far. */
  read(): Latencies {
    return new Latencies(Array.from(this.#counts), this.#sumMicros[0]!);
  }
}

/** A reading of one histogram or the sum of several. */
export class Latencies {
  readonly #counts: readonly number[];
  readonly count: number;
  readonly sumMicros: number;

  constructor(counts: readonly number[], sumMicros: number) {
    this.#counts = counts;
    this.count = counts.reduce((sum, count) => sum + count, 0);
    this.sumMicros = sumMicros;
  }

  static sum(all: readonly Latencies[]): Latencies {
    const counts = Array.from({ length: BUCKETS }, (_, bucket) =>
      all.reduce((sum, one) => sum + (one.#counts[bucket] ?? 0), 0),
    );
    return new Latencies(
      counts,
      all.reduce((sum, one) => sum + one.sumMicros, 0),
    );
  }

  /** What came since an earlier reading of the same. */
  since(earlier: Latencies): Latencies {
    const counts = this.#counts.map(
      (count, bucket) => (count - (earlier.#counts[bucket] ?? 0)) >>> 0,
    );
    return new Latencies(counts, this.sumMicros - earlier.sumMicros);
  }

  /** How many took less than 2^`power` µs. */
  below(power: number): number {
    const end = power < STEP_BITS ? 2 ** power : (power - STEP_BITS + 1) * STEPS;
    return this.#counts.slice(0, end).reduce((sum, count) => sum + count, 0);
  }

  /**
   * The upper edge, in ms, of the bucket that holds the quantile; 0 when nothing was recorded.
   *
   * @param share from 0 to 1, such as 0.99
   */
  quantileMs(share: number): number {
    let left = Math.max(1, Math.ceil(this.count * share));
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return upperEdgeMicros(bucket) / 1000;
    }
    return 0;
  }
}

/** Below 8 µs one bucket each; above, the three bits behind the leading one tell the step. */
function bucketOf(micros: number): number {
  if (micros < STEPS) return micros;
  const octave = 31 - Math.clz32(micros);
  const step = (micros >> (octave - STEP_BITS)) & (STEPS - 1);
  return (octave - STEP_BITS + 1) * STEPS + step;
}

function upperEdgeMicros(bucket: number): number {
  if (bucket < STEPS) return bucket + 1;
  const octave = Math.floor(bucket / STEPS) + STEP_BITS - 1;
  return 2 ** (octave - STEP_BITS) * (STEPS + (bucket % STEPS) + 1);
}

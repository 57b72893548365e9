const TICKS_PER_MS = 10_000;
/** From the NTP epoch (1900-01-01 UTC) to the Unix epoch, ms. */
const NTP_TO_UNIX_MS = 2_208_988_800_000n;
const LOW_WORD = 2 ** 32;

/** Unix time in ms as 100-ns ticks of the media platform's clock; far beyond 2^53. */
export function ntpTicks(unixMs: number): bigint {
  return (BigInt(Math.round(unixMs)) + NTP_TO_UNIX_MS) * BigInt(TICKS_PER_MS);
}

/** Adds times to an epoch without a BigInt per frame: read `high` and `low` after `set`. */
export class MediaTicks {
  high = 0;
  low = 0;
  readonly #epochHigh: number;
  readonly #epochLow: number;

  constructor(epochHigh: number, epochLow: number) {
    this.#epochHigh = epochHigh;
    this.#epochLow = epochLow;
  }

  /** @param offsetMs since the epoch; not negative. */
  set(offsetMs: number): void {
    const low = this.#epochLow + Math.round(offsetMs * TICKS_PER_MS);
    this.high = this.#epochHigh + Math.floor(low / LOW_WORD);
    this.low = low % LOW_WORD;
  }
}

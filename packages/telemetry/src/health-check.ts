/** What a failing check means. */
export type HealthEffect =
  /** The process must be started anew. */
  | 'dead'
  /** Nothing more should be sent here. */
  | 'unready'
  /** It works, but somebody should look: told, and never red. */
  | 'degraded';

export interface HealthCheckOptions {
  /** In snake_case with its unit, such as `redis_away_seconds`. */
  readonly name: string;
  /** One sentence: what the value is. */
  readonly help: string;
  readonly effect: HealthEffect;
  /** Fails above it; in the unit of the name. */
  readonly limit: number;
  /** How long the value must be above the limit before the check fails, ms. @defaultValue 0 */
  readonly failAfterMs?: number;
  /** How long it must be well below the limit before the check passes again, ms. */
  readonly clearAfterMs?: number;
  /** The value now; may depend on what was read before. */
  read(): number;
}

/** One check, as told. */
export interface HealthCheckReport {
  readonly failing: boolean;
  readonly value: number;
  readonly limit: number;
  readonly effect: HealthEffect;
}

/** A check that fails passes again at this share of its limit: around the limit it stays as it is. */
const CLEAR_SHARE = 0.8;

/**
 * One value against its limit, with hysteresis in value and in time, so that it does not flap:
 *
 * ```
 *   limit ───────────────╭──╮────────╭─╮──────────────
 *   80 % of it ──────────╯──╰────────╯─╰──────────────
 *   failing              ▐██████████████████▌ once below 80 % for `clearAfterMs`
 * ```
 */
export class HealthCheck {
  readonly options: HealthCheckOptions;
  readonly #failAfterMs: number;
  readonly #clearAfterMs: number;
  #failing = false;
  #value = 0;
  /** Since when the value says the opposite of the state. */
  #contrarySinceMs: number | undefined;

  constructor(options: HealthCheckOptions) {
    this.options = options;
    this.#failAfterMs = options.failAfterMs ?? 0;
    this.#clearAfterMs = options.clearAfterMs ?? 0;
  }

  get failing(): boolean {
    return this.#failing;
  }

  /** Takes the value at this time; true when the state changed. */
  look(nowMs: number): boolean {
    const { limit, read } = this.options;
    this.#value = read();
    const isContrary = this.#failing ? this.#value <= limit * CLEAR_SHARE : this.#value > limit;
    if (!isContrary) {
      this.#contrarySinceMs = undefined;
      return false;
    }
    this.#contrarySinceMs ??= nowMs;
    const waitMs = this.#failing ? this.#clearAfterMs : this.#failAfterMs;
    if (nowMs - this.#contrarySinceMs < waitMs) return false;
    this.#failing = !this.#failing;
    this.#contrarySinceMs = undefined;
    return true;
  }

  report(): HealthCheckReport {
    const { limit, effect } = this.options;
    return { failing: this.#failing, value: rounded(this.#value), limit, effect };
  }
}

/** Three decimals are enough for people. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

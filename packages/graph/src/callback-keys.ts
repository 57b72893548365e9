import type { Clock } from '@earshot/async';
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet } from 'jose';
import { jsonField } from './json-field.js';

export interface CallbackKeysOptions {
  /** OpenID metadata of each signer; all are asked. */
  readonly openIdUrls: readonly string[];
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/** As Microsoft's own samples refresh the signers' keys. */
const KEYS_MAX_AGE_MS = 2 * 60 * 60_000;
/** An unknown key id may be a new key, or an attacker's invention. */
const REFRESH_AT_MOST_EVERY_MS = 30_000;
/** Without any key every callback is refused, so that a new attempt is worth more. */
const FIRST_FETCH_AT_MOST_EVERY_MS = 1_000;
const FETCH_TIMEOUT_MS = 5_000;

/**
 * Keys of those who sign callbacks. A signer that is away, or answers anything else, keeps the
 * keys that it had.
 */
export class CallbackKeys {
  readonly #options: CallbackKeysOptions;
  readonly #sets = new Map<string, JWTVerifyGetKey>();
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(options: CallbackKeysOptions) {
    this.#options = options;
  }

  /** Those of each signer, as far as it has answered once, in their order. */
  get sets(): readonly JWTVerifyGetKey[] {
    const sets = this.#options.openIdUrls.map((url) => this.#sets.get(url));
    return sets.filter((set) => set !== undefined);
  }

  /** Keys at hand serve until newer ones are there: Graph waits for its answer. */
  async refreshIfOld(): Promise<void> {
    if (this.#options.clock.nowMs() - this.#fetchedAtMs <= KEYS_MAX_AGE_MS) return;
    const refreshed = this.refresh();
    if (this.#sets.size === 0) await refreshed;
  }

  /** One request at a time; often enough for new keys, too seldom to be used against the signer. */
  refresh(): Promise<void> {
    if (this.#refreshing !== undefined) return this.#refreshing;
    const nowMs = this.#options.clock.nowMs();
    const intervalMs =
      this.#sets.size === 0 ? FIRST_FETCH_AT_MOST_EVERY_MS : REFRESH_AT_MOST_EVERY_MS;
    if (nowMs - this.#triedAtMs < intervalMs) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#refreshing = this.#fetchAll().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** They are new when all signers have answered. */
  async #fetchAll(): Promise<void> {
    const { openIdUrls, clock } = this.#options;
    const outcomes = await Promise.all(openIdUrls.map((url) => this.#fetchKeys(url)));
    if (outcomes.every(Boolean)) this.#fetchedAtMs = clock.nowMs();
  }

  async #fetchKeys(openIdUrl: string): Promise<boolean> {
    try {
      const jwksUri = jsonField(await this.#fetchJson(openIdUrl), 'jwks_uri');
      if (typeof jwksUri !== 'string') return false;
      const keys = jsonField(await this.#fetchJson(jwksUri), 'keys');
      if (!Array.isArray(keys) || keys.length === 0) return false;
      this.#sets.set(openIdUrl, createLocalJWKSet({ keys }));
      return true;
    } catch {
      // The keys at hand stay in use; with none, callbacks are refused and Graph repeats them.
      return false;
    }
  }

  async #fetchJson(url: string): Promise<unknown> {
    const response = await this.#options.fetch(url, {
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    return response.ok ? response.json() : undefined;
  }
}

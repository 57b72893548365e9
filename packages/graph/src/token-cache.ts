import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs } from '@earshot/async';
import { GraphError } from './graph-error.js';

/** A token as it was given. */
export interface AccessToken {
  readonly token: string;
  /** From when it was given, ms. */
  readonly lifetimeMs: number;
  /** When its giver would have it renewed, from when it was given, ms. */
  readonly refreshInMs?: number | undefined;
}

export interface TokenCacheOptions {
  /** Gets a new token for a tenant. */
  acquire(tenantId: string): Promise<AccessToken>;
  /** A renewal in the background failed; it is tried again. */
  onRenewalFailed?(tenantId: string, error: unknown): void;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Tenants beyond this many push out the one not used for longest. @defaultValue 1000 */
  readonly maxTenants?: number;
  /** Of the tenants used last, so many are kept warm. @defaultValue 200 */
  readonly maxWarm?: number;
  /** A tenant that nobody asked for so long is not kept warm, ms. @defaultValue 12 hours */
  readonly warmForMs?: number;
}

interface Entry {
  readonly tenantId: string;
  token: string;
  usableUntilMs: number;
  refreshAtMs: number;
  usedAtMs: number;
  failures: number;
  /** A request under way, shared by all who ask meanwhile. */
  pending: Promise<string> | undefined;
  cancel: Cancel | undefined;
}

/** On its way to Graph a token must not expire. */
const EXPIRY_MARGIN_MS = 60_000;
/** What is left after it serves for a failed renewal to be tried again. */
const REFRESH_AT_SHARE = 0.75;
/** Processes that started together must not all renew together. */
const JITTER_SHARE = 0.1;
const RETRY = { baseMs: 15_000, maxMs: 5 * 60_000 } as const;
const RETRY_AFTER_AT_LEAST_MS = 5_000;

/**
 * One token for each tenant. Those of tenants in use are renewed in the background before they
 * expire, so that whoever asks has them at once; a renewal that fails leaves the old one in use
 * until it expires.
 */
export class TokenCache {
  readonly #options: TokenCacheOptions;
  /** The tenant used last stands last. */
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  /** A token that is good for a minute at least. @throws what `acquire` throws. */
  token(tenantId: string): Promise<string> {
    const nowMs = this.#options.clock.nowMs();
    const entry = this.#touch(tenantId, nowMs);
    if (nowMs >= entry.usableUntilMs) return this.#renew(entry);
    if (nowMs >= entry.refreshAtMs) this.#renewQuietly(entry);
    return Promise.resolve(entry.token);
  }

  /** Nothing is renewed any more; what is at hand may still be used. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.cancel?.();
  }

  #touch(tenantId: string, nowMs: number): Entry {
    const key = tenantId.toLowerCase();
    const entry = this.#entries.get(key) ?? emptyEntry(tenantId);
    entry.usedAtMs = nowMs;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const { maxTenants = 1_000 } = this.#options;
    const [oldest] = this.#entries;
    if (this.#entries.size > maxTenants && oldest !== undefined) {
      oldest[1].cancel?.();
      this.#entries.delete(oldest[0]);
    }
    return entry;
  }

  #renew(entry: Entry): Promise<string> {
    entry.pending ??= this.#acquire(entry).finally(() => {
      entry.pending = undefined;
    });
    return entry.pending;
  }

  async #acquire(entry: Entry): Promise<string> {
    const { acquire, clock, random } = this.#options;
    try {
      const { token, lifetimeMs, refreshInMs } = await acquire(entry.tenantId);
      const nowMs = clock.nowMs();
      entry.token = token;
      entry.failures = 0;
      entry.usableUntilMs = nowMs + Math.max(lifetimeMs - EXPIRY_MARGIN_MS, lifetimeMs / 2);
      const dueMs = Math.min(refreshInMs ?? lifetimeMs, lifetimeMs * REFRESH_AT_SHARE);
      this.#schedule(entry, nowMs + dueMs * (1 - JITTER_SHARE * random()));
      return token;
    } catch (error) {
      entry.failures += 1;
      const askedMs = error instanceof GraphError ? (error.retryAfterMs ?? 0) : 0;
      const delayMs = RETRY_AFTER_AT_LEAST_MS + backoffDelayMs(entry.failures - 1, random(), RETRY);
      this.#schedule(entry, clock.nowMs() + Math.max(askedMs, delayMs));
      throw error;
    }
  }

  #schedule(entry: Entry, atMs: number): void {
    entry.refreshAtMs = atMs;
    entry.cancel?.();
    const isKept = this.#entries.get(entry.tenantId.toLowerCase()) === entry;
    if (this.#closed || !isKept) return;
    entry.cancel = this.#options.clock.at(atMs, () => {
      if (this.#isWarm(entry)) this.#renewQuietly(entry);
    });
  }

  #renewQuietly(entry: Entry): void {
    this.#renew(entry).catch((error: unknown) => {
      this.#options.onRenewalFailed?.(entry.tenantId, error);
    });
  }

  #isWarm({ usedAtMs, tenantId, token }: Entry): boolean {
    const { clock, maxWarm = 200, warmForMs = 12 * 3_600_000 } = this.#options;
    // Where there never was a token there is nothing to be kept warm.
    if (token === '' || clock.nowMs() - usedAtMs > warmForMs) return false;
    return [...this.#entries.keys()].slice(-maxWarm).includes(tenantId.toLowerCase());
  }
}

function emptyEntry(tenantId: string): Entry {
  return {
    tenantId,
    token: '',
    usableUntilMs: Number.NEGATIVE_INFINITY,
    refreshAtMs: Number.NEGATIVE_INFINITY,
    usedAtMs: Number.NEGATIVE_INFINITY,
    failures: 0,
    pending: undefined,
    cancel: undefined,
  };
}

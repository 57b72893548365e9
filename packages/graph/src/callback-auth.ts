import type { Clock } from '@earshot/async';
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet, errors, jwtVerify } from 'jose';
import type { GraphEndpoints } from './endpoints.js';
import { jsonField } from './json-field.js';

export interface CallbackAuthOptions {
  readonly endpoints: GraphEndpoints;
  /** The bot's application (client) id. */
  readonly audience: string;
  /** @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch;
  readonly clock: Clock;
}

/** What a callback's token says; a refusal has the status to answer with. */
export type CallbackVerdict =
  | { readonly ok: true; readonly tenantId: string }
  | {
      readonly ok: false;
      readonly status: 401 | 403;
      readonly code: string;
      readonly message: string;
    };

/** As Microsoft's own samples refresh the signers' keys. */
const KEYS_MAX_AGE_MS = 2 * 60 * 60_000;
/** An unknown key id may be a new key, or an attacker's invention. */
const REFRESH_AT_MOST_EVERY_MS = 30_000;
/** Without any key every callback is refused, so that a new attempt is worth more. */
const FIRST_FETCH_AT_MOST_EVERY_MS = 1_000;
const FETCH_TIMEOUT_MS = 10_000;
const CLOCK_TOLERANCE_S = 60;

/**
 * Checks the token of Graph's notifications: signed with RS256 by a key of the callback
 * metadata, for us, by a known issuer, in time, and of a tenant. The keys are not Entra ID's.
 */
export class CallbackAuth {
  readonly #options: CallbackAuthOptions;
  readonly #fetch: typeof fetch;
  #keys: JWTVerifyGetKey | undefined;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(options: CallbackAuthOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? fetch;
  }

  /** @param authorizationHeader value of the request's `Authorization` header. */
  async verify(authorizationHeader: string | undefined): Promise<CallbackVerdict> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorizationHeader ?? '')?.[1];
    if (token === undefined) return refusal(401, 'token_missing', 'a bearer token must be sent');
    await this.#refreshIfOld();
    const verdict = await this.#check(token);
    if (verdict !== 'unknownKey') return verdict;
    await this.#refresh();
    const second = await this.#check(token);
    return second === 'unknownKey'
      ? refusal(401, 'token_key_unknown', 'a token must be signed by a known key')
      : second;
  }

  async #check(token: string): Promise<CallbackVerdict | 'unknownKey'> {
    if (this.#keys === undefined) {
      return refusal(401, 'token_keys_unavailable', "the signers' keys must be reachable");
    }
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: ['RS256'],
        audience: this.#options.audience,
        issuer: [...this.#options.endpoints.callbackIssuers],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(this.#options.clock.wallclockMs()),
        requiredClaims: ['exp'],
      });
      const tenantId = payload['tid'];
      return typeof tenantId === 'string' && tenantId !== ''
        ? { ok: true, tenantId }
        : refusal(403, 'token_without_tenant', 'a token must name its tenant in `tid`');
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** Keys at hand serve until newer ones are there: Graph waits for its answer. */
  async #refreshIfOld(): Promise<void> {
    if (this.#options.clock.nowMs() - this.#fetchedAtMs <= KEYS_MAX_AGE_MS) return;
    const refreshed = this.#refresh();
    if (this.#keys === undefined) await refreshed;
  }

  /** One request at a time; often enough for new keys, too seldom to be used against the signer. */
  #refresh(): Promise<void> {
    if (this.#refreshing !== undefined) return this.#refreshing;
    const nowMs = this.#options.clock.nowMs();
    const intervalMs =
      this.#keys === undefined ? FIRST_FETCH_AT_MOST_EVERY_MS : REFRESH_AT_MOST_EVERY_MS;
    if (nowMs - this.#triedAtMs < intervalMs) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#refreshing = this.#fetchKeys().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #fetchKeys(): Promise<void> {
    try {
      const metadata = await this.#fetchJson(this.#options.endpoints.callbackOpenIdUrl);
      const jwksUri = jsonField(metadata, 'jwks_uri');
      if (typeof jwksUri !== 'string') return;
      const keys = jsonField(await this.#fetchJson(jwksUri), 'keys');
      if (!Array.isArray(keys)) return;
      this.#keys = createLocalJWKSet({ keys });
      this.#fetchedAtMs = this.#options.clock.nowMs();
    } catch {
      // The keys at hand stay in use; with none, callbacks are refused and Graph repeats them.
    }
  }

  async #fetchJson(url: string): Promise<unknown> {
    const response = await this.#fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    return response.ok ? response.json() : undefined;
  }
}

function refusalOf(error: unknown): CallbackVerdict | 'unknownKey' {
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknownKey';
  if (error instanceof errors.JWTExpired) {
    return refusal(401, 'token_expired', 'a token must not be expired');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refusal(
      403,
      `token_wrong_${error.claim}`,
      `a token must have the expected \`${error.claim}\``,
    );
  }
  return refusal(401, 'token_invalid', 'a token must be well-formed and signed with RS256');
}

function refusal(status: 401 | 403, code: string, rule: string): CallbackVerdict {
  return { ok: false, status, code, message: `Cannot accept the notification: ${rule}` };
}

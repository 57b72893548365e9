import type { Clock } from '@earshot/async';
import type { JWTVerifyGetKey } from 'jose';
import { errors, jwtVerify } from 'jose';
import { CallbackKeys } from './callback-keys.js';
import type { GraphEndpoints } from './endpoints.js';

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

const CLOCK_TOLERANCE_S = 60;

/**
 * Checks the token of Graph's notifications: signed with RS256 by a key of the callback
 * metadata, for us, by a known issuer, in time, and of a tenant. The keys are not Entra ID's.
 */
export class CallbackAuth {
  readonly #options: CallbackAuthOptions;
  readonly #keys: CallbackKeys;

  constructor(options: CallbackAuthOptions) {
    const { endpoints, clock } = options;
    this.#options = options;
    this.#keys = new CallbackKeys({
      openIdUrls: endpoints.callbackOpenIdUrls,
      fetch: options.fetch ?? fetch,
      clock,
    });
  }

  /** Fetches the keys, so that the first callback need not wait for them. Never throws. */
  prepare(): Promise<void> {
    return this.#keys.refreshIfOld();
  }

  /** @param authorizationHeader value of the request's `Authorization` header. */
  async verify(authorizationHeader: string | undefined): Promise<CallbackVerdict> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorizationHeader ?? '')?.[1];
    if (token === undefined) return refusal(401, 'token_missing', 'a bearer token must be sent');
    await this.#keys.refreshIfOld();
    const verdict = await this.#check(token);
    if (verdict !== 'unknownKey') return verdict;
    await this.#keys.refresh();
    const second = await this.#check(token);
    return second === 'unknownKey'
      ? refusal(401, 'token_key_unknown', 'a token must be signed by a known key')
      : second;
  }

  /** Against the keys of each signer in turn: two of them may use one key id. */
  async #check(token: string): Promise<CallbackVerdict | 'unknownKey'> {
    const { sets } = this.#keys;
    if (sets.length === 0) {
      return refusal(401, 'token_keys_unavailable', "the signers' keys must be reachable");
    }
    let verdict: CallbackVerdict | 'unknownKey' = 'unknownKey';
    for (const keys of sets) {
      const next = await this.#checkWith(keys, token);
      if (next !== 'unknownKey') verdict = next;
      if (next !== 'unknownKey' && (next.ok || next.code !== 'token_invalid')) return next;
    }
    return verdict;
  }

  async #checkWith(keys: JWTVerifyGetKey, token: string): Promise<CallbackVerdict | 'unknownKey'> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        // Entra ID takes it in any letters, and writes it in small ones.
        audience: [this.#options.audience, this.#options.audience.toLowerCase()],
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

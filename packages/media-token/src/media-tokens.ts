import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { errors, jwtVerify, SignJWT } from 'jose';

const ALGORITHM = 'HS256';
const ISSUER = 'earshot-signaling';
/** RFC 7518 §3.2: a key of HS256 is at least as long as its hash. */
const MIN_KEY_BYTES = 32;
/** Ours have some 250; longer ones aren't worth hashing. */
const MAX_TOKEN_CHARS = 4096;

export interface MediaTokensOptions {
  /** The installation's bridge key, at least 32 bytes; copied. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

/** What a token allows: one call's media link, to one worker, under one epoch. */
export interface MediaTokenClaims {
  readonly callId: string;
  readonly workerId: string;
  readonly epoch: number;
  /** @defaultValue 60 000 */
  readonly ttlMs?: number;
}

/**
 * Why a token was refused.
 *
 * - `missing`: there is none.
 * - `malformed`: not a token of ours, whoever signed it.
 * - `expired`: it was good once.
 * - `wrong_signature`: made with another key or algorithm.
 * - `wrong_worker`: good, but for another worker.
 */
export type MediaTokenFailure =
  | 'missing'
  | 'malformed'
  | 'expired'
  | 'wrong_signature'
  | 'wrong_worker';

export type MediaTokenResult =
  | { readonly ok: true; readonly callId: string; readonly epoch: number }
  | { readonly ok: false; readonly code: MediaTokenFailure };

/** Mints and checks the bearer tokens of media links: JWT (RFC 7519), HS256 with a shared key. */
export class MediaTokens {
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  /** @throws CodedError `bridge_key_too_short` */
  constructor({ key, clock }: MediaTokensOptions) {
    if (key.length < MIN_KEY_BYTES) {
      throw new CodedError(
        'bridge_key_too_short',
        `Cannot use the bridge key: it must have at least ${MIN_KEY_BYTES} bytes, got ${key.length}`,
        { fix: 'Make one with: openssl rand -base64 32 | tr +/ -_ | tr -d =' },
      );
    }
    this.#key = Uint8Array.from(key);
    this.#clock = clock;
  }

  /**
   * A fresh token.
   *
   * @throws RangeError when `epoch` is no natural number or `ttlMs` is less than 1 s.
   */
  async mint({ callId, workerId, epoch, ttlMs = 60_000 }: MediaTokenClaims): Promise<string> {
    if (!isEpoch(epoch)) {
      throw new RangeError(`Cannot mint a token: epoch must be a natural number, got ${epoch}`);
    }
    if (!(ttlMs >= 1000)) {
      throw new RangeError(`Cannot mint a token: ttlMs must be at least 1000, got ${ttlMs}`);
    }
    const nowMs = this.#clock.wallclockMs();
    return await new SignJWT({ epoch })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(workerId)
      .setSubject(callId)
      .setIssuedAt(new Date(nowMs))
      .setExpirationTime(new Date(nowMs + ttlMs))
      .sign(this.#key);
  }

  /** What `token` allows at the worker `workerId`. Never rejects because of the token. */
  async verify(
    token: string | undefined,
    { workerId }: { readonly workerId: string },
  ): Promise<MediaTokenResult> {
    if (token === undefined || token === '') return { ok: false, code: 'missing' };
    if (token.length > MAX_TOKEN_CHARS) return { ok: false, code: 'malformed' };
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: workerId,
        requiredClaims: ['sub', 'exp', 'epoch'],
        currentDate: new Date(this.#clock.wallclockMs()),
      });
      const { sub: callId, epoch } = payload;
      if (callId === undefined || callId === '' || !isEpoch(epoch)) {
        return { ok: false, code: 'malformed' };
      }
      return { ok: true, callId, epoch };
    } catch (error) {
      return { ok: false, code: failureOf(error) };
    }
  }
}

function failureOf(error: unknown): MediaTokenFailure {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'wrong_signature';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'wrong_signature';
  // An absent audience is no worker's token; only a present, other one is another worker's.
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud' && error.reason === 'check_failed' ? 'wrong_worker' : 'malformed';
  }
  return 'malformed';
}

function isEpoch(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { JWTPayload } from 'jose';
import { errors, jwtVerify, SignJWT } from 'jose';

const ALGORITHM = 'HS256';
/** Who makes tokens of which use. */
const ISSUERS = { attach: 'earshot-signaling', resume: 'earshot-worker' } as const;
/** RFC 7518 §3.2: a key of HS256 is at least as long as its hash. */
const MIN_KEY_BYTES = 32;
/** Ours have some 250; longer ones aren't worth hashing. */
const MAX_TOKEN_CHARS = 4096;
/** Call and token ids are kept: as long as an id of the protocol may be. */
const MAX_ID_CHARS = 128;

export interface MediaTokensOptions {
  /** The installation's bridge key, at least 32 bytes; copied. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

/**
 * What a token opens: `attach`, the first link of an attachment; `resume`, the next one after a
 * break.
 */
export type MediaTokenUse = keyof typeof ISSUERS;

/** What a token allows: one call's media link, to one worker, under one epoch. */
export interface MediaTokenClaims {
  readonly callId: string;
  readonly workerId: string;
  readonly epoch: number;
  /** @defaultValue `attach` */
  readonly use?: MediaTokenUse;
  /** Must be of no other token. @defaultValue a random one */
  readonly tokenId?: string;
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

/** A token that was good when it was looked at. */
export interface VerifiedMediaToken {
  readonly ok: true;
  readonly callId: string;
  readonly epoch: number;
  readonly use: MediaTokenUse;
  /** Of no other token; whoever allows one use only remembers it until the token expires. */
  readonly tokenId: string;
  /** Wallclock, ms since 1970. */
  readonly expiresAtMs: number;
}

export type MediaTokenResult =
  | VerifiedMediaToken
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
  async mint(claims: MediaTokenClaims): Promise<string> {
    const { callId, workerId, epoch, use = 'attach', ttlMs = 60_000 } = claims;
    const { tokenId = randomUUID() } = claims;
    if (!isEpoch(epoch)) {
      throw new RangeError(`Cannot mint a token: epoch must be a natural number, got ${epoch}`);
    }
    if (!(ttlMs >= 1000)) {
      throw new RangeError(`Cannot mint a token: ttlMs must be at least 1000, got ${ttlMs}`);
    }
    const nowMs = this.#clock.wallclockMs();
    return await new SignJWT({ epoch, use })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUERS[use])
      .setAudience(workerId)
      .setSubject(callId)
      .setJti(tokenId)
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
        issuer: Object.values(ISSUERS),
        audience: workerId,
        requiredClaims: ['sub', 'exp', 'jti', 'epoch', 'use'],
        currentDate: new Date(this.#clock.wallclockMs()),
      });
      return readClaims(payload) ?? { ok: false, code: 'malformed' };
    } catch (error) {
      return { ok: false, code: failureOf(error) };
    }
  }
}

/** Claims that are well signed need not be well formed. */
function readClaims(payload: JWTPayload): VerifiedMediaToken | undefined {
  const { iss, sub: callId, jti: tokenId, exp, epoch, use } = payload;
  if (!isId(callId) || !isId(tokenId) || exp === undefined) return undefined;
  if (!isEpoch(epoch) || !isUse(use) || iss !== ISSUERS[use]) return undefined;
  return { ok: true, callId, epoch, use, tokenId, expiresAtMs: exp * 1000 };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS;
}

function isUse(value: unknown): value is MediaTokenUse {
  return typeof value === 'string' && Object.hasOwn(ISSUERS, value);
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

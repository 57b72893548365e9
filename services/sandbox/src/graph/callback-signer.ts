import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { FastifyInstance } from 'fastify';
import type { CryptoKey, JWK } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Issuer of the tokens on callbacks, as the real service's. */
export const CALLBACK_ISSUER = 'https://api.botframework.com';
/** Path of the metadata by which a bot finds the keys. */
export const CALLBACK_OPENID_PATH = '/v1/.well-known/OpenIdConfiguration';

const KEYS_PATH = '/v1/keys';
/** 65 min, as in the documented example. */
const LIFETIME_S = 3_900;

/** Signs the tokens that callbacks carry, with a key of its own. */
export class CallbackSigner {
  readonly #privateKey: CryptoKey;
  readonly #jwk: JWK;
  readonly #clock: Clock;

  private constructor(privateKey: CryptoKey, jwk: JWK, clock: Clock) {
    this.#privateKey = privateKey;
    this.#jwk = jwk;
    this.#clock = clock;
  }

  static async create(clock: Clock): Promise<CallbackSigner> {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const kid = randomUUID().replaceAll('-', '');
    const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' };
    return new CallbackSigner(privateKey, jwk, clock);
  }

  /** A bearer token for a bot, about a call of a tenant. */
  token(clientId: string, tenantId: string): Promise<string> {
    const nowS = Math.floor(this.#clock.wallclockMs() / 1_000);
    return new SignJWT({ tid: tenantId })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.#jwk.kid ?? '' })
      .setIssuer(CALLBACK_ISSUER)
      .setAudience(clientId)
      .setIssuedAt(nowS)
      .setNotBefore(nowS)
      .setExpirationTime(nowS + LIFETIME_S)
      .sign(this.#privateKey);
  }

  /** Serves the metadata and the keys. */
  addRoutes(app: FastifyInstance, baseUrl: () => string): void {
    app.get(CALLBACK_OPENID_PATH, (_request, reply) =>
      reply.send({
        issuer: CALLBACK_ISSUER,
        authorization_endpoint: 'https://invalid.botframework.com/',
        jwks_uri: `${baseUrl()}${KEYS_PATH}`,
        id_token_signing_alg_values_supported: ['RS256'],
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
      }),
    );
    app.get(KEYS_PATH, (_request, reply) => reply.send({ keys: [this.#jwk] }));
  }
}

import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { FastifyInstance } from 'fastify';
import type { CryptoKey, JWK } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Forgery } from '../scenario/scenario.js';

/** Issuer of the tokens on callbacks, as the real service's. */
export const CALLBACK_ISSUER = 'https://api.botframework.com';
/** Path of the metadata by which a bot finds the keys. */
export const CALLBACK_OPENID_PATH = '/v1/.well-known/OpenIdConfiguration';

const KEYS_PATH = '/v1/keys';
/** 65 min, as in the documented example. */
const LIFETIME_S = 3_900;
const HOUR_S = 3_600;

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
    return this.#sign({ audience: clientId, tenantId, issuer: CALLBACK_ISSUER });
  }

  /** A bearer token that a bot must not take; undefined for none at all. */
  async forgedToken(
    forgery: Forgery,
    clientId: string,
    tenantId: string,
  ): Promise<string | undefined> {
    const good = { audience: clientId, tenantId, issuer: CALLBACK_ISSUER };
    switch (forgery) {
      case 'missing':
        return undefined;
      case 'signature':
        return withOtherSignature(await this.#sign(good));
      case 'issuer':
        return this.#sign({ ...good, issuer: 'https://issuer.invalid' });
      case 'audience':
        return this.#sign({ ...good, audience: randomUUID() });
      case 'tenant':
        return this.#sign({ ...good, tenantId: randomUUID() });
      case 'expired':
        return this.#sign({ ...good, ageS: LIFETIME_S + HOUR_S });
    }
  }

  #sign({ audience, tenantId, issuer, ageS = 0 }: Claims): Promise<string> {
    const issuedAtS = Math.floor(this.#clock.wallclockMs() / 1_000) - ageS;
    return new SignJWT({ tid: tenantId })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.#jwk.kid ?? '' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAtS)
      .setNotBefore(issuedAtS)
      .setExpirationTime(issuedAtS + LIFETIME_S)
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

interface Claims {
  readonly audience: string;
  readonly tenantId: string;
  readonly issuer: string;
  readonly ageS?: number;
}

/** The token with the bits of its signature's first letters turned. */
function withOtherSignature(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url').map((byte, index) =>
    index < 4 ? ~byte : byte,
  );
  return `${header}.${payload}.${Buffer.from(bytes).toString('base64url')}`;
}

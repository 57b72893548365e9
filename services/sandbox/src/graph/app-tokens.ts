import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { CryptoKey, JWK } from 'jose';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { unauthenticated } from './graph-fault.js';

const AUDIENCE = 'https://graph.microsoft.com';
/** As Entra's default for app-only tokens. */
const LIFETIME_S = 3_599;

const claimsSchema = z.object({
  tid: z.string(),
  appid: z.string(),
  roles: z.array(z.string()).default([]),
});

/** What a valid app token says. */
export interface AppIdentity {
  readonly tenantId: string;
  readonly clientId: string;
  /** Application permissions granted in that tenant. */
  readonly roles: ReadonlySet<string>;
}

/** Signs and checks the app-only tokens of the simulated Entra ID. */
export class AppTokens {
  readonly #privateKey: CryptoKey;
  readonly #publicKey: CryptoKey;
  readonly #jwk: JWK;
  readonly #clock: Clock;

  private constructor(
    keys: { privateKey: CryptoKey; publicKey: CryptoKey },
    jwk: JWK,
    clock: Clock,
  ) {
    this.#privateKey = keys.privateKey;
    this.#publicKey = keys.publicKey;
    this.#jwk = jwk;
    this.#clock = clock;
  }

  static async create(clock: Clock): Promise<AppTokens> {
    const keys = await generateKeyPair('RS256');
    const jwk = {
      ...(await exportJWK(keys.publicKey)),
      kid: randomUUID(),
      use: 'sig',
      alg: 'RS256',
    };
    return new AppTokens(keys, jwk, clock);
  }

  /** Public keys, as the tenant's key endpoint shows them. */
  get jwks(): { keys: JWK[] } {
    return { keys: [this.#jwk] };
  }

  /** Issues a token bound to its tenant. */
  async issue(
    tenantId: string,
    clientId: string,
    roles: readonly string[],
  ): Promise<{ token: string; expiresInS: number }> {
    const nowS = Math.floor(this.#clock.wallclockMs() / 1_000);
    const token = await new SignJWT({
      appid: clientId,
      tid: tenantId,
      idtyp: 'app',
      ver: '1.0',
      roles: [...roles],
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.#jwk.kid ?? '' })
      .setIssuer(`https://sts.windows.net/${tenantId}/`)
      .setAudience(AUDIENCE)
      .setIssuedAt(nowS)
      .setNotBefore(nowS)
      .setExpirationTime(nowS + LIFETIME_S)
      .sign(this.#privateKey);
    return { token, expiresInS: LIFETIME_S };
  }

  /** @throws GraphFault 401 `InvalidAuthenticationToken` */
  async verify(authorization: string | undefined): Promise<AppIdentity> {
    const token = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('Access token is empty.');
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: ['RS256'],
        audience: AUDIENCE,
        currentDate: new Date(this.#clock.wallclockMs()),
      });
      const { tid, appid, roles } = claimsSchema.parse(payload);
      return { tenantId: tid, clientId: appid, roles: new Set(roles) };
    } catch {
      throw unauthenticated('Access token validation failure.');
    }
  }
}

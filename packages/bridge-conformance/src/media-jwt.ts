import { createHmac, randomUUID } from 'node:crypto';

/** What a forged token says; each can be left out or wrong on purpose. */
export interface ForgedClaims {
  readonly callId?: string;
  readonly workerId?: string;
  readonly epoch?: number;
  readonly issuer?: string;
  /** Unix time, ms. */
  readonly issuedAtMs: number;
  /** How long after its issue it ends; negative when it has already. */
  readonly ttlMs: number;
}

/**
 * A media token: JWT (RFC 7519) with HS256, or without any signature when `key` is null. Made by
 * hand and not with our own token package, so that a mistake there can't hide from the suite.
 */
export function forgeMediaToken(claims: ForgedClaims, key: Uint8Array | null): string {
  const { callId, workerId, epoch, issuer = 'earshot-signaling', issuedAtMs, ttlMs } = claims;
  const header = part({ alg: key === null ? 'none' : 'HS256', typ: 'JWT' });
  const payload = part({
    iss: issuer,
    aud: workerId,
    sub: callId,
    jti: randomUUID(),
    use: 'attach',
    epoch,
    iat: Math.floor(issuedAtMs / 1000),
    exp: Math.floor((issuedAtMs + ttlMs) / 1000),
  });
  const signed = `${header}.${payload}`;
  if (key === null) return `${signed}.`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import type { CryptoKey } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallbackAuth } from '../src/callback-auth.js';
import { GLOBAL_CLOUD } from '../src/endpoints.js';

const AUDIENCE = 'app-id';
const ISSUER = 'https://api.botframework.com';

const first = await generateKeyPair('RS256');
const second = await generateKeyPair('RS256');

interface Claims {
  readonly issuer?: string;
  readonly audience?: string;
  readonly tenant?: string | null;
  readonly expiresInS?: number;
  readonly validInS?: number;
  readonly kid?: string;
  readonly key?: CryptoKey;
}

let server: Server;
let clock: VirtualClock;
let served: { kid: string; key: CryptoKey }[] = [];
let keyRequests = 0;
let auth: CallbackAuth;
/** The signer can not be reached, or answers something else. */
let away: boolean | 'no keys' = false;

beforeEach(async () => {
  clock = new VirtualClock();
  served = [{ kid: 'one', key: first.publicKey }];
  keyRequests = 0;
  away = false;
  server = createServer(async (request, response) => {
    const base = `http://${request.headers.host}`;
    if (away === true) request.socket.destroy();
    else if (away === 'no keys') response.end('{"jwks_uri":7}');
    else if (request.url === '/keys') {
      keyRequests += 1;
      const keys = await Promise.all(
        served.map(async ({ kid, key }) => ({
          ...(await exportJWK(key)),
          kid,
          alg: 'RS256',
          use: 'sig',
        })),
      );
      response.end(JSON.stringify({ keys }));
    } else response.end(JSON.stringify({ issuer: ISSUER, jwks_uri: `${base}/keys` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  auth = new CallbackAuth({
    endpoints: { ...GLOBAL_CLOUD, callbackOpenIdUrl: `http://127.0.0.1:${port}/metadata` },
    audience: AUDIENCE,
    clock,
  });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function token(claims: Claims = {}): Promise<string> {
  const nowS = Math.floor(clock.wallclockMs() / 1000);
  const tenant = claims.tenant === undefined ? 't-1' : claims.tenant;
  return new SignJWT(tenant === null ? {} : { tid: tenant })
    .setProtectedHeader({ alg: 'RS256', kid: claims.kid ?? 'one' })
    .setIssuer(claims.issuer ?? ISSUER)
    .setAudience(claims.audience ?? AUDIENCE)
    .setIssuedAt(nowS)
    .setNotBefore(nowS + (claims.validInS ?? 0))
    .setExpirationTime(nowS + (claims.expiresInS ?? 3_900))
    .sign(claims.key ?? first.privateKey);
}

async function verdict(claims: Claims = {}): Promise<unknown> {
  const answer = await auth.verify(`Bearer ${await token(claims)}`);
  return answer.ok ? answer : [answer.status, answer.code];
}

describe('CallbackAuth', () => {
  it('accepts a good token and tells its tenant', async () => {
    expect(await verdict()).toEqual({ ok: true, tenantId: 't-1' });
  });

  it.each([
    ['another audience', { audience: 'other' }, [403, 'token_wrong_aud']],
    ['another issuer', { issuer: 'https://evil.example' }, [403, 'token_wrong_iss']],
    ['no tenant', { tenant: null }, [403, 'token_without_tenant']],
    ['one that is not valid yet', { validInS: 120 }, [403, 'token_wrong_nbf']],
    ['an expired one', { expiresInS: -120 }, [401, 'token_expired']],
    ['the signature of another key', { key: second.privateKey }, [401, 'token_invalid']],
    ['an unknown key', { kid: 'nobody' }, [401, 'token_key_unknown']],
  ] as const)('refuses %s', async (_name, claims, expected) => {
    expect(await verdict(claims)).toEqual(expected);
  });

  it.each([
    ['a little late', { expiresInS: -30 }],
    ['a little early', { validInS: 30 }],
    ['of the other issuer', { issuer: 'https://graph.microsoft.com' }],
  ])('accepts a token %s', async (_name, claims) => {
    expect(await verdict(claims)).toMatchObject({ ok: true });
  });

  it('refuses a token that is not signed with RS256', async () => {
    const hs256 = await new SignJWT({ tid: 't-1' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(Math.floor(clock.wallclockMs() / 1000) + 60)
      .sign(new TextEncoder().encode('a secret that is long enough 123'));
    expect(await auth.verify(`Bearer ${hs256}`)).toMatchObject({ ok: false, status: 401 });
    const none = `${btoa('{"alg":"none"}')}.${btoa('{"tid":"t-1"}')}.x`.replaceAll('=', '');
    expect(await auth.verify(`Bearer ${none}`)).toMatchObject({ ok: false, status: 401 });
  });

  it('refuses any other text and never throws (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.option(fc.string(), { nil: undefined }), async (header) => {
        expect(await auth.verify(header)).toMatchObject({ ok: false, status: 401 });
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[\w-]{1,20}\.[\w-]{1,20}\.[\w-]{1,20}$/),
        async (text) => {
          expect(await auth.verify(`Bearer ${text}`)).toMatchObject({ ok: false, status: 401 });
        },
      ),
    );
  });

  it('fetches the keys once, and again when they are old', async () => {
    await Promise.all([verdict(), verdict(), verdict()]);
    expect(keyRequests).toBe(1);
    clock.advance(3 * 60 * 60_000);
    expect(await verdict()).toMatchObject({ ok: true });
    await vi.waitUntil(() => keyRequests === 2);
  });

  it('takes a new key at once, but asks no more often than twice a minute', async () => {
    await verdict();
    clock.advance(60_000);
    served.push({ kid: 'two', key: second.publicKey });
    expect(await verdict({ kid: 'two', key: second.privateKey })).toMatchObject({ ok: true });
    await verdict({ kid: 'three' });
    await verdict({ kid: 'four' });
    expect(keyRequests).toBe(2);
  });

  it('serves old keys while the signer is away', async () => {
    await verdict();
    away = true;
    clock.advance(3 * 60 * 60_000);
    expect(await verdict()).toMatchObject({ ok: true });
    expect(await verdict({ kid: 'two' })).toEqual([401, 'token_key_unknown']);
  });

  it.each([
    ['no answer', true],
    ['no keys', 'no keys'],
  ] as const)(
    'refuses while there are no keys, and recovers within a second: %s',
    async (_name, fault) => {
      away = fault;
      expect(await verdict()).toEqual([401, 'token_keys_unavailable']);
      away = false;
      clock.advance(1_000);
      expect(await verdict()).toMatchObject({ ok: true });
    },
  );
});

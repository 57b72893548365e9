import { createHmac } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import type { CryptoKey } from 'jose';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallbackAuth } from '../src/callback-auth.js';
import type { GraphEndpoints } from '../src/endpoints.js';
import { CLOUDS, GLOBAL_CLOUD } from '../src/endpoints.js';

const AUDIENCE = 'app-id';
const ISSUER = 'https://api.botframework.com';
/** Far more than it takes: machines are slow at times. */
const WAIT = { timeout: 10_000 } as const;

const first = await generateKeyPair('RS256', { extractable: true });
const second = await generateKeyPair('RS256');

interface Claims {
  readonly issuer?: string;
  readonly audience?: string;
  readonly tenant?: string | null;
  readonly expiresInS?: number;
  readonly validInS?: number;
  readonly kid?: string;
  readonly key?: CryptoKey;
  readonly header?: Readonly<Record<string, unknown>>;
}

let server: Server;
let base: string;
let clock: VirtualClock;
let served: { kid: string; key: CryptoKey }[] = [];
/** Keys of another signer, of `/metadata-2`. */
let servedElsewhere: typeof served = [];
let keyRequests = 0;
let auth: CallbackAuth;
/** The signer can not be reached, or answers something else. */
let away: boolean | 'no keys' | 'elsewhere' = false;

beforeEach(async () => {
  clock = new VirtualClock();
  served = [{ kid: 'one', key: first.publicKey }];
  servedElsewhere = [];
  keyRequests = 0;
  away = false;
  server = createServer(async (request, response) => {
    const isElsewhere = request.url?.endsWith('-2') === true;
    if (away === true || (away === 'elsewhere' && isElsewhere)) request.socket.destroy();
    else if (away === 'no keys') response.end('{"jwks_uri":7}');
    else if (request.url?.startsWith('/keys')) {
      keyRequests += 1;
      const keys = await Promise.all(
        (isElsewhere ? servedElsewhere : served).map(async ({ kid, key }) => ({
          ...(await exportJWK(key)),
          kid,
          alg: 'RS256',
          use: 'sig',
        })),
      );
      response.end(JSON.stringify({ keys }));
    } else {
      const jwks_uri = `${base}/keys${isElsewhere ? '-2' : ''}`;
      response.end(JSON.stringify({ issuer: ISSUER, jwks_uri }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  base = `http://127.0.0.1:${port}`;
  auth = authOf(GLOBAL_CLOUD, '/metadata');
});

function authOf(cloud: GraphEndpoints, ...paths: string[]): CallbackAuth {
  return authFor(AUDIENCE, cloud, ...paths);
}

function authFor(audience: string, cloud: GraphEndpoints, ...paths: string[]): CallbackAuth {
  const callbackOpenIdUrls = paths.map((path) => base + path);
  return new CallbackAuth({
    endpoints: { ...cloud, callbackOpenIdUrls },
    audience,
    clock,
  });
}

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function token(claims: Claims = {}): Promise<string> {
  const nowS = Math.floor(clock.wallclockMs() / 1000);
  const tenant = claims.tenant === undefined ? 't-1' : claims.tenant;
  return new SignJWT(tenant === null ? {} : { tid: tenant })
    .setProtectedHeader({ alg: 'RS256', kid: claims.kid ?? 'one', ...claims.header })
    .setIssuer(claims.issuer ?? ISSUER)
    .setAudience(claims.audience ?? AUDIENCE)
    .setIssuedAt(nowS)
    .setNotBefore(nowS + (claims.validInS ?? 0))
    .setExpirationTime(nowS + (claims.expiresInS ?? 3_900))
    .sign(claims.key ?? first.privateKey);
}

async function verdict(claims: Claims = {}, by: CallbackAuth = auth): Promise<unknown> {
  const answer = await by.verify(`Bearer ${await token(claims)}`);
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
    ['that calls its content a token, as Teams does', { header: { cty: 'JWT' } }],
  ])('accepts a token %s', async (_name, claims) => {
    expect(await verdict(claims)).toMatchObject({ ok: true });
  });

  it('knows our id in whatever letters it was configured', async () => {
    const shouted = authFor(AUDIENCE.toUpperCase(), GLOBAL_CLOUD, '/metadata');
    expect(await verdict({}, shouted)).toMatchObject({ ok: true });
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

  it('takes no public key for a shared secret', async () => {
    const body = { tid: 't-1', iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 };
    const { n = '' } = await exportJWK(first.publicKey);
    const secrets = [await exportSPKI(first.publicKey), n, Buffer.from(n, 'base64url')];
    for (const secret of secrets) {
      const head = [{ alg: 'HS256', kid: 'one' }, body].map((part) => encode(JSON.stringify(part)));
      const signature = createHmac('sha256', secret).update(head.join('.')).digest('base64url');
      const answer = await auth.verify(`Bearer ${head.join('.')}.${signature}`);
      expect(answer).toMatchObject({ ok: false, code: 'token_invalid' });
    }
  });

  it.each(['PS256', 'RS384', 'RS512'])('refuses %s with the right key', async (alg) => {
    const jwk = await exportJWK(first.privateKey);
    const key = await importJWK({ ...jwk, alg }, alg);
    if (key instanceof Uint8Array) throw new Error('not a key pair');
    expect(await verdict({ key, header: { alg } })).toEqual([401, 'token_invalid']);
  });

  it('refuses a token without an end', async () => {
    const endless = await new SignJWT({ tid: 't-1' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .sign(first.privateKey);
    expect(await auth.verify(`Bearer ${endless}`)).toMatchObject({ code: 'token_wrong_exp' });
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
    await vi.waitUntil(() => keyRequests === 2, WAIT);
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

  it('asks twice a minute at most in a flood of unknown keys, and serves the known meanwhile', async () => {
    await verdict();
    clock.advance(60_000);
    const flood = Array.from({ length: 200 }, (_, i) => verdict({ kid: `invented-${i}` }));
    expect(await verdict()).toMatchObject({ ok: true });
    expect(new Set((await Promise.all(flood)).map(String))).toEqual(
      new Set(['401,token_key_unknown']),
    );
    expect(keyRequests).toBe(2);
  });

  it('has the keys before the first callback when it was told to', async () => {
    await auth.prepare();
    expect(keyRequests).toBe(1);
    away = true;
    expect(await verdict()).toMatchObject({ ok: true });
    await expect(authOf(GLOBAL_CLOUD, '/metadata').prepare()).resolves.toBeUndefined();
  });

  it('keeps its keys when the signer answers that there are none', async () => {
    await verdict();
    served = [];
    clock.advance(3 * 60 * 60_000);
    await verdict();
    await vi.waitUntil(() => keyRequests === 2, WAIT);
    expect(await verdict()).toMatchObject({ ok: true });
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

describe('CallbackAuth with several signers', () => {
  beforeEach(() => {
    servedElsewhere = [{ kid: 'two', key: second.publicKey }];
    auth = authOf(GLOBAL_CLOUD, '/metadata', '/metadata-2');
  });

  it('accepts the keys of each, also under one id', async () => {
    expect(await verdict()).toMatchObject({ ok: true });
    expect(await verdict({ kid: 'two', key: second.privateKey })).toMatchObject({ ok: true });
    expect(await verdict({ kid: 'two' })).toEqual([401, 'token_invalid']);
    servedElsewhere = [{ kid: 'one', key: second.publicKey }];
    auth = authOf(GLOBAL_CLOUD, '/metadata', '/metadata-2');
    expect(await verdict()).toMatchObject({ ok: true });
    expect(await verdict({ key: second.privateKey })).toMatchObject({ ok: true });
  });

  it('does without one that is away, and keeps the keys it had', async () => {
    away = 'elsewhere';
    expect(await verdict()).toMatchObject({ ok: true });
    away = false;
    clock.advance(60_000);
    expect(await verdict({ kid: 'two', key: second.privateKey })).toMatchObject({ ok: true });
    away = 'elsewhere';
    clock.advance(3 * 60 * 60_000);
    expect(await verdict({ kid: 'two', key: second.privateKey })).toMatchObject({ ok: true });
  });
});

describe('issuers of the clouds', () => {
  const GOVERNMENT = 'https://api.botframework.us';

  it.each([
    ['global', ISSUER, true],
    ['global', GOVERNMENT, false],
    ['usGovL4', GOVERNMENT, true],
    ['usGovL4', ISSUER, true],
    ['usGovL5', GOVERNMENT, true],
    ['usGovL5', 'https://evil.example', false],
  ] as const)('in %s, %s: %s', async (cloud, issuer, ok) => {
    const answer = await verdict({ issuer }, authOf(CLOUDS[cloud], '/metadata'));
    expect(answer).toEqual(ok ? { ok: true, tenantId: 't-1' } : [403, 'token_wrong_iss']);
  });
});

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { MediaTokens } from '../src/index.js';

const key = new Uint8Array(32).fill(7);
const claims = { callId: 'c_1', workerId: 'w-1', epoch: 3 };

let clock: VirtualClock;
let tokens: MediaTokens;
beforeEach(() => {
  clock = new VirtualClock();
  tokens = new MediaTokens({ key, clock });
});

/** A token that only its payload may be wrong with. */
function sign(payload: Record<string, unknown>): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(key);
}

function goodPayload(): Record<string, unknown> {
  const exp = Math.floor(clock.wallclockMs() / 1000) + 60;
  const iss = 'earshot-signaling';
  return { iss, aud: 'w-1', sub: 'c_1', jti: 't-1', use: 'attach', epoch: 3, exp };
}

describe('MediaTokens', () => {
  test('what it mints, it accepts, and says for which call and epoch', async () => {
    const token = await tokens.mint(claims);
    const result = await tokens.verify(token, { workerId: 'w-1' });
    expect(result).toEqual({
      ok: true,
      callId: 'c_1',
      epoch: 3,
      use: 'attach',
      tokenId: expect.any(String),
      expiresAtMs: Math.floor(clock.wallclockMs() / 1000) * 1000 + 60_000,
    });
  });

  test('a token says whether it begins an attachment or goes on with one', async () => {
    const token = await tokens.mint({ ...claims, use: 'resume' });
    expect(await tokens.verify(token, { workerId: 'w-1' })).toMatchObject({ use: 'resume' });
  });

  test('no two tokens have one id', async () => {
    const minted = await Promise.all(Array.from({ length: 50 }, () => tokens.mint(claims)));
    const results = await Promise.all(minted.map((t) => tokens.verify(t, { workerId: 'w-1' })));
    expect(new Set(results.map((result) => result.ok && result.tokenId)).size).toBe(50);
  });

  test('a token of another process with the same key is accepted', async () => {
    const other = new MediaTokens({ key: new Uint8Array(key), clock });
    const result = await tokens.verify(await other.mint(claims), { workerId: 'w-1' });
    expect(result.ok).toBe(true);
  });

  test('a token lives for its ttl, 60 s by default', async () => {
    const [usual, short] = await Promise.all([
      tokens.mint(claims),
      tokens.mint({ ...claims, ttlMs: 10_000 }),
    ]);
    clock.advance(9000);
    expect((await tokens.verify(short, { workerId: 'w-1' })).ok).toBe(true);
    clock.advance(1000);
    expect(await tokens.verify(short, { workerId: 'w-1' })).toEqual({ ok: false, code: 'expired' });
    clock.advance(49_000);
    expect((await tokens.verify(usual, { workerId: 'w-1' })).ok).toBe(true);
    clock.advance(1000);
    expect(await tokens.verify(usual, { workerId: 'w-1' })).toEqual({ ok: false, code: 'expired' });
  });

  test('another worker refuses it', async () => {
    const result = await tokens.verify(await tokens.mint(claims), { workerId: 'w-2' });
    expect(result).toEqual({ ok: false, code: 'wrong_worker' });
  });

  test('another key refuses it', async () => {
    const other = new MediaTokens({ key: new Uint8Array(32).fill(8), clock });
    const result = await other.verify(await tokens.mint(claims), { workerId: 'w-1' });
    expect(result).toEqual({ ok: false, code: 'wrong_signature' });
  });

  test('another algorithm is refused, though the key is right', async () => {
    const long = new Uint8Array(64).fill(7);
    const strong = await new SignJWT(goodPayload()).setProtectedHeader({ alg: 'HS512' }).sign(long);
    const mine = new MediaTokens({ key: long, clock });
    const wrong = { ok: false, code: 'wrong_signature' };
    expect(await mine.verify(strong, { workerId: 'w-1' })).toEqual(wrong);
    const payload = Buffer.from(JSON.stringify(goodPayload())).toString('base64url');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const unsigned = `${header}.${payload}.`;
    expect((await tokens.verify(unsigned, { workerId: 'w-1' })).ok).toBe(false);
  });

  test('no token is missing', async () => {
    const missing = { ok: false, code: 'missing' };
    expect(await tokens.verify(undefined, { workerId: 'w-1' })).toEqual(missing);
    expect(await tokens.verify('', { workerId: 'w-1' })).toEqual(missing);
  });

  test.each([
    ['another issuer', { iss: 'somebody' }],
    ['no issuer', { iss: undefined }],
    ['no audience', { aud: undefined }],
    ['no call', { sub: undefined }],
    ['an empty call', { sub: '' }],
    ['no epoch', { epoch: undefined }],
    ['an epoch as text', { epoch: '3' }],
    ['a negative epoch', { epoch: -1 }],
    ['no expiry', { exp: undefined }],
    ['no token id', { jti: undefined }],
    ['an empty token id', { jti: '' }],
    ['a token id as long as none of ours', { jti: 'x'.repeat(129) }],
    ['no use', { use: undefined }],
    ['an unknown use', { use: 'toString' }],
    ['a resume token of signaling', { use: 'resume' }],
    ['an attach token of a worker', { iss: 'earshot-worker' }],
  ])('%s is malformed, though well signed', async (_name, change) => {
    expect((await tokens.verify(await sign(goodPayload()), { workerId: 'w-1' })).ok).toBe(true);
    const token = await sign({ ...goodPayload(), ...change });
    const result = await tokens.verify(token, { workerId: 'w-1' });
    expect(result).toEqual({ ok: false, code: 'malformed' });
  });

  test('garbage is refused and never rejects', async () => {
    const good = await tokens.mint(claims);
    const anyToken = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((p) => p.join('.')),
      fc.nat({ max: good.length - 1 }).map((length) => good.slice(0, length)),
    );
    await fc.assert(
      fc.asyncProperty(anyToken, async (token) => {
        const result = await tokens.verify(token, { workerId: 'w-1' });
        expect(result.ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('a long text is refused without reading it', async () => {
    const result = await tokens.verify('a'.repeat(5000), { workerId: 'w-1' });
    expect(result).toEqual({ ok: false, code: 'malformed' });
  });

  test('a short key is refused', () => {
    expect(() => new MediaTokens({ key: new Uint8Array(31), clock })).toThrow(
      expect.objectContaining({ code: 'bridge_key_too_short' }),
    );
  });

  test('what no token may say is refused', async () => {
    await expect(tokens.mint({ ...claims, epoch: 1.5 })).rejects.toThrow(RangeError);
    await expect(tokens.mint({ ...claims, ttlMs: 10 })).rejects.toThrow(RangeError);
  });
});

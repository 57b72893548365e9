import { VirtualClock } from '@earshot/async';
import { assert, base64String, integer, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateSecret, signatureHeaders, verifyWebhook } from '../src/signature.js';

const NOW_MS = 1_700_000_000_000;
const clock = new VirtualClock(NOW_MS);
const secret = uint8Array({ minLength: 24, maxLength: 64 }).map(
  (bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`,
);

function signed(body: string, secrets: readonly string[], timestampMs = NOW_MS) {
  return signatureHeaders({ id: 'msg_1', body, timestampMs }, secrets);
}

describe('a signature', () => {
  it('is that of the published example of Standard Webhooks', () => {
    const headers = signatureHeaders(
      {
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        body: '{"test": 2432232314}',
        timestampMs: 1_614_265_330_000,
      },
      ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    );
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('holds for what was signed, with whichever secret is in use', () => {
    assert(
      property(string({ unit: 'binary' }), secret, secret, (body, older, newer) => {
        const headers = signed(body, [newer, older]);
        for (const key of [newer, older, [older, generateSecret()]]) {
          expect(verifyWebhook({ headers, body, secret: key, clock }).id).toBe('msg_1');
        }
      }),
    );
  });

  it('does not hold for another body, id, time or secret', () => {
    assert(
      property(string(), string(), secret, secret, (body, other, mine, theirs) => {
        const headers = signed(body, [mine]);
        const check = (changes: object) => () =>
          verifyWebhook({ headers, body, secret: mine, clock, ...changes });
        const refused = { code: 'webhook_signature_mismatch' };
        if (body !== other)
          expect(check({ body: other })).toThrow(expect.objectContaining(refused));
        if (mine !== theirs) {
          expect(check({ secret: theirs })).toThrow(expect.objectContaining(refused));
        }
        for (const change of [{ 'webhook-id': 'msg_2' }, { 'webhook-timestamp': '1700000001' }]) {
          expect(check({ headers: { ...headers, ...change } })).toThrow(
            expect.objectContaining(refused),
          );
        }
      }),
    );
  });

  it('is refused, never misread, whatever the headers say', () => {
    const mine = generateSecret();
    assert(
      property(string(), string(), base64String(), (id, timestamp, signature) => {
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature} v2,x v1, ${signature}`,
        };
        expect(() => verifyWebhook({ headers, body: '', secret: mine, clock })).toThrow(/Cannot/);
      }),
    );
  });

  it('is fresh within the tolerance, to either side', () => {
    const mine = generateSecret();
    assert(
      property(integer({ min: -700, max: 700 }), (offS) => {
        const headers = signed('x', [mine], NOW_MS + offS * 1000);
        const check = () =>
          verifyWebhook({ headers, body: 'x', secret: mine, toleranceMs: 300_000, clock });
        if (Math.abs(offS) <= 300) expect(check().timestampMs).toBe(NOW_MS + offS * 1000);
        else expect(check).toThrow(/within 300000 ms/);
      }),
    );
  });

  it.each([
    [{ 'webhook-id': undefined }, 'webhook_headers_missing'],
    [{ 'webhook-signature': ['v1,a', 'v1,b'] }, 'webhook_headers_missing'],
    [{ 'webhook-timestamp': 'now' }, 'webhook_timestamp_invalid'],
    [{ 'webhook-signature': 'v1' }, 'webhook_signature_mismatch'],
  ])('without %j is refused with %s', (changes, code) => {
    const mine = generateSecret();
    const headers = { ...signed('x', [mine]), ...changes };
    expect(() => verifyWebhook({ headers, body: 'x', secret: mine, clock })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each(['', 'whsec_', 'abc', `whsec_${'A'.repeat(31)}`, `whsec_${'!'.repeat(40)}`])(
    'needs a secret, not %j',
    (mine) => {
      expect(() => signed('x', [mine])).toThrow(
        expect.objectContaining({ code: 'invalid_secret' }),
      );
    },
  );
});

import type { LookupAddress } from 'node:dns';
import { assert, ipV4, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressRules } from '../src/address-rules.js';
import { checkWebhookUrl } from '../src/webhook-url.js';

const rules = new AddressRules();

describe('address rules', () => {
  it.each([
    ...['127.0.0.1', '10.0.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '0.0.0.0'],
    ...['100.64.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1', 'fe80::1%lo'],
    ...['fd00::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1'],
    ...['64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::', 'localhost', ''],
  ])('refuse %s', (address) => {
    expect(rules.permits(address)).toBe(false);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1', '::ffff:8.8.8.8'])(
    'permit %s',
    (address) => {
      expect(rules.permits(address)).toBe(true);
    },
  );

  it('permit what is allowed, and nothing beside it', () => {
    const allowing = new AddressRules({ allowedRanges: ['10.1.0.0/16', '::1'] });
    assert(
      property(tuple(nat(255), nat(255), nat(255)), ([b, c, d]) => {
        expect(allowing.permits(`10.${b}.${c}.${d}`)).toBe(b === 1);
      }),
    );
    expect(allowing.permits('::1')).toBe(true);
    expect(allowing.permits('127.0.0.1')).toBe(false);
  });

  it('judge an IPv4 address alike however it is written', () => {
    assert(
      property(ipV4(), (address) => {
        expect(rules.permits(`::ffff:${address}`)).toBe(rules.permits(address));
        // As the URL parser has it.
        const host = new URL(`https://[::ffff:${address}]/`).hostname.slice(1, -1);
        expect(rules.permits(host)).toBe(rules.permits(address));
      }),
    );
  });

  it.each(['10.0.0.0/33', 'x/8', '10.0.0.0/', '::/129', '10.0.0.0/-1', ''])(
    'refuse the range %j',
    (range) => {
      expect(() => new AddressRules({ allowedRanges: [range] })).toThrow(
        expect.objectContaining({ code: 'invalid_address_range' }),
      );
    },
  );
});

describe('a lookup for a socket', () => {
  function lookUp(addresses: readonly string[], all: boolean): Promise<unknown> {
    const found = addresses.map(
      (address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }),
    );
    const asking = new AddressRules({ resolveAll: (_name, done) => done(null, found) });
    return new Promise((resolve, reject) => {
      asking.lookup('name.example', { all }, (error, address, family) => {
        if (error) reject(error);
        else resolve(all ? address : [address, family]);
      });
    });
  }

  it('gives the addresses that were judged', async () => {
    expect(await lookUp(['8.8.8.8', '2606:4700::1'], true)).toHaveLength(2);
    expect(await lookUp(['8.8.8.8'], false)).toEqual(['8.8.8.8', 4]);
  });

  it.each([[['127.0.0.1']], [['8.8.8.8', '10.0.0.1']], [['8.8.8.8', '::1']]])(
    'fails when one of %j is not public',
    async (addresses) => {
      for (const all of [true, false]) {
        await expect(lookUp(addresses, all)).rejects.toMatchObject({ code: 'address_not_allowed' });
      }
    },
  );

  it('fails when there are none', async () => {
    await expect(lookUp([], false)).rejects.toThrow('no address');
  });
});

describe("a webhook's URL", () => {
  const local = new AddressRules({ allowedRanges: ['127.0.0.0/8', '::1/128'] });
  const check = (url: string, allowHttp = false, addresses = rules) =>
    checkWebhookUrl(url, { addresses, allowHttp });

  it.each([
    ['http://example.com/', 'invalid_webhook_url'],
    ['ftp://example.com/', 'invalid_webhook_url'],
    ['https://user:pw@example.com/', 'invalid_webhook_url'],
    ['https://example.com/#x', 'invalid_webhook_url'],
    [`https://example.com/${'x'.repeat(2048)}`, 'invalid_webhook_url'],
    ['nonsense', 'invalid_webhook_url'],
    ['https://127.1/', 'address_not_allowed'],
    ['https://0x7f000001/', 'address_not_allowed'],
    ['https://[::ffff:10.0.0.1]/', 'address_not_allowed'],
    ['http://127.0.0.1/', 'address_not_allowed'],
  ])('must not be %s: %s', (url, code) => {
    expect(() => check(url)).toThrow(expect.objectContaining({ code }));
  });

  it('may be https, http to this machine where that is allowed, and http where it is configured', () => {
    expect(check('https://example.com/hook?a=1')).toBe('https://example.com/hook?a=1');
    expect(check('http://127.0.0.1:80/x', false, local)).toBe('http://127.0.0.1/x');
    expect(check('http://example.com/', true)).toBe('http://example.com/');
  });
});

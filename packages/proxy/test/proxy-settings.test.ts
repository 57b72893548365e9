import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NO_PROXIES, proxyRoutes, readProxySettings } from '../src/index.js';

function routed(url: string, noProxy = ''): string | undefined {
  const settings = readProxySettings({
    HTTP_PROXY: 'http://plain:3128',
    HTTPS_PROXY: 'http://secure:3128',
    NO_PROXY: noProxy,
  });
  return proxyRoutes(settings)(new URL(url))?.hostname;
}

it('reads the standard variables; lower case comes first, and nothing is no proxy', () => {
  expect(readProxySettings({})).toEqual(NO_PROXIES);
  expect(readProxySettings({ HTTPS_PROXY: '', https_proxy: '' })).toEqual(NO_PROXIES);
  const both = {
    HTTPS_PROXY: 'http://upper:1',
    https_proxy: 'http://lower:1',
    http_proxy: 'one:8',
  };
  expect(readProxySettings({ ...both, NO_PROXY: 'a.example, b.example  10.0.0.0/8,' })).toEqual({
    http: 'http://one:8/',
    https: 'http://lower:1/',
    noProxy: ['a.example', 'b.example', '10.0.0.0/8'],
  });
});

it.each(['socks5://host:1080', 'http://', 'http://a b', 'http://user:%zz@host'])(
  'refuses %s by its variable alone',
  (value) => {
    const read = (): unknown => readProxySettings({ HTTPS_PROXY: value });
    expect(read).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    expect(read).toThrow(/HTTPS_PROXY/);
    expect(read).not.toThrow(value);
  },
);

it('takes the proxy of the scheme, WebSockets with theirs', () => {
  expect(routed('https://vendor.example/')).toBe('secure');
  expect(routed('wss://vendor.example/')).toBe('secure');
  expect(routed('http://vendor.example/')).toBe('plain');
  expect(routed('ws://vendor.example/')).toBe('plain');
  expect(proxyRoutes(NO_PROXIES)(new URL('https://vendor.example/'))).toBeUndefined();
});

it.each([
  ['https://vendor.example/', 'vendor.example'],
  ['https://Vendor.Example./', 'VENDOR.example'],
  ['https://api.vendor.example/', 'vendor.example'],
  ['https://api.vendor.example/', '.vendor.example'],
  ['https://api.vendor.example/', '*.vendor.example'],
  ['https://vendor.example:8443/', 'vendor.example:8443'],
  ['https://vendor.example/', 'vendor.example:443'],
  ['http://vendor.example/', 'vendor.example:80'],
  ['wss://vendor.example/', 'other.example,*'],
  ['http://10.1.2.3/', '10.0.0.0/8'],
  ['http://10.1.2.3:8000/', '10.1.2.3'],
  ['http://10.1.2.3:8000/', '10.1.2.3:8000'],
  ['http://[fd00::7]/', 'fd00::/8'],
  ['http://[fd00::7]/', '[fd00::7]'],
  ['http://[fd00::7]:81/', '[fd00::7]:81'],
])('goes around for %s with NO_PROXY=%s', (url, noProxy) => {
  expect(routed(url)).toBeDefined();
  expect(routed(url, noProxy)).toBeUndefined();
});

it.each([
  ['https://notvendor.example/', 'vendor.example'],
  ['https://vendor.example.evil/', 'vendor.example'],
  ['https://vendor.example/', 'api.vendor.example'],
  ['https://vendor.example/', 'vendor.example:8443'],
  ['http://11.1.2.3/', '10.0.0.0/8'],
  ['http://10.1.2.3/', '10.0.0.0/33'],
  ['http://10.1.2.3/', '10.1.2.3:8000'],
])('does not for %s with NO_PROXY=%s', (url, noProxy) => {
  expect(routed(url, noProxy)).toBeDefined();
});

it.each(['http://localhost:8/', 'http://127.0.0.9/', 'ws://[::1]:9/', 'http://169.254.169.254/'])(
  'always reaches %s itself',
  (url) => expect(routed(url)).toBeUndefined(),
);

it('takes any text for NO_PROXY, and goes around for the names in it', () => {
  const label = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.string(), label, (text, name) => {
      expect(['secure', undefined]).toContain(routed(`https://${name}.example/`, text));
      expect(routed(`https://${name}.example/`, `${text},${name}.example`)).toBeUndefined();
    }),
  );
});

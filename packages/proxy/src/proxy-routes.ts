import { BlockList, isIP } from 'node:net';
import type { ProxySettings } from './proxy-settings.js';

/** What never goes through a proxy: this machine, and what gives it its identity. */
const NEAR = ['localhost', '127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10'];

interface Rules {
  isAll: boolean;
  readonly addresses: BlockList;
  /** Without a leading dot. `port` is empty for all ports. */
  readonly names: { readonly name: string; readonly port: string }[];
}

/**
 * Says which proxy an address is reached through; undefined for none.
 *
 * An entry of `noProxy` is `*`, a name, which stands for all names below it too (`example.com`,
 * `.example.com`, `*.example.com`), an address, or a range (`10.0.0.0/8`); names and addresses may have a
 * port. Names are not looked up to see whether they lie in a range. Loopback and link-local
 * addresses and `localhost` are always reached without.
 */
export function proxyRoutes(settings: ProxySettings): (url: URL) => URL | undefined {
  const http = settings.http === undefined ? undefined : new URL(settings.http);
  const https = settings.https === undefined ? undefined : new URL(settings.https);
  const rules: Rules = { isAll: false, addresses: new BlockList(), names: [] };
  for (const entry of [...NEAR, ...settings.noProxy]) add(rules, entry.toLowerCase());
  return (url) => {
    const isSecure = url.protocol === 'https:' || url.protocol === 'wss:';
    const proxy = isSecure ? https : http;
    return proxy === undefined || isAround(rules, url, isSecure) ? undefined : proxy;
  };
}

function add(rules: Rules, entry: string): void {
  if (entry === '*') rules.isAll = true;
  const [, base = '', length = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  if (length !== '' && Number(length) <= bits) {
    rules.addresses.addSubnet(base, Number(length), familyOf(base));
    return;
  }
  const bare = entry.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) > 0) {
    rules.addresses.addAddress(bare, familyOf(bare));
    return;
  }
  const [, name = entry, port = ''] = /^(.*):(\d{1,5})$/.exec(entry) ?? [];
  rules.names.push({ name: name.replace(/^\*?\./, '').replace(/^\[(.*)\]$/, '$1'), port });
}

function isAround({ isAll, addresses, names }: Rules, url: URL, isSecure: boolean): boolean {
  const host = url.hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  const port = url.port === '' ? (isSecure ? '443' : '80') : url.port;
  if (isAll || (isIP(host) > 0 && addresses.check(host, familyOf(host)))) return true;
  return names.some(
    (each) =>
      (each.port === '' || each.port === port) &&
      (host === each.name || host.endsWith(`.${each.name}`)),
  );
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

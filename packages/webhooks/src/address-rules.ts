import type { LookupAddress } from 'node:dns';
import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { BlockList, isIP } from 'node:net';
import { CodedError } from '@earshot/async';
import { shareLookups } from './shared-lookup.js';

/**
 * Not for the public (RFC 6890 and its registries), or a way around that: NAT64, 6to4, Teredo; and the
 * address at which Azure serves its own machines.
 */
const SPECIAL_RANGES: readonly string[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...[
    '168.63.129.16/32',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4',
    '240.0.0.0/4',
  ],
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32'],
  ...['2002::/16', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];

/** Resolves a name to all its addresses. */
export type ResolveAll = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface AddressRulesOptions {
  /** Ranges, such as `10.1.0.0/16` or `::1/128`, that webhooks may reach though not public. */
  readonly allowedRanges?: readonly string[];
  /** @defaultValue the system's resolver */
  readonly resolveAll?: ResolveAll;
}

/**
 * Which addresses webhooks may reach. Who may register a URL must not reach with it what only
 * this machine reaches: private networks, loopback, a cloud's metadata service.
 */
export class AddressRules {
  readonly #special: BlockList;
  readonly #allowed: BlockList;
  readonly #resolveAll: ResolveAll;

  /** @throws CodedError `invalid_address_range`. */
  constructor(options: AddressRulesOptions = {}) {
    this.#special = blockListOf(SPECIAL_RANGES);
    this.#allowed = blockListOf(options.allowedRanges ?? []);
    this.#resolveAll = shareLookups(options.resolveAll ?? resolveAll);
  }

  /** Whether an IP address may be reached. */
  permits(text: string): boolean {
    const address = text.split('%', 1)[0] ?? '';
    const family = familyOf(address);
    if (family === undefined) return false;
    return this.#allowed.check(address, family) || !this.#special.check(address, family);
  }

  /**
   * Checks the host of a URL as far as it can be without asking the resolver.
   *
   * @throws CodedError `address_not_allowed` for an IP address that may not be reached.
   */
  checkHost(url: URL): void {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.permits(host)) throw notAllowed();
  }

  /**
   * Resolves for a socket that is about to connect, which then uses that very answer: a name that
   * changes between a check and its use (DNS rebinding) gains nothing. All addresses must be
   * permitted.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolveAll(hostname, (error, found) => {
      const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family;
      const usable = found.filter((each) => !family || each.family === family);
      const first = usable[0];
      if (error !== null) callback(error, '');
      else if (found.some(({ address }) => !this.permits(address))) callback(notAllowed(), '');
      else if (first === undefined) callback(new Error('no address'), '');
      else if (options.all === true) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}

/** Whether a host in a URL can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function resolveAll(hostname: string, done: Parameters<ResolveAll>[1]): void {
  dnsLookup(hostname, { all: true }, (error, addresses) => done(error, addresses ?? []));
}

function notAllowed(): CodedError {
  return new CodedError(
    'address_not_allowed',
    'Cannot reach the endpoint: its address must be public or in an allowed range, got another',
    { fix: 'Allow its range with EARSHOT_WEBHOOK_ALLOWED_RANGES.' },
  );
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = familyOf(address);
    const maxBits = family === 'ipv6' ? 128 : 32;
    const prefix = bits === undefined ? maxBits : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === undefined || prefix < 0 || prefix > maxBits) {
      throw new CodedError(
        'invalid_address_range',
        `Cannot allow the range: it must be like 10.1.0.0/16 or fd00::/8, got ${range}`,
      );
    }
    list.addSubnet(address, prefix, family);
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 6 ? 'ipv6' : 'ipv4';
}

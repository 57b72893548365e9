import { CodedError } from '@earshot/async';

/** What a Redis URL looks like, for those that check configuration before they connect. */
export const REDIS_URL_PATTERN: RegExp = /^(rediss?(\+cluster)?:\/\/|\/)/;

/** Where Redis is: one server (or a service with one address), or servers of a cluster. */
export type RedisAddress =
  | { readonly kind: 'single'; readonly url: string }
  | {
      readonly kind: 'cluster';
      /** Some of its servers; the others are learnt from them. */
      readonly nodes: readonly { readonly host: string; readonly port: number }[];
      readonly username?: string;
      readonly password?: string;
      readonly tls: boolean;
    };

const CLUSTER = /^(rediss?)\+cluster:\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/;
const DEFAULT_PORT = 6379;

/**
 * Reads `redis://…`, `rediss://…`, the absolute path of a unix socket, or
 * `redis+cluster://[user:password@]host:port,host:port` (`rediss+cluster` with TLS).
 *
 * @throws CodedError `redis_unreachable`; the message does not repeat the address.
 */
export function parseRedisUrl(redisUrl: string): RedisAddress {
  if (!/^rediss?\+cluster:/.test(redisUrl)) return { kind: 'single', url: redisUrl };
  const match = CLUSTER.exec(redisUrl);
  const [, scheme, userInfo, hosts] = match ?? [];
  if (hosts === undefined) throw noAddress();
  return {
    kind: 'cluster',
    nodes: hosts.split(',').map(parseNode),
    ...parseUserInfo(userInfo),
    tls: scheme === 'rediss',
  };
}

/** The error quotes no address, which may hold a password. */
export function noAddress(): CodedError {
  return new CodedError(
    'redis_unreachable',
    'Cannot use Redis: its address must be redis://host:port, redis+cluster://host:port,host:port or the path of a unix socket, got another text',
    { fix: 'Correct REDIS_URL.' },
  );
}

function parseNode(text: string): { host: string; port: number } {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined;
  if (url === undefined || url.hostname === '') throw noAddress();
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port === '' ? DEFAULT_PORT : Number(url.port) };
}

function parseUserInfo(userInfo: string | undefined): { username?: string; password?: string } {
  if (userInfo === undefined) return {};
  const colon = userInfo.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? userInfo : userInfo.slice(0, colon));
    const password = colon < 0 ? '' : decodeURIComponent(userInfo.slice(colon + 1));
    return {
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
    };
  } catch {
    throw noAddress();
  }
}

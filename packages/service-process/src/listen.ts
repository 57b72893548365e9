import { CodedError } from '@earshot/async';

/** Where a service listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** An HTTP server that can be told to listen; fastify's instance is one. */
export interface Listener {
  listen(address: ListenAddress): Promise<unknown>;
  readonly server: { address(): string | { readonly port: number } | null };
}

/** Reads `host:port`, with brackets around an IPv6 host; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/**
 * Opens the port.
 *
 * @param service reads after "Cannot start", as in "the sandbox".
 * @returns `host:port` at which this machine reaches it, for a URL.
 * @throws CodedError `port_taken`, or `not_listening` for an address that can't be opened.
 */
export async function listen(
  listener: Listener,
  address: ListenAddress,
  service: string,
): Promise<string> {
  try {
    await listener.listen(address);
  } catch (cause) {
    throw listenError(cause, address, service);
  }
  return reachableAt(listener, address);
}

/** `host:port` at which this machine reaches a listener that listens. */
export function reachableAt({ server }: Listener, { host, port }: ListenAddress): string {
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `${reachable(host)}:${actualPort}`;
}

/** The any-address can be listened on, not dialled. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function listenError(cause: unknown, { host, port }: ListenAddress, service: string): CodedError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const address = `${host}:${port}`;
  return code === 'EADDRINUSE'
    ? new CodedError(
        'port_taken',
        `Cannot start ${service}: the port of ${address} must be free, got one in use`,
        { cause, fix: 'Set EARSHOT_LISTEN to another port, or to port 0 for any free one.' },
      )
    : new CodedError(
        'not_listening',
        `Cannot start ${service}: ${address} must be an address of this machine that may be opened, got ${code}`,
        { cause, fix: 'Set EARSHOT_LISTEN to host:port, such as 127.0.0.1:8080.' },
      );
}

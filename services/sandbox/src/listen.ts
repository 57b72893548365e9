import { CodedError } from '@earshot/async';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from './config.js';

/**
 * Opens the port.
 *
 * @returns the https URL as seen from this machine, without a trailing slash.
 * @throws CodedError `port_taken`, or `not_listening` for an address that can't be opened.
 */
export async function listen(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw listenError(cause, `${host}:${port}`);
  }
  return urlOf(app, { host, port });
}

/** The https URL of a server that listens. */
export function urlOf(app: FastifyInstance, { host, port }: ListenAddress): string {
  const address = app.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `https://${reachable(host)}:${actualPort}`;
}

function listenError(cause: unknown, address: string): CodedError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return code === 'EADDRINUSE'
    ? new CodedError(
        'port_taken',
        `Cannot start the sandbox: the port of ${address} must be free, got one in use`,
        { cause, fix: 'Set EARSHOT_LISTEN to another port, or to port 0 for any free one.' },
      )
    : new CodedError(
        'not_listening',
        `Cannot start the sandbox: ${address} must be an address of this machine that may be opened, got ${code}`,
        { cause, fix: 'Set EARSHOT_LISTEN to host:port, such as 127.0.0.1:8443.' },
      );
}

/** The any-address can be listened on, not dialled. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

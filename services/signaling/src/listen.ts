import { CodedError } from '@earshot/async';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from './config.js';

/**
 * Opens the port.
 *
 * @returns the URL of the service as seen from this machine.
 * @throws CodedError `port_taken`, or `not_listening` for an address that can't be opened.
 */
export async function listen(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw listenError(cause, `${host}:${port}`);
  }
  const address = app.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${reachable(host)}:${actualPort}`;
}

function listenError(cause: unknown, address: string): CodedError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return code === 'EADDRINUSE'
    ? new CodedError(
        'port_taken',
        `Cannot start signaling: the port of ${address} must be free, got one in use`,
        { cause, fix: 'Set EARSHOT_LISTEN to another port, or to port 0 for any free one.' },
      )
    : new CodedError(
        'not_listening',
        `Cannot start signaling: ${address} must be an address of this machine that may be opened, got ${code}`,
        { cause, fix: 'Set EARSHOT_LISTEN to host:port, such as 127.0.0.1:8080.' },
      );
}

/** The any-address can be listened on, not dialled. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

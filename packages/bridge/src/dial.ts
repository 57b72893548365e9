import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { WebSocket } from 'ws';
import { Link } from './link.js';
import type { LinkLog } from './link-log.js';
import { CONNECT_TIMEOUT_MS, SOCKET_OPTIONS } from './socket-options.js';

export interface DialOptions {
  readonly url: string;
  readonly token: string;
  readonly subprotocol: string;
  readonly clock: Clock;
  readonly log: LinkLog;
  readonly signal: AbortSignal;
}

/**
 * Opens a link to a server. `opened` is called with it in the turn in which it opened, and must
 * start it.
 *
 * @throws CodedError `invalid_url`, `unauthorized` (HTTP 401), `upgrade_refused` (another
 * status), `connect_failed` (no connection), `connect_timeout`, or `closed` (by the signal).
 */
export function dial(options: DialOptions, opened: (link: Link) => void): Promise<void> {
  const { clock, signal } = options;
  return new Promise((resolve, reject) => {
    const socket = createSocket(options);
    let settled = false;
    const cancelTimeout = clock.at(clock.nowMs() + CONNECT_TIMEOUT_MS, () => {
      fail('connect_timeout', `the server must answer within ${CONNECT_TIMEOUT_MS} ms`);
    });
    const onAbort = (): void => fail('closed', 'the client must not be closed');
    signal.addEventListener('abort', onAbort);
    socket.on('error', (cause) => fail('connect_failed', 'the server must be reachable', cause));
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
      const code = statusCode === 401 ? 'unauthorized' : 'upgrade_refused';
      fail(code, `the server must accept the upgrade, got HTTP ${statusCode}`);
    });
    socket.once('upgrade', ({ socket: transport }) => {
      socket.once('open', () => {
        settle();
        opened(new Link(socket, transport, options.log));
        resolve();
      });
    });

    function settle(): void {
      settled = true;
      cancelTimeout();
      signal.removeEventListener('abort', onAbort);
    }

    function fail(code: string, rule: string, cause?: unknown): void {
      if (settled) return;
      settle();
      reject(new CodedError(code, `Cannot open the link: ${rule}`, { cause }));
      socket.terminate();
    }
    if (signal.aborted) onAbort();
  });
}

function createSocket({ url, token, subprotocol }: DialOptions): WebSocket {
  try {
    return new WebSocket(url, subprotocol, {
      ...SOCKET_OPTIONS,
      headers: { authorization: `Bearer ${token}` },
    });
  } catch (cause) {
    throw new CodedError('invalid_url', 'Cannot open the link: its URL and token must be valid', {
      cause,
    });
  }
}

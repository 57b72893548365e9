import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError } from '@earshot/async';

/** Takes over the socket of an upgrade request. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What is needed of an HTTP server, plain or TLS. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: UpgradeHandler): unknown;
  off(event: 'upgrade', listener: UpgradeHandler): unknown;
  listenerCount(event: 'upgrade'): number;
}

/** What some refusals say beside their status, by that. */
const MORE_HEADERS: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate: Bearer'],
  429: ['Retry-After: 1'],
};

const routers = new WeakMap<UpgradeSource, UpgradeRouter>();

/**
 * Sends upgrade requests for `path` of `server` to `handler`. Any number of links share a
 * server; other paths are left to the server's other listeners, and answered with 404 when it
 * has none.
 *
 * @returns undoes it.
 * @throws CodedError `path_taken`
 */
export function routeUpgrades(
  server: UpgradeSource,
  path: string,
  handler: UpgradeHandler,
): () => void {
  let router = routers.get(server);
  if (router === undefined) {
    router = new UpgradeRouter(server);
    routers.set(server, router);
  }
  return router.add(path, handler);
}

/** Answers an upgrade request in plain HTTP and hangs up; `code` says why, for programs. */
export function refuseUpgrade(
  socket: Duplex,
  { status, code }: { readonly status: number; readonly code: string },
): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const title = STATUS_CODES[status] ?? 'Refused';
  const body = JSON.stringify({ status, title, code });
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      'Connection: close',
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(MORE_HEADERS[status] ?? []),
      '',
      body,
    ].join('\r\n'),
  );
}

class UpgradeRouter {
  readonly #server: UpgradeSource;
  readonly #handlers = new Map<string, UpgradeHandler>();
  readonly #listener: UpgradeHandler = (request, socket, head) =>
    this.#route(request, socket, head);

  constructor(server: UpgradeSource) {
    this.#server = server;
  }

  add(path: string, handler: UpgradeHandler): () => void {
    if (this.#handlers.has(path)) {
      throw new CodedError(
        'path_taken',
        `Cannot serve a link: its path must be free on the server, got ${path}`,
      );
    }
    if (this.#handlers.size === 0) this.#server.on('upgrade', this.#listener);
    this.#handlers.set(path, handler);
    return () => {
      if (this.#handlers.get(path) !== handler) return;
      this.#handlers.delete(path);
      if (this.#handlers.size === 0) this.#server.off('upgrade', this.#listener);
    };
  }

  #route(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const handler = this.#handlers.get(pathOf(request));
    const othersListen = this.#server.listenerCount('upgrade') > 1;
    if (handler === undefined && othersListen) return;
    // Node took its own listener off; a reset from the peer would end the process.
    socket.on('error', () => socket.destroy());
    if (handler === undefined) refuseUpgrade(socket, { status: 404, code: 'not_found' });
    else handler(request, socket, head);
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

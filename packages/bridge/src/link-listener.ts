import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CLOSE } from '@earshot/bridge-protocol';
import { WebSocketServer } from 'ws';
import { Link } from './link.js';
import type { LinkLog } from './link-log.js';
import { PendingPeers } from './pending-peers.js';
import { SOCKET_OPTIONS } from './socket-options.js';
import type { UpgradeSource } from './upgrade-router.js';
import { refuseUpgrade, routeUpgrades } from './upgrade-router.js';

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;

/** What a bearer token is good for, or the code of why it isn't. */
export type Verdict<Claims> =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly code: string };

export interface LinkListenerOptions<Claims> {
  readonly server: UpgradeSource;
  readonly path: string;
  readonly subprotocol: string;
  /** Links open or being opened at once; more get 503. */
  readonly maxLinks: number;
  /** Connections of one address that are open and not yet welcomed; more get 429. */
  readonly maxPendingPerAddress: number;
  readonly log: LinkLog;
  authorize(bearer: string | undefined): Verdict<Claims> | Promise<Verdict<Claims>>;
  /** Must start the link before it returns, and call `welcomed` when it has welcomed the peer. */
  onLink(link: Link, claims: Claims, welcomed: () => void): void;
}

/** Turns the upgrade requests of one path into links; the rest never gets a WebSocket. */
export class LinkListener<Claims> {
  readonly #options: LinkListenerOptions<Claims>;
  readonly #sockets: WebSocketServer;
  readonly #links = new Set<Link>();
  readonly #pending: PendingPeers;
  readonly #unroute: () => void;
  #opening = 0;
  #closing: Promise<void> | undefined;

  constructor(options: LinkListenerOptions<Claims>) {
    this.#options = options;
    this.#pending = new PendingPeers(options.maxPendingPerAddress);
    this.#sockets = new WebSocketServer({
      ...SOCKET_OPTIONS,
      noServer: true,
      clientTracking: false,
      handleProtocols: () => options.subprotocol,
    });
    this.#unroute = routeUpgrades(options.server, options.path, (request, socket, head) => {
      this.#admit(request, socket, head).catch(() => {
        refuseUpgrade(socket, { status: 503, code: 'unavailable' });
      });
    });
  }

  /** Takes no more links, closes those there are with `code`, and waits for them. Idempotent. */
  close(code: number = CLOSE.goingAway, reason: string = 'server_closing'): Promise<void> {
    this.#closing ??= this.#close(code, reason);
    return this.#closing;
  }

  async #close(code: number, reason: string): Promise<void> {
    this.#unroute();
    for (const link of this.#links) link.close(code, reason);
    await Promise.all(Array.from(this.#links, (link) => link.gone));
  }

  async #admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { maxLinks, subprotocol, log, path } = this.#options;
    if (this.#links.size + this.#opening >= maxLinks) {
      refuseUpgrade(socket, { status: 503, code: 'busy' });
      return;
    }
    const settled = this.#pending.enter(request.socket.remoteAddress);
    if (settled === undefined) {
      log.warn('link refused', { path, code: 'too_many_connections' });
      refuseUpgrade(socket, { status: 429, code: 'too_many_connections' });
      return;
    }
    // Whatever becomes of it: a socket that is refused, breaks or is closed is gone.
    socket.once('close', settled);
    const verdict = await this.#judge(request);
    if (socket.destroyed) return;
    if (this.#closing !== undefined) {
      refuseUpgrade(socket, { status: 503, code: 'closing' });
    } else if (!verdict.ok) {
      log.warn('link refused', { path, code: verdict.code });
      refuseUpgrade(socket, { status: 401, code: verdict.code });
    } else if (!offers(request, subprotocol)) {
      refuseUpgrade(socket, { status: 400, code: 'subprotocol_required' });
    } else {
      this.#upgrade(request, socket, head, verdict.claims, settled);
    }
  }

  async #judge(request: IncomingMessage): Promise<Verdict<Claims>> {
    this.#opening += 1;
    try {
      return await this.#options.authorize(bearerOf(request));
    } finally {
      this.#opening -= 1;
    }
  }

  // ws answers a request that is no proper WebSocket upgrade with 400, 405 or 426 by itself.
  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    claims: Claims,
    welcomed: () => void,
  ): void {
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const link = new Link(webSocket, socket, this.#options.log);
      this.#links.add(link);
      void link.gone.then(() => this.#links.delete(link));
      try {
        this.#options.onLink(link, claims, welcomed);
      } catch (error) {
        link.fail(error);
      }
    });
  }
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}

function offers({ headers }: IncomingMessage, subprotocol: string): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim() === subprotocol);
}

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@earshot/async';
import { HOST_SUBPROTOCOL, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { Mailbox } from '../mailbox.js';
import { NotApplicable } from '../outcome.js';
import { SignalingPeer } from './signaling-peer.js';

const HOST_PATH = '/v1/host-link';
const MEDIA_PREFIX = '/v1/media-link/';
/** Back-off is at most 15 s (H-14), and the way there takes its time. */
const REDIAL_MS = 20_000;

export interface HostStageOptions {
  readonly clock: Clock;
  /** The host key that the host under test has. */
  readonly key: string;
  readonly replyMs: number;
  /** Of `welcome` on the host link; short, so that liveness shows soon. */
  readonly pingIntervalMs: number;
}

/** An upgrade request of the host, and what became of it. */
export interface HostDial {
  readonly request: IncomingMessage;
  readonly atMs: number;
}

/** Takes over a socket that the host dialled for a media link. */
export type MediaHandler = (
  accept: (onSocket: (socket: WebSocket) => void) => void,
  request: IncomingMessage,
  refuse: (status: number) => void,
) => void;

/** Signaling and workers for one host under test: one server, one host link at a time. */
export class HostStage {
  readonly hostDials: Mailbox<HostDial>;
  readonly #options: HostStageOptions;
  readonly #server = createServer((_request, response) => {
    response.writeHead(404).end();
  });
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    handleProtocols: (offered) =>
      [HOST_SUBPROTOCOL, MEDIA_SUBPROTOCOL].find((name) => offered.has(name)) ?? false,
  });
  readonly #links: Mailbox<SignalingPeer>;
  readonly #media = new Map<string, MediaHandler>();
  /** Statuses with which the next dials of the host link are refused. */
  readonly refusals: number[] = [];
  /** The host was told to go away, and went: only its operator can bring it back. */
  isDismissed = false;
  /** What `welcome` says on links to come; undefined: the rule answers hello. */
  #pingIntervalMs: number | undefined;
  #mediaCount = 0;
  #port = 0;

  constructor(options: HostStageOptions) {
    const { clock, pingIntervalMs } = options;
    this.#options = options;
    this.#pingIntervalMs = pingIntervalMs;
    this.hostDials = new Mailbox(clock);
    this.#links = new Mailbox(clock);
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async listen(host: string, port: number): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#host = host;
  }

  #host = '127.0.0.1';

  /** Where the host under test has to dial. */
  get hostLinkUrl(): string {
    return `ws://${this.#host}:${this.#port}${HOST_PATH}`;
  }

  /** A path of its own for one attachment, and the URL of it. */
  addMedia(handler: MediaHandler): string {
    this.#mediaCount += 1;
    const path = `${MEDIA_PREFIX}${this.#mediaCount}`;
    this.#media.set(path, handler);
    return `ws://${this.#host}:${this.#port}${path}?conformance=${this.#mediaCount}`;
  }

  /**
   * The host link that is up, for a ping interval at least; waits for the host to dial.
   *
   * @throws NotApplicable when it does not.
   */
  async hostLink(): Promise<SignalingPeer> {
    if (this.isDismissed) throw new NotApplicable('the host must be started anew for it');
    const isUp = (peer: SignalingPeer): boolean => peer.wire.closed === undefined;
    const peer = await this.#links.find(isUp, REDIAL_MS);
    if (peer === undefined) throw new NotApplicable('the host does not dial its host link', 'H-14');
    await peer.hello();
    // From its first ping on, the host has taken the welcome, and its back-off starts anew.
    await peer.messages.find((m) => m.type === 'ping', this.#options.replyMs);
    if (peer.wire.closed !== undefined) return await this.hostLink();
    return peer;
  }

  /**
   * Ends the host link that is up and waits for the next one.
   *
   * @param pingIntervalMs of its welcome; undefined: the rule answers hello itself.
   * @throws NotApplicable when the host does not dial again.
   */
  async nextHostLink(pingIntervalMs: number | undefined): Promise<SignalingPeer> {
    const before = await this.hostLink();
    const from = this.#links.items.length;
    this.#pingIntervalMs = pingIntervalMs;
    try {
      await before.wire.close(1001, 'conformance');
      const next = await this.#links.find(() => true, REDIAL_MS, from);
      if (next === undefined) {
        throw new NotApplicable('the host does not dial its host link again', 'H-14');
      }
      // Welcome goes out with it.
      if (pingIntervalMs !== undefined) await next.hello();
      return next;
    } finally {
      this.#pingIntervalMs = this.#options.pingIntervalMs;
    }
  }

  /** How many host links there were. */
  get linkCount(): number {
    return this.#links.items.length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?')[0] ?? '';
    const refuse = (status: number): void => {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    const accept = (onSocket: (socket: WebSocket) => void): void => {
      this.#sockets.handleUpgrade(request, socket, head, onSocket);
    };
    const media = this.#media.get(path);
    if (media !== undefined) media(accept, request, refuse);
    else if (path === HOST_PATH) this.#hostDial(request, accept, refuse);
    else refuse(404);
  }

  #hostDial(
    request: IncomingMessage,
    accept: (onSocket: (socket: WebSocket) => void) => void,
    refuse: (status: number) => void,
  ): void {
    const { clock, key, replyMs } = this.#options;
    this.hostDials.push({ request, atMs: clock.nowMs() });
    const refusal = this.refusals.shift();
    const isOurs = request.headers.authorization === `Bearer ${key}`;
    if (refusal !== undefined || !isOurs) {
      refuse(refusal ?? 401);
      return;
    }
    accept((socket) => {
      const peer = new SignalingPeer(socket, request, clock);
      peer.begin({ replyMs, pingIntervalMs: this.#pingIntervalMs });
      this.#links.push(peer);
    });
  }
}

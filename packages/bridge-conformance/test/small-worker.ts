import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { TokenKey } from '../src/index.js';
import type { WorkerDefect } from './small-worker-link.js';
import { SmallWorkerLink } from './small-worker-link.js';

const PATH = '/v1/media-link';
const MEDIA_SUBPROTOCOL = 'earshot.media.v1';

/** What a small worker knows of a call, over all links. */
export interface SmallCall {
  epoch: number;
  mediaEpochTicks: string;
  link: SmallWorkerLink | undefined;
  isOver: boolean;
  readonly streams: Map<number, SmallStream>;
}

export interface SmallStream {
  received: number;
  lost: number;
}

/**
 * A worker written from the specification alone, without our bridge package: right unless it is
 * told to have a defect. It hears nothing; it only keeps the protocol.
 */
export class SmallWorker {
  readonly tokenKey: TokenKey = { key: new Uint8Array(32).fill(9), workerId: 'w_small' };
  readonly calls = new Map<string, SmallCall>();
  readonly defect: WorkerDefect | undefined;
  readonly #server = createServer((_request, response) => response.writeHead(404).end());
  readonly #sockets: WebSocketServer;
  url = '';

  constructor(defect?: WorkerDefect) {
    this.defect = defect;
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: defect === 'negotiatesDeflate',
      maxPayload: 131_072,
      handleProtocols: () => MEDIA_SUBPROTOCOL,
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}${PATH}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if (request.url !== PATH && this.defect !== 'answersEveryPath') {
      this.#refuse(socket, 404, 'not_found');
      return;
    }
    const claims = this.#claims(request.headers.authorization);
    if (claims === undefined) {
      this.#refuse(socket, 401, 'malformed');
      return;
    }
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    if (!offered.includes(MEDIA_SUBPROTOCOL) && this.defect !== 'needsNoSubprotocol') {
      this.#refuse(socket, 400, 'subprotocol_required');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      new SmallWorkerLink(webSocket, this, claims).start();
    });
  }

  #refuse(socket: Duplex, status: number, code: string): void {
    const json = JSON.stringify({ status, title: 'Refused', code });
    const body = this.defect === 'refusesInPlainText' ? 'no' : json;
    const challenge = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : '';
    socket.end(
      `HTTP/1.1 ${status} Refused\r\nConnection: close\r\n${challenge}` +
        `Content-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }

  #claims(authorization = ''): { callId: string; epoch: number } | undefined {
    const [, token = ''] = /^Bearer (\S+)$/.exec(authorization) ?? [];
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { key, workerId } = this.tokenKey;
    const mac = createHmac('sha256', key).update(`${header}.${payload}`).digest();
    const given = Buffer.from(signature, 'base64url');
    const isSigned = given.length === mac.length && timingSafeEqual(given, mac);
    if (!isSigned && this.defect !== 'acceptsAnySignature') return undefined;
    try {
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const { iss, aud, sub, epoch, exp } = claims as {
        readonly [claim: string]: string & number;
      };
      if (iss !== 'earshot-signaling' || sub === undefined || epoch === undefined) return undefined;
      if (aud !== workerId && this.defect !== 'acceptsTokensOfOthers') return undefined;
      const isExpired = Number(exp) * 1000 < Date.now();
      if (isExpired && this.defect !== 'acceptsExpiredTokens') return undefined;
      return { callId: sub, epoch };
    } catch {
      return undefined;
    }
  }
}

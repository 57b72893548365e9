import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { TokenKey } from '../src/index.js';
import type { SmallHeard } from './small-heard.js';
import { SmallTokens } from './small-tokens.js';
import type { WorkerDefect } from './small-worker-link.js';
import { SmallWorkerLink } from './small-worker-link.js';

const PATH = '/v1/media-link';
const MEDIA_SUBPROTOCOL = 'earshot.media.v1';
/** Connections that may wait for their welcome. */
export const PENDING_LIMIT = 36;

/** What a small worker knows of a call, over all links. */
export interface SmallCall {
  epoch: number;
  mediaEpochTicks: string;
  link: SmallWorkerLink | undefined;
  isOver: boolean;
  readonly streams: Map<number, SmallHeard>;
}

/**
 * A worker written from the specification alone, without our bridge package: right unless it is
 * told to have a defect. It hears nothing; it only keeps the protocol.
 */
export class SmallWorker {
  readonly tokenKey: TokenKey = { key: new Uint8Array(32).fill(9), workerId: 'w_small' };
  readonly calls = new Map<string, SmallCall>();
  readonly defect: WorkerDefect | undefined;
  readonly tokens: SmallTokens;
  readonly #waiting = new Set<SmallWorkerLink>();
  readonly #server = createServer((_request, response) => response.writeHead(404).end());
  readonly #sockets: WebSocketServer;
  url = '';

  constructor(defect?: WorkerDefect) {
    this.defect = defect;
    this.tokens = new SmallTokens(this.tokenKey, defect);
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
    const isFull = this.#waiting.size >= PENDING_LIMIT && this.defect !== 'letsEveryoneWait';
    if (isFull) {
      this.#refuse(socket, 429, 'too_many_connections');
      return;
    }
    const verdict = this.tokens.judge(request.headers.authorization);
    if ('code' in verdict) {
      this.#refuse(socket, 401, verdict.code);
      return;
    }
    if (this.defect === 'usesUpTokensAtTheDoor') this.tokens.use(verdict.token);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    if (!offered.includes(MEDIA_SUBPROTOCOL) && this.defect !== 'needsNoSubprotocol') {
      this.#refuse(socket, 400, 'subprotocol_required');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const link = new SmallWorkerLink(webSocket, this, verdict);
      this.#waiting.add(link);
      link.start(() => this.#waiting.delete(link));
    });
  }

  #refuse(socket: Duplex, status: number, code: string): void {
    const json = JSON.stringify({ status, title: 'Refused', code });
    const body = this.defect === 'refusesInPlainText' ? 'no' : json;
    const challenge = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : 'Retry-After: 1\r\n';
    socket.end(
      `HTTP/1.1 ${status} Refused\r\nConnection: close\r\n${challenge}` +
        `Content-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
}

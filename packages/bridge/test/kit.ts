import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import type { LinkLog } from '../src/index.js';

/** Things that happen, to be awaited one by one in their order. */
export class Happenings<T> {
  readonly seen: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];
  #taken = 0;

  push(item: T): void {
    this.seen.push(item);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#taken += 1;
    waiting(item);
  }

  next(): Promise<T> {
    const item = this.seen[this.#taken];
    if (item === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken += 1;
    return Promise.resolve(item);
  }
}

/** A promise and its handle. */
export class Deferred<T> {
  resolve: (value: T) => void = () => {};
  reject: (error: Error) => void = () => {};
  readonly promise: Promise<T> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

export class TestServer {
  readonly http: http.Server = http.createServer();
  #port = 0;

  static async start(): Promise<TestServer> {
    const server = new TestServer();
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    server.#port = addressOf(server.http).port;
    return server;
  }

  get port(): number {
    return this.#port;
  }

  url(path: string): string {
    return `ws://127.0.0.1:${this.#port}${path}`;
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}

export function addressOf(server: { address(): AddressInfo | string | null }): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not on a port');
  return address;
}

/** A peer that says what it is told to, right or wrong. */
export class RawPeer {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly binaries = new Happenings<Uint8Array>();
  readonly #messages = new Happenings<Record<string, unknown>>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) this.binaries.push(Uint8Array.from(data));
      else this.#messages.push(JSON.parse(data.toString()));
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  static async open(url: string, subprotocol: string, token: string): Promise<RawPeer> {
    const headers = { authorization: `Bearer ${token}` };
    const options: ClientOptions = { headers, perMessageDeflate: false };
    const peer = new RawPeer(new WebSocket(url, subprotocol, options));
    await once(peer.socket, 'open');
    return peer;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  next(): Promise<Record<string, unknown>> {
    return this.#messages.next();
  }
}

export interface LoggedLine {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: object;
}

export function recordingLog(): LinkLog & { readonly lines: Happenings<LoggedLine> } {
  const lines = new Happenings<LoggedLine>();
  return {
    lines,
    info: (message, fields = {}) => lines.push({ level: 'info', message, fields }),
    warn: (message, fields = {}) => lines.push({ level: 'warn', message, fields }),
  };
}

/** The answer to an upgrade request that was not upgraded. */
export async function refusedUpgrade(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
}> {
  const request = http.get({
    host: '127.0.0.1',
    port,
    path,
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  const response: http.IncomingMessage = (await once(request, 'response'))[0];
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) };
}

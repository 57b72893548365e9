import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * A TCP proxy that cuts connections at a given byte of what the dialling side sent: the bytes before
 * it are passed on, the rest never arrives.
 */
export class CuttingProxy {
  /** Where to forward to; to be set before the first connection. */
  target = { host: '127.0.0.1', port: 0 };
  /** Connections cut so far. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #remaining = Number.POSITIVE_INFINITY;
  #refusing = false;
  #onCut: (() => void) | undefined;

  private constructor() {
    this.#server = createServer((socket) => this.#take(socket));
  }

  static async start(): Promise<CuttingProxy> {
    const proxy = new CuttingProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** `host:port` to dial. */
  get address(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy must listen');
    return `127.0.0.1:${address.port}`;
  }

  /** Cuts all connections once so many bytes more have passed; resolves when it did. */
  cutAfter(bytes: number): Promise<void> {
    this.#remaining = bytes;
    return new Promise((resolve) => {
      this.#onCut = resolve;
    });
  }

  /** Cuts nothing any more. */
  spare(): void {
    this.#remaining = Number.POSITIVE_INFINITY;
  }

  /** While true, connections are cut as soon as they come. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
    if (refusing) this.#cut();
  }

  async close(): Promise<void> {
    this.#cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(this.target);
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      // A connection that is cut has nothing to say of it.
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => this.#forward(bytes, client, upstream));
    upstream.pipe(client);
  }

  #forward(bytes: Buffer, client: Socket, upstream: Socket): void {
    if (bytes.length < this.#remaining) {
      this.#remaining -= bytes.length;
      if (upstream.write(bytes)) return;
      client.pause();
      upstream.once('drain', () => client.resume());
      return;
    }
    const last = bytes.subarray(0, this.#remaining);
    this.#remaining = Number.POSITIVE_INFINITY;
    client.pause();
    // What was passed on must get there: only then is it cut at this byte.
    upstream.write(last, () => this.#cut());
  }

  #cut(): void {
    if (this.#sockets.size > 0) this.cuts += 1;
    for (const socket of this.#sockets) socket.destroy();
    this.#onCut?.();
    this.#onCut = undefined;
  }
}

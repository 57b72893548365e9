import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * Stands before Redis' socket. While it stalls it takes connections and bytes, and passes nothing on,
 * in either direction: neither side is told. Afterwards what waited goes on.
 */
export class StallingProxy {
  /** To be used in place of Redis' socket. */
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isStalled = false;

  private constructor(redisPath: string) {
    this.path = `${redisPath}.stalling`;
    this.#server = createServer((client) => this.#take(client, connect(redisPath)));
  }

  static async start(redisPath: string): Promise<StallingProxy> {
    const proxy = new StallingProxy(redisPath);
    proxy.#server.listen(proxy.path);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    for (const socket of this.#sockets) this.#adjust(socket);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await rm(this.path, { force: true });
  }

  #take(client: Socket, redis: Socket): void {
    this.#join(client, redis);
    this.#join(redis, client);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on('data', (bytes) => to.write(bytes));
    this.#adjust(from);
  }

  /** The kernel's buffers fill, as they would with nobody at the other end. */
  #adjust(socket: Socket): void {
    if (this.#isStalled) socket.pause();
    else socket.resume();
  }
}

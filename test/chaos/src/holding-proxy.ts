import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Which commands are held. */
export interface Hold {
  /** None before a command that names this text has passed, */
  readonly after: string;
  /** then the first one that names this, and all behind it. */
  readonly from: string;
}

/**
 * Stands before Redis' socket. While it holds, nothing goes on from a given command of a connection
 * on: its sender waits, and is not told.
 */
export class HoldingProxy {
  /** To be used in place of Redis' socket. */
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #hold: Hold | undefined;

  private constructor(redisPath: string) {
    this.path = `${redisPath}.holding`;
    this.#server = createServer((client) => this.#take(client, connect(redisPath)));
  }

  static async start(redisPath: string): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(redisPath);
    proxy.#server.listen(proxy.path);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** From now on; nothing new when undefined. */
  hold(hold: Hold | undefined): void {
    this.#hold = hold;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await rm(this.path, { force: true });
  }

  #take(client: Socket, redis: Socket): void {
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    redis.pipe(client);
    let state: 'open' | 'armed' | 'held' = 'open';
    client.on('data', (bytes: Buffer) => {
      const hold = this.#hold;
      if (hold !== undefined && state === 'armed' && bytes.includes(hold.from)) state = 'held';
      if (state === 'held') return;
      redis.write(bytes);
      if (hold !== undefined && bytes.includes(hold.after)) state = 'armed';
    });
  }
}

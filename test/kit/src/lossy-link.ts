import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';

/** Stands before Redis and can swallow one answer: Redis did it, the client never hears so. */
export class LossyLink {
  /** To be used in place of Redis' socket. */
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #swallowAnswerTo: string | undefined;
  swallowed = 0;

  /** @param redisPath Redis' unix socket. @param name tells links to one Redis apart. */
  constructor(redisPath: string, name = 'lossy') {
    this.path = `${redisPath}.${name}`;
    this.#server = createServer((client) => {
      const upstream = createConnection(redisPath);
      let isLost = false;
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.on('data', (data) => {
        const wanted = this.#swallowAnswerTo;
        if (wanted !== undefined && data.includes(wanted)) {
          this.#swallowAnswerTo = undefined;
          isLost = true;
        }
        upstream.write(data);
      });
      upstream.on('data', (data) => {
        if (!isLost) return client.write(data);
        this.swallowed += 1;
        return client.destroy();
      });
    });
  }

  async open(): Promise<void> {
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }

  /** The answer to the next command that holds `text` is lost, with the connection. */
  swallowAnswerTo(text: string): void {
    this.#swallowAnswerTo = text;
  }

  /** From now on no answer is lost. */
  swallowNothing(): void {
    this.#swallowAnswerTo = undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await rm(this.path, { force: true });
  }
}

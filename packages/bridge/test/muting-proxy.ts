import { once } from 'node:events';
import net from 'node:net';
import { addressOf } from './kit.js';

/** A way to a server that can fall silent: the connections stay open, and nothing passes. */
export class MutingProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(targetPort: number) {
    this.#server = net.createServer((near) => {
      const far = net.connect(targetPort, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
      }
      near.pipe(far);
      far.pipe(near);
    });
  }

  static async start(targetPort: number): Promise<MutingProxy> {
    const proxy = new MutingProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  url(path: string): string {
    return `ws://127.0.0.1:${addressOf(this.#server).port}${path}`;
  }

  mute(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

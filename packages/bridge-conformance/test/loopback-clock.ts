import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cancel, Clock } from '@earshot/async';
import { CloseStack, VirtualClock } from '@earshot/async';

const STEP_MS = 5;

/**
 * Virtual time for peers of one process that talk over real sockets. It goes on by 5 ms once a byte
 * has gone to and fro on the loopback, so that what was sent before it has come: a machine that is
 * busy makes a test longer, and lets no deadline pass. Nobody waits for real.
 */
export class LoopbackClock implements Clock {
  readonly #virtual = new VirtualClock(Date.now());
  readonly #closers = new CloseStack();
  #isClosed = false;

  static async start(): Promise<LoopbackClock> {
    const clock = new LoopbackClock();
    const probe = await clock.#probe();
    const going = clock.#go(probe);
    clock.#closers.defer(() => going);
    return clock;
  }

  nowMs(): number {
    return this.#virtual.nowMs();
  }

  wallclockMs(): number {
    return this.#virtual.wallclockMs();
  }

  at(deadlineMs: number, run: () => void): Cancel {
    return this.#virtual.at(deadlineMs, run);
  }

  /** Time stands still from then on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closers.close();
  }

  async #go(probe: Socket): Promise<void> {
    while (!this.#isClosed) {
      const echo = once(probe, 'data');
      probe.write('.');
      await Promise.all([echo, nextTurn()]);
      this.#virtual.advance(STEP_MS);
    }
  }

  /** A socket that gives back what is written to it. */
  async #probe(): Promise<Socket> {
    const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.defer(async () => {
      await once(server.close(), 'close');
    });
    const probe = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    probe.setNoDelay(true);
    await once(probe, 'connect');
    this.#closers.defer(() => {
      probe.destroy();
    });
    return probe;
  }
}

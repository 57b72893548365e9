import type { IncomingMessage } from 'node:http';
import type { Clock } from '@earshot/async';
import type { WebSocket } from 'ws';
import { Mailbox } from '../mailbox.js';
import { Mismatch } from '../outcome.js';
import type { WireClose, WireItem } from '../wire.js';
import { closeText, Wire } from '../wire.js';

/** Longer than any rule: items are waited for until the socket is gone. */
const FOR_EVER_MS = 2 ** 30;

/** The server's end of one socket that the host has dialled. */
export abstract class Peer {
  readonly wire: Wire;
  readonly clock: Clock;
  /** Of the upgrade request. */
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  readonly openedAtMs: number;
  /** Everything that came, the close as the last. */
  readonly items: Mailbox<WireItem>;
  /** While false, the host hears nothing but what a rule says. */
  isAnswering = true;

  constructor(socket: WebSocket, request: IncomingMessage, clock: Clock) {
    this.wire = new Wire(socket, clock);
    this.clock = clock;
    this.headers = request.headers;
    this.url = request.url ?? '';
    this.openedAtMs = clock.nowMs();
    this.items = new Mailbox(clock);
  }

  /** Reads until the socket is gone. */
  async run(): Promise<void> {
    for (;;) {
      const item = await this.wire.next(FOR_EVER_MS);
      if (item === undefined) continue;
      // First, so that who waits for the item finds done what it does.
      this.receive(item);
      this.items.push(item);
      if (item.kind === 'close') return;
    }
  }

  protected abstract receive(item: WireItem): void;

  say(message: object): void {
    this.wire.send(JSON.stringify(message));
  }

  /** @throws Mismatch when the host does not close so. */
  async closes(
    codes: readonly number[],
    { reason, withinMs }: { readonly reason?: string; readonly withinMs: number },
  ): Promise<WireClose> {
    const isClose = (item: WireItem): item is WireClose => item.kind === 'close';
    const close = await this.items.find(isClose, withinMs);
    const expected = `close ${codes.join(' or ')}${reason === undefined ? '' : ` ${reason}`}`;
    if (close === undefined) {
      throw new Mismatch(expected, `an open link after ${Math.round(withinMs)} ms`);
    }
    const isRight = codes.includes(close.code) && (reason === undefined || close.reason === reason);
    if (isRight) return close;
    throw new Mismatch(expected, closeText(close));
  }

  /** @throws Mismatch when the host has closed the link. */
  requireOpen(): void {
    const { closed } = this.wire;
    if (closed !== undefined) throw new Mismatch('the link to stay open', closeText(closed));
  }
}

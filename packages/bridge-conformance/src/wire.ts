import { once } from 'node:events';
import type { Clock } from '@earshot/async';
import type { RawData, WebSocket } from 'ws';
import { show } from './outcome.js';

const DECODER = new TextDecoder();

/** What came over a socket. */
export type WireItem =
  | { readonly kind: 'text'; readonly text: string; readonly atMs: number }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array; readonly atMs: number }
  | WireClose;

export interface WireClose {
  readonly kind: 'close';
  /** 1006 when the connection broke without a close frame. */
  readonly code: number;
  readonly reason: string;
  readonly atMs: number;
}

/** One WebSocket with all that came over it kept in order, to be taken item by item. */
export class Wire {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #items: WireItem[] = [];
  #taken = 0;
  #close: WireClose | undefined;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => {};

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('message', (data, isBinary) => this.#message(data, isBinary));
    // The close that follows tells.
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.#close = { kind: 'close', code, reason: reason.toString(), atMs: clock.nowMs() };
      this.#wake();
    });
  }

  /** Set once the socket is gone. */
  get closed(): WireClose | undefined {
    return this.#close;
  }

  /** When the last message was sent: the peer can't have heard one later. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /** Everything that came so far, also what was taken. */
  get seen(): readonly WireItem[] {
    return this.#items;
  }

  /** The next item, or undefined when none came in time. After the last one: the close, for ever. */
  async next(withinMs: number): Promise<WireItem | undefined> {
    const deadlineMs = this.#clock.nowMs() + withinMs;
    for (;;) {
      const item = this.#items[this.#taken];
      if (item !== undefined) {
        this.#taken += 1;
        return item;
      }
      if (this.#close !== undefined) return this.#close;
      if (this.#clock.nowMs() >= deadlineMs) return undefined;
      await this.#woken(deadlineMs);
    }
  }

  /** Sends; nothing once the socket is closing. */
  send(data: string | Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#lastSentMs = this.#clock.nowMs();
    this.#socket.send(data);
  }

  /** Sends bytes as a text message, UTF-8 or not. */
  sendAsText(bytes: Uint8Array): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(bytes, { binary: false });
  }

  /** Sends one message in as many WebSocket frames as there are parts. */
  sendParts(parts: readonly string[]): void {
    parts.forEach((part, n) => {
      this.#socket.send(part, { fin: n === parts.length - 1 });
    });
  }

  /** A ping of the WebSocket layer, which is no message. */
  pingFrame(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** Closes as RFC 6455 wants it, and waits until the socket is gone. */
  async close(code: number, reason: string): Promise<void> {
    if (this.#close !== undefined) return;
    const gone = once(this.#socket, 'close');
    this.#socket.close(code, reason);
    await gone;
  }

  /** Breaks the TCP connection without a word, and waits until the socket is gone. */
  async break(): Promise<void> {
    if (this.#close !== undefined) return;
    const gone = once(this.#socket, 'close');
    this.#socket.terminate();
    await gone;
  }

  #message(data: RawData, isBinary: boolean): void {
    const bytes = bytesOf(data);
    const atMs = this.#clock.nowMs();
    this.#items.push(
      isBinary
        ? { kind: 'binary', bytes, atMs }
        : { kind: 'text', text: DECODER.decode(bytes), atMs },
    );
    this.#wake();
  }

  async #woken(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.at(deadlineMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** How a link ended, in words. */
export function closeText({ code, reason }: WireClose): string {
  return show(`close ${code}${reason === '' ? '' : ` ${reason}`}`);
}

function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Uint8Array.from(Array.isArray(data) ? Buffer.concat(data) : data);
}

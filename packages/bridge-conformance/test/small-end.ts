import type { ParseResult } from '@earshot/bridge-protocol';
import { WebSocket } from 'ws';

const MAX_BYTES = 65_536;
const WELCOME_TIMEOUT_MS = 8000;

export interface SmallEndOptions<Message> {
  readonly url: string;
  readonly token: string;
  readonly subprotocol: string;
  parse(text: string): ParseResult<Message>;
  /** Bad texts are ignored. */
  readonly isKind: boolean;
  readonly takesBinary: boolean;
  /** Takes a binary message; false where none may come. */
  binary?(data: Uint8Array): boolean;
  /** Unknown types are bad. */
  readonly isStrict: boolean;
  readonly pings: ((id: number) => object) | undefined;
  readonly dropsNobody: boolean;
  opened(): void;
  message(message: Message): void;
  closed(code: number): void;
}

/** A host's end of either link: its texts checked, its heartbeat kept. */
export class SmallEnd<Message extends { readonly type: string } = { readonly type: string }> {
  readonly #socket: WebSocket;
  readonly #options: SmallEndOptions<Message>;
  #isOver = false;
  #isWelcome = false;
  #heard = true;
  #missed = 0;
  #lastPing = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SmallEndOptions<Message>) {
    this.#options = options;
    const { url, token, subprotocol } = options;
    const socket = new WebSocket(url, subprotocol, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      maxPayload: 131_072,
    });
    this.#socket = socket;
    let refused: number | undefined;
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
      refused = statusCode === 401 ? 4401 : 1006;
      socket.terminate();
    });
    socket.on('error', () => {});
    socket.on('open', () => {
      this.#timer = setTimeout(() => this.end(4408, 'welcome_timeout'), WELCOME_TIMEOUT_MS);
      options.opened();
    });
    socket.on('message', (data: Buffer, isBinary) => {
      if (!this.#isOver) this.#receive(data, isBinary);
    });
    socket.on('close', (code) => {
      this.#isOver = true;
      clearTimeout(this.#timer);
      clearInterval(this.#timer);
      options.closed(refused ?? code);
    });
  }

  get isOpen(): boolean {
    return this.#isWelcome && !this.#isOver && this.#socket.readyState === WebSocket.OPEN;
  }

  say(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.isOpen) this.#socket.send(bytes);
  }

  end(code: number, reason: string): void {
    this.#isOver = true;
    this.#socket.close(code, reason);
  }

  break(): void {
    this.#isOver = true;
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#heard = true;
    const { parse, isKind, isStrict, takesBinary, message } = this.#options;
    if (isBinary) {
      const isTaken = this.#isWelcome && this.#options.binary?.(new Uint8Array(data));
      if (isTaken !== true && !takesBinary) this.end(4400, 'binary_message');
      return;
    }
    if (data.length > MAX_BYTES) {
      if (!isKind) this.end(4413, 'too_large');
      return;
    }
    const parsed = parse(data.toString());
    if (!parsed.ok) {
      if (parsed.code === 'unsupported_version') this.end(4426, parsed.code);
      else if (parsed.code === 'unsupported_type' ? isStrict : !isKind) this.end(4400, parsed.code);
      return;
    }
    if (parsed.message.type === 'welcome') {
      if (this.#isWelcome) {
        this.end(4400, 'welcome_repeated');
        return;
      }
      this.#begin(parsed.message);
    } else if (!this.#isWelcome && parsed.message.type !== 'error') {
      this.end(4400, 'welcome_expected');
      return;
    }
    message(parsed.message);
  }

  #begin(welcome: Message): void {
    this.#isWelcome = true;
    clearTimeout(this.#timer);
    const { pingIntervalMs } = welcome as { readonly pingIntervalMs?: number };
    this.#timer = setInterval(() => this.#beat(), pingIntervalMs);
  }

  #beat(): void {
    const { pings, dropsNobody } = this.#options;
    this.#missed = this.#heard ? 0 : this.#missed + 1;
    this.#heard = false;
    if (this.#missed >= 2 && !dropsNobody) this.end(4408, 'peer_silent');
    else if (pings !== undefined) {
      this.#lastPing += 1;
      this.say(pings(this.#lastPing));
    }
  }
}

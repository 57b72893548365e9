import type { Writable } from 'node:stream';
import { CLOSE, LIMITS } from '@earshot/bridge-protocol';
import type { WebSocket } from 'ws';
import type { LinkLog } from './link-log.js';
import { MAX_BUFFERED_BYTES } from './socket-options.js';

/** RFC 6455 §5.5: a control frame has 125 bytes, of which the close code takes two. */
const MAX_REASON_BYTES = 123;
/** RFC 6455 §7.4.1: the connection went away without a close frame. */
const CODE_ABNORMAL = 1006;
const CODE_NO_STATUS = 1005;

/** What a link tells its owner. All are called on the I/O thread; what they throw closes the link. */
export interface LinkHandlers {
  text(text: string): void;
  /**
   * `bytes` are borrowed for the call, and a Buffer: whoever keeps some copies them by
   * `new Uint8Array(…)` or `set`, as `slice` of a Buffer does not.
   */
  binary(bytes: Uint8Array): void;
  /** Called once, and never from within `close`. */
  closed(code: number, reason: string): void;
}

/**
 * One WebSocket of either side, made safe: bounded in both directions, never throws, and is over
 * for its owner as soon as either side has closed it, however long the socket takes.
 */
export class Link {
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;
  readonly #socket: WebSocket;
  readonly #transport: Writable;
  readonly #log: LinkLog;
  #handlers: LinkHandlers | undefined;
  #end: { readonly code: number; readonly reason: string } | undefined;
  #corked = false;

  /** @param transport the TCP or TLS socket beneath, corked while a burst is written. */
  constructor(socket: WebSocket, transport: Writable, log: LinkLog) {
    this.#socket = socket;
    this.#transport = transport;
    this.#log = log;
    // The default `binaryType` makes every message one Buffer, also of many fragments.
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#onMessage(data, isBinary));
    socket.on('error', (error) => this.#onError(error));
    this.gone = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#over(code === CODE_NO_STATUS ? CLOSE.normal : code, reason.toString());
        resolve();
      });
    });
  }

  /** Bytes that wait in this process for the socket to take them. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** From now on `handlers` are told. A message that came before is a protocol error. */
  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#end !== undefined) this.#tellClosed(this.#end.code, this.#end.reason);
  }

  /**
   * Sends a control message; nothing once the link is over. A peer that leaves too many unread
   * is cut off.
   */
  sendText(text: string): void {
    if (this.#end !== undefined) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.close(CLOSE.busy, 'messages_unread');
      return;
    }
    this.#cork();
    this.#socket.send(text);
  }

  /** Sends a binary message, copied; false when too much waits already, or the link is over. */
  sendBinary(bytes: Uint8Array): boolean {
    if (this.#end !== undefined || this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) return false;
    this.#cork();
    // The caller's buffer is only borrowed, and what ws keeps of it is not ours to know.
    this.#socket.send(Buffer.from(bytes));
    return true;
  }

  /**
   * Ends the link: no handler but `closed` is called any more.
   *
   * @throws RangeError when `code` may not be sent: 1000, 1001 or 4000 to 4999.
   */
  close(code: number, reason: string): void {
    requireCloseCode(code);
    if (this.#end !== undefined) return;
    const text = fitReason(reason);
    this.#over(code, text);
    this.#socket.close(code, text);
  }

  #onMessage(bytes: Buffer, isBinary: boolean): void {
    if (this.#end !== undefined) return;
    if (this.#handlers === undefined) {
      this.close(CLOSE.protocolError, 'unexpected_message');
      return;
    }
    if (bytes.length > (isBinary ? LIMITS.maxMessageBytes : LIMITS.maxJsonBytes)) {
      this.close(CLOSE.tooLarge, 'too_large');
      return;
    }
    try {
      if (isBinary) this.#handlers.binary(bytes);
      else this.#handlers.text(bytes.toString('utf8'));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Our own mistake ends this link only. */
  fail(error: unknown): void {
    this.#log.warn('link handler failed', { error: describe(error) });
    this.close(CLOSE.internal, 'internal');
  }

  // ws itself answers with 1002, 1007 or 1009 on the wire.
  #onError(error: Error): void {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#over(CLOSE.tooLarge, 'too_large');
    else if (code.startsWith('WS_ERR_')) this.#over(CLOSE.protocolError, code.toLowerCase());
    else this.#over(CODE_ABNORMAL, 'connection_lost');
  }

  #over(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, reason };
    if (this.#handlers === undefined) return;
    queueMicrotask(() => this.#tellClosed(code, reason));
  }

  #tellClosed(code: number, reason: string): void {
    try {
      this.#handlers?.closed(code, reason);
    } catch (error) {
      this.#log.warn('link handler failed', { error: describe(error) });
    }
  }

  // Everything sent in one turn leaves in one write: a quarter of the cost of a write each.
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#transport.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#transport.uncork();
    });
  }
}

function requireCloseCode(code: number): void {
  const isOurs = Number.isInteger(code) && code >= 4000 && code <= 4999;
  if (isOurs || code === CLOSE.normal || code === CLOSE.goingAway) return;
  throw new RangeError(
    `Cannot close a link: the code must be 1000, 1001 or 4000 to 4999, got ${code}`,
  );
}

function fitReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  // A character cut in two decodes to U+FFFD, which would not fit.
  return bytes
    .subarray(0, MAX_REASON_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '');
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : 'not an Error';
}

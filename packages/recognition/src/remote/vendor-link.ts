import type { Clock } from '@earshot/async';
import { openTunnel } from '@earshot/proxy';
import { WebSocket } from 'ws';
import type { VendorFault } from '../vendor-fault.js';
import { faultOfProxy, faultOfStatus, unavailable, unsuitable } from '../vendor-fault.js';

/** Largest message taken; results are a few KiB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** How long a vendor may take to close. */
const CLOSE_MS = 1000;

export interface VendorAddress {
  readonly url: string;
  /** With credentials: not to be told. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface VendorLinkEvents {
  message(data: string | Buffer): void;
  /** The connection ended, by the vendor or by failure. Once. */
  closed(code: number): void;
  /** Some of what was sent has left. */
  drained(): void;
}

export interface DialOptions {
  readonly engine: string;
  readonly address: VendorAddress;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** It is reached through this one; undefined: by itself. */
  readonly proxy: URL | undefined;
}

/** An open WebSocket to a vendor. */
export class VendorLink {
  readonly #socket: WebSocket;
  readonly #drained = (): void => this.#events?.drained();
  #events: VendorLinkEvents | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#events?.message(isBinary ? data : data.toString('utf8'));
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', (code: number) => this.#events?.closed(code));
  }

  listen(events: VendorLinkEvents): void {
    this.#events = events;
    if (this.#socket.readyState !== WebSocket.OPEN) events.closed(1006);
  }

  /** Bytes that have not left yet. */
  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data, this.#drained);
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** Closes without telling `closed`. */
  close(): void {
    this.#events = undefined;
    if (this.#socket.readyState !== WebSocket.OPEN) this.#socket.terminate();
    else this.#socket.close(1000);
  }
}

/** Opens a WebSocket to a vendor; gives the fault when there is none to be had. Never rejects. */
export function dialVendor(options: DialOptions): Promise<VendorLink | VendorFault> {
  const { engine, clock, timeoutMs, proxy } = options;
  const { url, headers } = options.address;
  const tunnel = proxy === undefined ? undefined : openTunnel(proxy);
  return new Promise((resolve) => {
    const socketOptions = {
      headers,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      closeTimeout: CLOSE_MS,
      ...(tunnel === undefined ? {} : { agent: tunnel.agent }),
    };
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, socketOptions);
    } catch {
      // What was thrown may name the address or a header.
      resolve(unsuitable(engine, 'its address must be one that a WebSocket can have'));
      return;
    }
    const cancel = clock.at(clock.nowMs() + timeoutMs, () => {
      fail(unavailable(engine, `the service must answer within ${timeoutMs} ms`));
    });
    socket.on('error', () => fail(unavailable(engine, 'the service must be reachable')));
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
      fail(faultOfStatus(engine, statusCode));
    });
    socket.once('open', () => {
      cancel();
      resolve(new VendorLink(socket));
    });

    function fail(fault: VendorFault): void {
      cancel();
      // Until the way is open, all that is heard is of the proxy.
      const inTheWay = tunnel?.fault();
      resolve(inTheWay === undefined ? fault : faultOfProxy(engine, inTheWay));
      socket.terminate();
      tunnel?.abort();
    }
  });
}

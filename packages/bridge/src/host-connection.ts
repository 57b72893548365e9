import type { Cancel, Clock } from '@earshot/async';
import type {
  AllocatedMessage,
  AttachedMessage,
  HostHelloMessage,
  HostLevel,
  HostMessage,
  MediaKind,
  MediaStateMessage,
  RefusedMessage,
  SignalingMessage,
} from '@earshot/bridge-protocol';
import {
  CLOSE,
  LIMITS,
  PROTOCOL_VERSION,
  parseHostMessage,
  writeMessage,
} from '@earshot/bridge-protocol';
import { closeCodeOf } from './close-code-of.js';
import { Heartbeat } from './heartbeat.js';
import type { Link, LinkHandlers } from './link.js';
import { PendingRequests } from './pending-requests.js';
import { RoundTrips } from './round-trips.js';

/** A media host as signaling sees it. */
export interface HostInfo {
  readonly hostId: string;
  /** Calls that it can carry at once. */
  readonly capacity: number;
  readonly activeCalls: number;
  readonly level: HostLevel;
  /** Takes no new calls. */
  readonly draining: boolean;
  readonly mediaKinds: readonly MediaKind[];
  /** How long the last ping took there and back; undefined before the first pong. */
  readonly rttMs: number | undefined;
}

/** Any answer of a host to a request. */
export type HostReply = AllocatedMessage | AttachedMessage | RefusedMessage;

export interface HostConnectionOptions {
  readonly link: Link;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  /** The host said who it is; `welcome` follows when this returns. */
  onHello(connection: HostConnection, hostId: string): void;
  onMediaState(message: MediaStateMessage): void;
  /** An `attach` was answered so: told in its place among the states, before whoever asked is. */
  onAttached(mediaId: string): void;
  /** A ping was answered. */
  onRoundTrip(rttMs: number): void;
  onClosed(connection: HostConnection, code: number): void;
}

/** Signaling's side of one host's link, from the open socket to its end. */
export class HostConnection implements LinkHandlers {
  readonly #options: HostConnectionOptions;
  readonly #requests: PendingRequests<HostReply>;
  readonly #cancelHelloTimeout: Cancel;
  #heartbeat: Heartbeat | undefined;
  #info: Omit<HostInfo, 'rttMs'> | undefined;
  readonly #roundTrips: RoundTrips;

  constructor(options: HostConnectionOptions) {
    const { link, clock, requestTimeoutMs } = options;
    this.#options = options;
    this.#roundTrips = new RoundTrips(clock);
    this.#requests = new PendingRequests(clock, requestTimeoutMs);
    this.#cancelHelloTimeout = clock.at(clock.nowMs() + LIMITS.helloTimeoutMs, () =>
      link.close(CLOSE.helloTimeout, 'hello_timeout'),
    );
  }

  /** Undefined until `hello`. */
  get info(): HostInfo | undefined {
    return this.#info && { ...this.#info, rttMs: this.#roundTrips.rttMs };
  }

  /** Sends a request and waits for the answer to it. */
  request(write: (requestId: string) => SignalingMessage): Promise<HostReply> {
    return this.#requests.ask((requestId) => this.send(write(requestId)));
  }

  send(message: SignalingMessage): void {
    this.#options.link.sendText(writeMessage(message));
  }

  close(code: number, reason: string): void {
    this.#options.link.close(code, reason);
    this.#stop();
  }

  text(text: string): void {
    this.#heartbeat?.alive();
    const parsed = parseHostMessage(text);
    if (parsed.ok) this.#receive(parsed.message);
    else if (this.#info !== undefined && parsed.code === 'unsupported_type') {
      this.send({ type: 'error', code: parsed.code, message: parsed.detail });
    } else this.close(closeCodeOf(parsed.code), parsed.code);
  }

  binary(): void {
    this.close(CLOSE.protocolError, 'binary_message');
  }

  closed(code: number): void {
    this.#stop();
    this.#options.onClosed(this, code);
  }

  #receive(message: HostMessage): void {
    if (message.type === 'hello') this.#hello(message);
    else if (this.#info === undefined) this.close(CLOSE.protocolError, 'hello_expected');
    else this.#dispatch(message, this.#info);
  }

  #dispatch(message: Exclude<HostMessage, HostHelloMessage>, info: Omit<HostInfo, 'rttMs'>): void {
    switch (message.type) {
      case 'health': {
        const { activeCalls, level } = message;
        this.#info = { ...info, activeCalls, level };
        return;
      }
      case 'draining':
        this.#info = { ...info, draining: true };
        return;
      case 'allocated':
        // Whoever asked has given up: without this the host would keep the session for nobody.
        if (!this.#requests.answer(message.requestId, message)) {
          this.send({ type: 'release', mediaId: message.mediaId });
        }
        return;
      case 'attached':
        this.#attached(message);
        return;
      case 'refused':
        this.#requests.answer(message.requestId, message);
        return;
      case 'mediaState':
        this.#options.onMediaState(message);
        return;
      case 'ping':
        this.send({ type: 'pong', id: message.id });
        return;
      case 'pong':
        this.#pong(message.id);
        return;
    }
  }

  #hello({ hostId, capacity, mediaKinds }: HostHelloMessage): void {
    if (this.#info !== undefined) {
      this.close(CLOSE.protocolError, 'hello_repeated');
      return;
    }
    this.#cancelHelloTimeout();
    this.#info = { hostId, capacity, mediaKinds, activeCalls: 0, level: 'normal', draining: false };
    const { clock, link } = this.#options;
    const { pingIntervalMs } = LIMITS;
    this.send({ type: 'welcome', version: PROTOCOL_VERSION, pingIntervalMs });
    this.#heartbeat = new Heartbeat({
      clock,
      intervalMs: pingIntervalMs,
      ping: () => this.#ping(),
      dead: () => link.close(CLOSE.helloTimeout, 'peer_silent'),
    });
    this.#options.onHello(this, hostId);
  }

  #attached(message: AttachedMessage): void {
    const { requestId, mediaId } = message;
    if (requestId === undefined || !this.#requests.answer(requestId, message)) return;
    this.#options.onAttached(mediaId);
  }

  #pong(id: number): void {
    const rttMs = this.#roundTrips.pong(id);
    if (rttMs !== undefined) this.#options.onRoundTrip(rttMs);
  }

  #ping(): void {
    this.send({ type: 'ping', id: this.#roundTrips.ping() });
  }

  #stop(): void {
    this.#cancelHelloTimeout();
    this.#heartbeat?.stop();
    this.#requests.abandon();
  }
}

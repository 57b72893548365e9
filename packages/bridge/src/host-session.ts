import type { Cancel } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type {
  AllocateMessage,
  AttachMessage,
  HostMessage,
  HostWelcomeMessage,
  SignalingMessage,
} from '@earshot/bridge-protocol';
import {
  CLOSE,
  LIMITS,
  PROTOCOL_VERSION,
  parseSignalingMessage,
  writeMessage,
} from '@earshot/bridge-protocol';
import { closeCodeOf } from './close-code-of.js';
import { Heartbeat } from './heartbeat.js';
import type { HostLinkClientOptions } from './host-link-client.js';
import type { Link, LinkHandlers } from './link.js';
import { RoundTrips } from './round-trips.js';
import { CONNECT_TIMEOUT_MS } from './socket-options.js';

/** What is told of a failure; the protocol allows more. */
const MAX_MESSAGE_CHARS = 1000;

export interface HostSessionOptions
  extends Pick<
    HostLinkClientOptions,
    'hostId' | 'capacity' | 'mediaKinds' | 'clock' | 'log' | 'handlers'
  > {
  readonly link: Link;
  onWelcome(session: HostSession): void;
  /** The link lives long enough to be called good. */
  onStable(): void;
  onRelease(mediaId: string): void;
}

/** How a connection ended. */
export interface LinkEnd {
  readonly closeCode: number;
  readonly reason: string;
}

/** A host's side of one connection of the host link. Starts the link and says hello. */
export class HostSession {
  /** Resolves when the connection and its socket are over. */
  readonly over: Promise<LinkEnd>;
  readonly #options: HostSessionOptions;
  readonly #cancelWelcomeTimeout: Cancel;
  #heartbeat: Heartbeat | undefined;
  #isUp = false;
  #working = 0;
  readonly #roundTrips: RoundTrips;

  constructor(options: HostSessionOptions) {
    const { link, clock, hostId, capacity, mediaKinds = ['unmixed', 'mixed'] } = options;
    this.#options = options;
    this.#roundTrips = new RoundTrips(clock);
    this.#cancelWelcomeTimeout = clock.at(clock.nowMs() + CONNECT_TIMEOUT_MS, () =>
      link.close(CLOSE.helloTimeout, 'welcome_timeout'),
    );
    this.over = new Promise((resolve) => {
      const handlers: LinkHandlers = {
        text: (text) => this.#text(text),
        binary: () => link.close(CLOSE.protocolError, 'binary_message'),
        closed: (code, reason) => {
          this.#stop();
          const end = { closeCode: code, reason: reason === '' ? `closed_${code}` : reason };
          void link.gone.then(() => resolve(end));
        },
      };
      link.start(handlers);
    });
    this.#write({ type: 'hello', version: PROTOCOL_VERSION, hostId, capacity, mediaKinds });
  }

  /** How long the last ping took there and back; undefined before the first pong. */
  get rttMs(): number | undefined {
    return this.#roundTrips.rttMs;
  }

  /** Sends a message, if the link is up. */
  send(message: HostMessage): void {
    if (this.#isUp) this.#write(message);
  }

  close(): void {
    this.#options.link.close(CLOSE.normal, 'closed');
  }

  #write(message: HostMessage): void {
    this.#options.link.sendText(writeMessage(message));
  }

  #text(text: string): void {
    this.#heartbeat?.alive();
    const parsed = parseSignalingMessage(text);
    if (parsed.ok) this.#receive(parsed.message);
    else if (parsed.code !== 'unsupported_type') {
      this.#options.link.close(closeCodeOf(parsed.code), parsed.code);
    }
  }

  #receive(message: SignalingMessage): void {
    if (message.type === 'welcome') this.#welcome(message);
    else if (this.#isUp) this.#dispatch(message);
    else this.#options.link.close(CLOSE.protocolError, 'welcome_expected');
  }

  #dispatch(message: Exclude<SignalingMessage, HostWelcomeMessage>): void {
    switch (message.type) {
      case 'allocate':
        this.#work(message.requestId, () => this.#allocate(message));
        return;
      case 'attach':
        this.#work(message.requestId, () => this.#attach(message));
        return;
      case 'release':
        this.#options.onRelease(message.mediaId);
        this.#options.handlers.release(message.mediaId);
        return;
      case 'ping':
        this.#write({ type: 'pong', id: message.id });
        return;
      case 'pong':
        this.#roundTrips.pong(message.id);
        this.#options.onStable();
        return;
      case 'error':
        this.#options.log.warn('signaling reports an error', { code: message.code });
        return;
    }
  }

  #welcome({ pingIntervalMs }: HostWelcomeMessage): void {
    const { clock, link } = this.#options;
    if (this.#isUp) {
      link.close(CLOSE.protocolError, 'welcome_repeated');
      return;
    }
    this.#isUp = true;
    this.#cancelWelcomeTimeout();
    this.#heartbeat = new Heartbeat({
      clock,
      intervalMs: pingIntervalMs,
      ping: () => this.#ping(),
      dead: () => link.close(CLOSE.helloTimeout, 'peer_silent'),
    });
    this.#options.onWelcome(this);
  }

  async #allocate({ requestId, callId }: AllocateMessage): Promise<void> {
    const { mediaId, blob } = await this.#options.handlers.allocate(callId);
    this.#write({ type: 'allocated', requestId, mediaId, blob });
    // The answer can't reach whoever asked: nobody will ever use or release the session.
    if (this.#options.link.isOver) this.#options.handlers.release(mediaId);
  }

  async #attach(message: AttachMessage): Promise<void> {
    const { type: _, requestId, ...request } = message;
    await this.#options.handlers.attach(request);
    const { mediaId, epoch } = request;
    this.#write({ type: 'attached', requestId, mediaId, epoch });
  }

  #work(requestId: string, run: () => Promise<void>): void {
    if (this.#working >= LIMITS.maxPendingRequests) {
      this.#write({ type: 'refused', requestId, code: 'busy', message: 'Too many requests wait' });
      return;
    }
    this.#working += 1;
    run()
      .catch((error: unknown) => this.#refuse(requestId, error))
      .finally(() => {
        this.#working -= 1;
      });
  }

  #refuse(requestId: string, error: unknown): void {
    const isCoded = error instanceof CodedError;
    const code = isCoded ? error.code : 'internal';
    if (!isCoded) this.#options.log.warn('host request failed', { error: String(error) });
    const message = isCoded ? error.message.slice(0, MAX_MESSAGE_CHARS) : 'The host failed';
    this.#write({ type: 'refused', requestId, code, message });
  }

  #ping(): void {
    this.#write({ type: 'ping', id: this.#roundTrips.ping() });
  }

  #stop(): void {
    this.#isUp = false;
    this.#cancelWelcomeTimeout();
    this.#heartbeat?.stop();
  }
}

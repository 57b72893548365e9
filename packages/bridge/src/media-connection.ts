import type { Cancel, Clock } from '@earshot/async';
import type {
  FrameCursor,
  HelloMessage,
  MediaHostMessage,
  SendCapability,
  WorkerMessage,
} from '@earshot/bridge-protocol';
import {
  CLOSE,
  PROTOCOL_VERSION,
  parseMediaHostMessage,
  writeMessage,
} from '@earshot/bridge-protocol';
import { closeCodeOf } from './close-code-of.js';
import { Heartbeat } from './heartbeat.js';
import type { Link, LinkHandlers } from './link.js';
import type { LinkLog } from './link-log.js';
import type { MediaLinkClaims, MediaLinkHandlers, MediaLinkRefusal } from './media-link-server.js';
import { OpenSession } from './open-session.js';
import { OpenStreams } from './open-streams.js';

export interface MediaConnectionSettings {
  readonly workerId: string;
  readonly creditFrames: number;
  readonly wayBack: boolean;
  readonly helloTimeoutMs: number;
  readonly pingIntervalMs: number;
}

export interface MediaConnectionOptions {
  readonly link: Link;
  readonly claims: MediaLinkClaims;
  readonly clock: Clock;
  readonly log: LinkLog;
  /** Shared: used only within one turn. */
  readonly cursor: FrameCursor;
  readonly settings: MediaConnectionSettings;
  accept(hello: HelloMessage): Promise<MediaLinkHandlers | MediaLinkRefusal>;
  onOpen(): void;
  onClosed(): void;
}

type State =
  | { readonly name: 'awaitingHello'; readonly cancelTimeout: Cancel }
  | { readonly name: 'accepting' }
  | {
      readonly name: 'open';
      readonly handlers: MediaLinkHandlers;
      readonly heartbeat: Heartbeat;
      readonly wayBack: SendCapability | undefined;
    }
  | { readonly name: 'closed'; readonly code: number; readonly reason: string };

type Open = Extract<State, { readonly name: 'open' }>;

/** A worker's side of one media link, from the open socket to its end. */
export class MediaConnection implements LinkHandlers {
  readonly #options: MediaConnectionOptions;
  readonly #streams = new OpenStreams();
  #state: State;

  constructor(options: MediaConnectionOptions) {
    const { clock, link, settings } = options;
    this.#options = options;
    const cancelTimeout = clock.at(clock.nowMs() + settings.helloTimeoutMs, () =>
      link.close(CLOSE.helloTimeout, 'hello_timeout'),
    );
    this.#state = { name: 'awaitingHello', cancelTimeout };
  }

  text(text: string): void {
    const parsed = parseMediaHostMessage(text);
    if (this.#state.name === 'open') this.#state.heartbeat.alive();
    if (parsed.ok) this.#receive(parsed.message);
    else if (parsed.code === 'unsupported_type' && this.#state.name === 'open') {
      this.#write({ type: 'unsupported', what: parsed.detail });
    } else this.#close(closeCodeOf(parsed.code), parsed.code);
  }

  binary(bytes: Uint8Array): void {
    if (this.#state.name !== 'open') {
      this.#close(CLOSE.protocolError, 'frames_before_welcome');
      return;
    }
    const { handlers, heartbeat } = this.#state;
    heartbeat.alive();
    const { cursor } = this.#options;
    const error = cursor.open(bytes);
    if (error === undefined) handlers.frames(cursor);
    else this.#close(error.closeCode, error.code);
    cursor.close();
  }

  closed(code: number, reason: string): void {
    const before = this.#state;
    this.#state = { name: 'closed', code, reason };
    if (before.name === 'awaitingHello') before.cancelTimeout();
    if (before.name !== 'open') return;
    before.heartbeat.stop();
    this.#options.onClosed();
    before.handlers.closed(code, reason);
  }

  #receive(message: MediaHostMessage): void {
    if (message.type === 'hello') this.#hello(message);
    else if (this.#state.name !== 'open')
      this.#close(CLOSE.protocolError, 'message_before_welcome');
    else this.#dispatch(message, this.#state);
  }

  #dispatch(message: Exclude<MediaHostMessage, HelloMessage>, { handlers, wayBack }: Open): void {
    switch (message.type) {
      case 'ping': {
        const { id, clockNowTicks } = message;
        this.#write({ type: 'pong', id, clockNowTicks });
        handlers.pinged?.();
        return;
      }
      case 'sendOpened':
      case 'sendProgress':
      case 'marked':
      case 'cleared':
      case 'sendClosed':
        // Where it was not agreed, these are unknown types (W-4).
        if (wayBack !== undefined) handlers.message(message);
        else this.#write({ type: 'unsupported', what: message.type });
        return;
      default: {
        const fault = this.#streams.check(message);
        if (fault === undefined) handlers.message(message);
        else this.#close(CLOSE.protocolError, fault);
      }
    }
  }

  #hello(hello: HelloMessage): void {
    const { claims, link } = this.#options;
    if (this.#state.name !== 'awaitingHello') {
      this.#close(CLOSE.protocolError, 'hello_repeated');
      return;
    }
    this.#state.cancelTimeout();
    if (hello.callId !== claims.callId || hello.epoch !== claims.epoch) {
      const isOtherCall = hello.callId !== claims.callId;
      this.#close(CLOSE.unauthorized, isOtherCall ? 'wrong_call' : 'wrong_epoch');
      return;
    }
    this.#state = { name: 'accepting' };
    this.#accept(hello).catch((error: unknown) => link.fail(error));
  }

  async #accept(hello: HelloMessage): Promise<void> {
    const accepted = await this.#options.accept(hello);
    if ('closeCode' in accepted) {
      const { closeCode, code, message } = accepted;
      this.#options.log.warn('media link refused', { callId: hello.callId, code });
      this.#write({ type: 'error', code, message });
      this.#close(closeCode, code);
      return;
    }
    // It broke meanwhile: the handlers still hold what accept took.
    if (this.#state.name === 'closed') accepted.closed(this.#state.code, this.#state.reason);
    else this.#open(hello, accepted);
  }

  #open(hello: HelloMessage, handlers: MediaLinkHandlers): void {
    const { clock, link, settings, onOpen } = this.#options;
    const heartbeat = new Heartbeat({
      clock,
      intervalMs: settings.pingIntervalMs,
      dead: () => link.close(CLOSE.helloTimeout, 'peer_silent'),
    });
    const wayBack = settings.wayBack ? hello.send : undefined;
    this.#state = { name: 'open', handlers, heartbeat, wayBack };
    onOpen();
    const session = new OpenSession(link, hello, wayBack);
    const { resume, resumeToken } = handlers.open(session);
    session.welcomed = true;
    this.#write({
      type: 'welcome',
      version: PROTOCOL_VERSION,
      workerId: settings.workerId,
      creditFrames: settings.creditFrames,
      pingIntervalMs: settings.pingIntervalMs,
      resume,
      ...(wayBack === undefined ? {} : { send: true }),
      ...(resumeToken === undefined ? {} : { resumeToken }),
    });
  }

  #write(message: WorkerMessage): void {
    this.#options.link.sendText(writeMessage(message));
  }

  #close(code: number, reason: string): void {
    this.#options.link.close(code, reason);
  }
}

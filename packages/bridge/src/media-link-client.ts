import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type {
  HelloMessage,
  MediaHostMessage,
  ProgressMessage,
  WelcomeMessage,
  WorkerMessage,
} from '@earshot/bridge-protocol';
import {
  CLOSE,
  MEDIA_SUBPROTOCOL,
  parseWorkerMessage,
  writeMessage,
} from '@earshot/bridge-protocol';
import { closeCodeOf } from './close-code-of.js';
import { dial } from './dial.js';
import { Heartbeat } from './heartbeat.js';
import type { Link } from './link.js';
import type { LinkLog } from './link-log.js';
import { RoundTrips } from './round-trips.js';
import { CONNECT_TIMEOUT_MS } from './socket-options.js';
import { tickCounter } from './tick-counter.js';
import type { WayBackHandlers } from './way-back.js';
import { WayBack } from './way-back.js';

const WORD = /^[a-z][a-z0-9_]*$/;

/** What a host does with what a worker says. */
export interface MediaLinkClientHandlers {
  /** Called before `connect` resolves, in the same turn as the message. */
  welcome(message: WelcomeMessage): void;
  progress(message: ProgressMessage): void;
  /** The worker is leaving: signaling will attach the call elsewhere. */
  drain(): void;
  /** The worker is done with all it got; it closes the link now. */
  finished(): void;
  /** The way back; needed where `hello` has `send`, and told only when `welcome` has it too. */
  readonly send?: WayBackHandlers;
  /** Called once after `connect` resolved, and not at all when it rejected. */
  closed(code: number, reason: string): void;
}

export interface MediaLinkClientOptions {
  /** The `workerUrl` of the attach. */
  readonly url: string;
  readonly token: string;
  /** Its `clockNowTicks` is the time of making this client, see `nowTicks`. */
  readonly hello: HelloMessage;
  /** Runs at the pace of real time, also when the media clock does not. */
  readonly clock: Clock;
  readonly log: LinkLog;
  readonly handlers: MediaLinkClientHandlers;
  /**
   * The host's media clock, for `hello` and pings.
   *
   * @defaultValue `hello.clockNowTicks`, advanced by `clock`
   */
  readonly nowTicks?: () => bigint;
}

/**
 * A host's end of one media link. It connects once: after a break, or for another epoch, make
 * another.
 */
export class MediaLinkClient {
  readonly #options: MediaLinkClientOptions;
  readonly #abort = new AbortController();
  readonly #nowTicks: () => bigint;
  #connecting: Promise<WelcomeMessage> | undefined;
  #link: Link | undefined;
  #heartbeat: Heartbeat | undefined;
  readonly #roundTrips: RoundTrips;
  /** Set by the welcome where the way back was agreed. */
  #wayBack: WayBack | undefined;
  /** Set while `connect` waits for the worker's answer. */
  #onAnswer: ((answer: WelcomeMessage | CodedError) => void) | undefined;

  constructor(options: MediaLinkClientOptions) {
    this.#options = options;
    this.#roundTrips = new RoundTrips(options.clock);
    this.#nowTicks =
      options.nowTicks ?? tickCounter(BigInt(options.hello.clockNowTicks), options.clock);
  }

  /** Bytes that wait in this process for the socket to take them. */
  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? 0;
  }

  /** How long the last ping took there and back; undefined before the first pong. */
  get rttMs(): number | undefined {
    return this.#roundTrips.rttMs;
  }

  /**
   * Dials the worker, says hello, and resolves with its welcome. Idempotent.
   *
   * @throws CodedError `unauthorized`, `connect_failed`, `connect_timeout`, `upgrade_refused`,
   * `invalid_url`, `closed`, or the code that the worker closed with, such as `stale_epoch`.
   */
  connect(): Promise<WelcomeMessage> {
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  /** Sends a control message; nothing while the link is not open. */
  send(message: MediaHostMessage): void {
    if (this.#heartbeat !== undefined) this.#link?.sendText(writeMessage(message));
  }

  /**
   * Sends a message of frames, copied before it returns.
   *
   * @returns false when nothing was sent, because the link is not open or 1 MiB waits already:
   * the caller keeps the frames, or drops and counts them.
   */
  sendFrames(bytes: Uint8Array): boolean {
    return this.#heartbeat !== undefined && this.#link?.sendBinary(bytes) === true;
  }

  /** Ends the link, and resolves when its socket is gone. Idempotent. */
  async close(code: number = CLOSE.normal, reason: string = 'closed'): Promise<void> {
    this.#abort.abort();
    this.#link?.close(code, reason);
    await this.#link?.gone;
  }

  async #connect(): Promise<WelcomeMessage> {
    const { url, token, clock, log } = this.#options;
    const signal = this.#abort.signal;
    let answer: Promise<WelcomeMessage> | undefined;
    await dial({ url, token, subprotocol: MEDIA_SUBPROTOCOL, clock, log, signal }, (link) => {
      answer = this.#sayHello(link);
    });
    if (answer === undefined) throw new Error('The link opened without being told');
    return await answer;
  }

  #sayHello(link: Link): Promise<WelcomeMessage> {
    const { hello, clock } = this.#options;
    this.#link = link;
    const answer = new Promise<WelcomeMessage>((resolve, reject) => {
      const cancelTimeout: Cancel = clock.at(clock.nowMs() + CONNECT_TIMEOUT_MS, () =>
        link.close(CLOSE.helloTimeout, 'connect_timeout'),
      );
      this.#onAnswer = (result) => {
        cancelTimeout();
        this.#onAnswer = undefined;
        if (result instanceof CodedError) reject(result);
        else resolve(result);
      };
    });
    link.start({
      text: (text) => this.#text(text, link),
      binary: (bytes) => this.#binary(bytes, link),
      closed: (code, reason) => this.#closed(code, reason),
    });
    const clockNowTicks = this.#nowTicks().toString();
    link.sendText(writeMessage({ ...hello, clockNowTicks }));
    return answer;
  }

  #binary(bytes: Uint8Array, link: Link): void {
    if (this.#wayBack === undefined) {
      link.close(CLOSE.protocolError, 'binary_message');
      return;
    }
    this.#heartbeat?.alive();
    const error = this.#wayBack.binary(bytes);
    if (error !== undefined) link.close(error.closeCode, error.code);
  }

  #text(text: string, link: Link): void {
    this.#heartbeat?.alive();
    const parsed = parseWorkerMessage(text);
    if (parsed.ok) this.#receive(parsed.message, link);
    else if (parsed.code !== 'unsupported_type') link.close(closeCodeOf(parsed.code), parsed.code);
  }

  #receive(message: WorkerMessage, link: Link): void {
    const { handlers, log } = this.#options;
    const isEarly = this.#heartbeat === undefined;
    if (isEarly && message.type !== 'welcome' && message.type !== 'error') {
      link.close(CLOSE.protocolError, 'welcome_expected');
      return;
    }
    switch (message.type) {
      case 'welcome':
        this.#welcome(message, link);
        return;
      case 'progress':
        handlers.progress(message);
        return;
      case 'drain':
        handlers.drain();
        return;
      case 'finished':
        handlers.finished();
        return;
      case 'pong':
        this.#roundTrips.pong(message.id);
        return;
      case 'sendOpen':
      case 'sendClose':
      case 'mark':
      case 'clear':
        // Where it was not agreed, these are unknown types (J-3).
        this.#wayBack?.message(message);
        return;
      case 'unsupported':
        log.info('worker ignored a message', { what: message.what });
        return;
      case 'error':
        log.warn('worker reports an error', { code: message.code });
        return;
    }
  }

  #welcome(message: WelcomeMessage, link: Link): void {
    const { clock, handlers } = this.#options;
    if (this.#heartbeat !== undefined) {
      link.close(CLOSE.protocolError, 'welcome_repeated');
      return;
    }
    this.#heartbeat = new Heartbeat({
      clock,
      intervalMs: message.pingIntervalMs,
      ping: () => this.#ping(),
      dead: () => link.close(CLOSE.helloTimeout, 'peer_silent'),
    });
    this.#agree(message, handlers.send);
    handlers.welcome(message);
    this.#onAnswer?.(message);
  }

  #agree({ send }: WelcomeMessage, handlers: WayBackHandlers | undefined): void {
    if (send !== true || this.#options.hello.send === undefined || handlers === undefined) return;
    this.#wayBack = new WayBack(handlers);
  }

  #ping(): void {
    const clockNowTicks = this.#nowTicks().toString();
    this.send({ type: 'ping', id: this.#roundTrips.ping(), clockNowTicks });
  }

  #closed(code: number, reason: string): void {
    this.#heartbeat?.stop();
    if (this.#onAnswer === undefined) this.#options.handlers.closed(code, reason);
    else this.#onAnswer(refusal(code, reason));
  }
}

function refusal(closeCode: number, reason: string): CodedError {
  const code = closeCode === CLOSE.unauthorized ? 'unauthorized' : reason;
  return new CodedError(
    WORD.test(code) ? code : 'link_closed',
    `Cannot open the media link: the worker must welcome it, got close code ${closeCode}`,
  );
}

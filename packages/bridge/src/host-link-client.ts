import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs, CodedError } from '@earshot/async';
import type { HostLevel, MediaKind, MediaState } from '@earshot/bridge-protocol';
import { CLOSE, HOST_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { dial } from './dial.js';
import type { AttachRequest, MediaAllocation } from './host-link-server.js';
import type { LinkEnd } from './host-session.js';
import { HostSession } from './host-session.js';
import { HostStatus } from './host-status.js';
import type { LinkLog } from './link-log.js';

const RECONNECT = { baseMs: 250, maxMs: 15_000 } as const;
/** What another dial can't mend, only the operator: another key, version or host id. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([
  CLOSE.unauthorized,
  CLOSE.conflict,
  CLOSE.unsupportedVersion,
]);
/** RFC 6455 §7.4.1: there was no close frame. */
const CLOSE_ABNORMAL = 1006;

/** What a host does for signaling. What they throw is told to signaling as a refusal. */
export interface HostLinkHandlers {
  allocate(callId: string): Promise<MediaAllocation>;
  /** Resolves when the worker welcomed the media link. */
  attach(request: AttachRequest): Promise<void>;
  /** Unknown ids are to be ignored. */
  release(mediaId: string): void;
}

export interface HostLinkClientOptions {
  /** `ws:` or `wss:` URL with its path. */
  readonly url: string;
  /** The host key. */
  readonly token: string;
  readonly hostId: string;
  readonly capacity: number;
  /** @defaultValue `['unmixed', 'mixed']` */
  readonly mediaKinds?: readonly MediaKind[];
  readonly clock: Clock;
  /** A number in [0, 1) for jitter. */
  readonly random: () => number;
  readonly log: LinkLog;
  readonly handlers: HostLinkHandlers;
}

/**
 * A media host's end of the host link. Reconnects until it is closed or sent away for good (401,
 * 4401, 4409, 4426), and after each welcome tells signaling anew how the host is and in which state
 * its media sessions are.
 */
export class HostLinkClient {
  /**
   * Resolves at the first welcome; rejects with `closed` when `close` comes before, and with
   * `host_link_refused` when signaling wants no other dial.
   */
  readonly connected: Promise<void>;
  readonly #options: HostLinkClientOptions;
  readonly #status = new HostStatus();
  readonly #abort = new AbortController();
  #session: HostSession | undefined;
  #running: Promise<void> | undefined;
  #isUp = false;
  #attempt = 0;
  #resolveConnected: () => void = () => {};
  #rejectConnected: (error: CodedError) => void = () => {};
  #wake: () => void = () => {};

  constructor(options: HostLinkClientOptions) {
    this.#options = options;
    this.connected = new Promise((resolve, reject) => {
      this.#resolveConnected = resolve;
      this.#rejectConnected = reject;
    });
    // Nobody has to wait for it.
    this.connected.catch(() => {});
  }

  /** How long the last ping took there and back; undefined while the link is down or new. */
  get rttMs(): number | undefined {
    return this.#session?.rttMs;
  }

  /** Signaling has welcomed this host, and the link stands. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Starts to connect. Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Tells signaling how loaded the host is, now and after each reconnect. */
  sendHealth(health: { readonly activeCalls: number; readonly level: HostLevel }): void {
    const message = this.#status.health(health);
    this.#session?.send(message);
  }

  /** Tells signaling the state of a media session, now and after each reconnect until released. */
  sendMediaState(media: {
    readonly mediaId: string;
    readonly state: MediaState;
    readonly detail?: string;
  }): void {
    const message = this.#status.media(media);
    this.#session?.send(message);
  }

  /** Tells signaling to send no new calls, now and after each reconnect. */
  drain(): void {
    const message = this.#status.drain();
    this.#session?.send(message);
  }

  /** Ends the link for good. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    this.#rejectConnected(
      new CodedError('closed', 'Cannot connect to signaling: the client must not be closed'),
    );
    this.#session?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, clock, random } = this.#options;
    while (!this.#abort.signal.aborted) {
      const { closeCode, reason } = await this.#connectOnce();
      if (this.#abort.signal.aborted) return;
      if (FINAL_CLOSE_CODES.has(closeCode)) {
        this.#giveUp(closeCode, reason);
        return;
      }
      const delayMs = backoffDelayMs(this.#attempt, random(), RECONNECT);
      this.#attempt += 1;
      log.warn('host link down', { reason, retryInMs: Math.round(delayMs) });
      await this.#sleep(clock, delayMs);
    }
  }

  #giveUp(closeCode: number, reason: string): void {
    const { log } = this.#options;
    log.warn('host link refused for good: it is not dialled again', { closeCode, reason });
    const rule = `signaling must want the host, got ${reason}`;
    this.#rejectConnected(
      new CodedError('host_link_refused', `Cannot connect to signaling: ${rule}`),
    );
  }

  /** Resolves once the link is over. */
  async #connectOnce(): Promise<LinkEnd> {
    const { url, token, clock, log } = this.#options;
    let over: Promise<LinkEnd> | undefined;
    const signal = this.#abort.signal;
    try {
      await dial({ url, token, subprotocol: HOST_SUBPROTOCOL, clock, log, signal }, (link) => {
        this.#session = new HostSession({
          ...this.#options,
          link,
          onWelcome: (session) => this.#onWelcome(session),
          onStable: () => {
            this.#attempt = 0;
          },
          onRelease: (mediaId) => this.#status.forget(mediaId),
        });
        over = this.#session.over;
      });
    } catch (error) {
      const reason = error instanceof CodedError ? error.code : 'connect_failed';
      const closeCode = reason === 'unauthorized' ? CLOSE.unauthorized : CLOSE_ABNORMAL;
      return { closeCode, reason };
    }
    const end = (await over) ?? { closeCode: CLOSE_ABNORMAL, reason: 'closed' };
    this.#session = undefined;
    this.#isUp = false;
    return end;
  }

  #onWelcome(session: HostSession): void {
    this.#isUp = true;
    this.#options.log.info('host link up');
    for (const message of this.#status.all()) session.send(message);
    this.#resolveConnected();
  }

  #sleep(clock: Clock, durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = clock.at(clock.nowMs() + durationMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

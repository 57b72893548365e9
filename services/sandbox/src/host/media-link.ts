import type { Cancel, Clock } from '@earshot/async';
import { CodedError, delay } from '@earshot/async';
import type { WayBackHandlers } from '@earshot/bridge';
import { MediaLinkClient } from '@earshot/bridge';
import type {
  ByeMessage,
  HelloMessage,
  MediaHostMessage,
  ProgressMessage,
  WelcomeMessage,
} from '@earshot/bridge-protocol';
import { CLOSE } from '@earshot/bridge-protocol';
import type { Log } from '@earshot/telemetry';
import { LinkRetry } from './link-retry.js';

/** A link that can't be opened is given up after this, or after the window where that is longer. */
const GIVE_UP_MS = 30_000;
/** So long an `attach` is tried: signaling waits for 10 s, and may know a better worker. */
const FIRST_DIAL_MS = 2_000;
/** The worker has to publish what it heard before it says `finished`. */
const FINISH_DEADLINE_MS = 30_000;

/** What a first dial is tried again after (U-10): the network, 404, 429 and 503. */
const PASSING: ReadonlySet<string> = new Set(['connect_failed', 'upgrade_refused']);
/** Refusals of a worker that no other dial with the same token can turn. */
const FINAL_REFUSALS: ReadonlySet<string> = new Set([
  'unauthorized',
  'stale_epoch',
  'attachment_over',
  'call_ending',
  'replaced',
  'lease_lost',
  'draining',
  'closing',
  'unsupported_version',
]);

/** Where signaling wants a call's audio to go. */
export interface Attachment {
  readonly workerUrl: string;
  readonly token: string;
  readonly epoch: number;
  readonly traceparent?: string;
}

export interface MediaLinkOptions {
  readonly attachment: Attachment;
  readonly clock: Clock;
  /** A number in [0, 1) for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly replayWindowMs: number;
  /** The first message of each connection. */
  hello(): HelloMessage;
  /** The host's media clock. */
  nowTicks(): bigint;
  readonly handlers: MediaLinkHandlers;
}

export interface MediaLinkHandlers {
  /** Connected, for the first time or again: the worker knows only what `welcome` says. */
  opened(welcome: WelcomeMessage): void;
  progress(progress: ProgressMessage): void;
  drain(): void;
  /** Audio into the meeting. */
  readonly send: WayBackHandlers;
  /** The connection broke; it is tried again. */
  interrupted(): void;
  /** The link is over and won't be tried again, but for another attachment. */
  failed(detail: string): void;
}

/** The way of one call's audio to one worker: connects, and after a break connects again. */
export class MediaLink {
  readonly #options: MediaLinkOptions;
  readonly #retry = new LinkRetry();
  #token: string;
  #client: MediaLinkClient | undefined;
  #connecting: MediaLinkClient | undefined;
  #state: 'dialling' | 'open' | 'broken' | 'leaving' | 'closed' = 'dialling';
  #openedAtMs = 0;
  #pingIntervalMs = 0;
  #cancelGiveUp: Cancel | undefined;
  #left: (() => void) | undefined;

  constructor(options: MediaLinkOptions) {
    this.#options = options;
    this.#token = options.attachment.token;
  }

  get epoch(): number {
    return this.#options.attachment.epoch;
  }

  /** The connection that frames may be sent on now. */
  get outlet(): MediaLinkClient | undefined {
    return this.#state === 'open' ? this.#client : undefined;
  }

  /** @throws CodedError when the worker can't be reached or refuses. */
  async open(): Promise<void> {
    const { clock, random } = this.#options;
    const deadlineMs = clock.nowMs() + FIRST_DIAL_MS;
    for (;;) {
      try {
        return await this.#connect();
      } catch (error) {
        const delayMs = this.#retry.nextDelayMs(random());
        const isPassing = error instanceof CodedError && PASSING.has(error.code);
        if (!isPassing || this.#state !== 'dialling' || clock.nowMs() + delayMs > deadlineMs) {
          this.#state = 'closed';
          throw error;
        }
        await delay(clock, delayMs);
        if (this.#state !== 'dialling') throw error;
      }
    }
  }

  send(message: MediaHostMessage): void {
    this.outlet?.send(message);
  }

  /** Ends this connection for a mistake of the worker; another is tried. */
  fail(code: string): void {
    void this.outlet?.close(CLOSE.protocolError, code);
  }

  /**
   * Says good-bye, waits until the worker has finished with what it got, and closes. Resolves in
   * the end whatever the worker does.
   */
  async leave(reason: ByeMessage['reason']): Promise<void> {
    if (this.#state === 'open' && this.#client !== undefined) {
      this.#state = 'leaving';
      const left = new Promise<void>((resolve) => {
        this.#left = resolve;
      });
      this.#client.send({ type: 'bye', reason });
      const { clock } = this.#options;
      const cancel = clock.at(clock.nowMs() + FINISH_DEADLINE_MS, () => this.#left?.());
      await left;
      cancel();
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#cancelGiveUp?.();
    const client = this.#client ?? this.#connecting;
    this.#client = undefined;
    this.#left?.();
    await client?.close(CLOSE.normal, 'done');
  }

  async #connect(): Promise<void> {
    const { attachment, clock, log, handlers } = this.#options;
    const client: MediaLinkClient = new MediaLinkClient({
      url: attachment.workerUrl,
      token: this.#token,
      hello: this.#options.hello(),
      nowTicks: this.#options.nowTicks,
      clock,
      log,
      handlers: {
        welcome: (welcome) => this.#onWelcome(client, welcome),
        progress: (progress) => handlers.progress(progress),
        drain: () => handlers.drain(),
        send: handlers.send,
        finished: () => this.#left?.(),
        closed: (code, reason) => {
          if (this.#client === client) this.#onClosed(code, reason);
        },
      },
    });
    this.#connecting = client;
    try {
      await client.connect();
    } finally {
      this.#connecting = undefined;
    }
  }

  #onWelcome(client: MediaLinkClient, welcome: WelcomeMessage): void {
    if (this.#state === 'closed') {
      void client.close(CLOSE.normal, 'done');
      return;
    }
    this.#client = client;
    this.#state = 'open';
    this.#openedAtMs = this.#options.clock.nowMs();
    this.#pingIntervalMs = welcome.pingIntervalMs;
    // Good for the next dial only, and only the last one is (U-14).
    this.#token = welcome.resumeToken ?? this.#options.attachment.token;
    this.#cancelGiveUp?.();
    this.#options.handlers.opened(welcome);
  }

  #onClosed(code: number, reason: string): void {
    this.#client = undefined;
    if (this.#state === 'leaving') this.#left?.();
    if (this.#state !== 'open') return;
    const { clock, handlers, replayWindowMs } = this.#options;
    const livedMs = clock.nowMs() - this.#openedAtMs;
    if (!this.#retry.ended(code, livedMs, this.#pingIntervalMs)) {
      this.#giveUp(`closed_${code}`);
      return;
    }
    this.#options.log.info('media link broke', { code, reason });
    this.#state = 'broken';
    const deadlineMs = clock.nowMs() + Math.max(GIVE_UP_MS, replayWindowMs);
    this.#cancelGiveUp = clock.at(deadlineMs, () => this.#giveUp('unreachable'));
    handlers.interrupted();
    void this.#reconnect();
  }

  /** Gives up, unless another link has taken over or the call is left. */
  #giveUp(detail: string): void {
    if (this.#state !== 'open' && this.#state !== 'broken') return;
    void this.close();
    this.#options.handlers.failed(detail);
  }

  async #reconnect(): Promise<void> {
    const { clock, random } = this.#options;
    while (this.#state === 'broken') {
      await delay(clock, this.#retry.nextDelayMs(random()));
      if (this.#state !== 'broken') return;
      try {
        return await this.#connect();
      } catch (error) {
        const code = error instanceof CodedError ? error.code : 'unreachable';
        if (FINAL_REFUSALS.has(code)) this.#giveUp(code);
      }
    }
  }
}

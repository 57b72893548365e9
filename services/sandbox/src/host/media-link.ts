import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs, CodedError, delay } from '@earshot/async';
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

/** A broken link is tried again for as long as frames can be kept. */
const RECONNECT_MS = 30_000;
const RETRY = { baseMs: 100, maxMs: 3_000 } as const;
/** The worker has to publish what it heard before it says `finished`. */
const FINISH_DEADLINE_MS = 30_000;

/** The token or this program is at fault: no other attempt with them can succeed. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([
  CLOSE.unauthorized,
  CLOSE.unsupportedVersion,
]);
/** The worker does not want the call any more: signaling has to say who does. */
const ELSEWHERE_CLOSE_CODES: ReadonlySet<number> = new Set([
  CLOSE.goingAway,
  CLOSE.conflict,
  CLOSE.draining,
]);

/** Where signaling wants a call's audio to go. */
export interface Attachment {
  readonly workerUrl: string;
  readonly token: string;
  readonly epoch: number;
}

export interface MediaLinkOptions {
  readonly attachment: Attachment;
  readonly clock: Clock;
  /** A number in [0, 1) for jitter. */
  readonly random: () => number;
  readonly log: Log;
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
  /** The connection broke; it is tried again. */
  interrupted(): void;
  /** The link is over and won't be tried again. */
  failed(detail: string): void;
}

/** The way of one call's audio to one worker: connects, and after a break connects again. */
export class MediaLink {
  readonly #options: MediaLinkOptions;
  #client: MediaLinkClient | undefined;
  #connecting: MediaLinkClient | undefined;
  #state: 'open' | 'broken' | 'leaving' | 'closed' = 'broken';
  #brokenSinceMs = 0;
  #cancelWait: Cancel | undefined;
  #left: (() => void) | undefined;

  constructor(options: MediaLinkOptions) {
    this.#options = options;
  }

  /** The connection that frames may be sent on now. */
  get outlet(): MediaLinkClient | undefined {
    return this.#state === 'open' ? this.#client : undefined;
  }

  /** @throws CodedError when the worker can't be reached or refuses. */
  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
  }

  send(message: MediaHostMessage): void {
    this.outlet?.send(message);
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
    this.#cancelWait?.();
    const client = this.#client ?? this.#connecting;
    this.#client = undefined;
    this.#left?.();
    await client?.close(CLOSE.normal, 'done');
  }

  async #connect(): Promise<void> {
    const { attachment, clock, log, handlers } = this.#options;
    const client: MediaLinkClient = new MediaLinkClient({
      url: attachment.workerUrl,
      token: attachment.token,
      hello: this.#options.hello(),
      nowTicks: this.#options.nowTicks,
      clock,
      log,
      handlers: {
        welcome: (welcome) => this.#onWelcome(client, welcome),
        progress: (progress) => handlers.progress(progress),
        drain: () => handlers.drain(),
        finished: () => this.#left?.(),
        closed: (code) => {
          if (this.#client === client) this.#onClosed(code);
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
    this.#options.handlers.opened(welcome);
  }

  #onClosed(code: number): void {
    this.#client = undefined;
    if (this.#state === 'leaving') this.#left?.();
    if (this.#state !== 'open') return;
    if (FINAL_CLOSE_CODES.has(code)) {
      this.#fail(`closed_${code}`);
      return;
    }
    const { clock, handlers } = this.#options;
    this.#state = 'broken';
    this.#brokenSinceMs = clock.nowMs();
    handlers.interrupted();
    if (!ELSEWHERE_CLOSE_CODES.has(code)) void this.#reconnect();
    else {
      const deadlineMs = clock.nowMs() + RECONNECT_MS;
      this.#cancelWait = clock.at(deadlineMs, () => this.#fail(`closed_${code}`));
    }
  }

  /** Gives up, unless another link has taken over or the call is left. */
  #fail(detail: string): void {
    if (this.#state !== 'open' && this.#state !== 'broken') return;
    this.#state = 'closed';
    this.#options.handlers.failed(detail);
  }

  async #reconnect(): Promise<void> {
    const { clock, random } = this.#options;
    for (let attempt = 0; this.#state === 'broken'; attempt += 1) {
      await delay(clock, backoffDelayMs(attempt, random(), RETRY));
      if (this.#state !== 'broken') return;
      try {
        return await this.#connect();
      } catch (error) {
        if (this.#state !== 'broken') return;
        const code = error instanceof CodedError ? error.code : 'unreachable';
        const isLate = clock.nowMs() - this.#brokenSinceMs > RECONNECT_MS;
        if (code === 'unauthorized' || isLate) this.#fail(code);
      }
    }
  }
}

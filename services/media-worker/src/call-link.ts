import type { Cancel, Clock } from '@earshot/async';
import type {
  MediaControlMessage,
  MediaLinkHandlers,
  MediaLinkOpening,
  MediaLinkSession,
} from '@earshot/bridge';
import type { FrameCursor, WorkerMessage } from '@earshot/bridge-protocol';
import { CLOSE } from '@earshot/bridge-protocol';
import type { WorkerLog } from './log.js';
import type { StopReason } from './stop-reason.js';
import { CLOSED_AS } from './stop-reason.js';

export interface CallLinkOptions {
  readonly callId: string;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** How long the call is kept without a link, and a link has to open its streams, ms. */
  readonly graceMs: number;
  /** The call ends: no link may open any more, and none is waited for. */
  isEnding(): boolean;
  /** A link opened, the first or another; gives what its host is to be told. */
  onOpen(session: MediaLinkSession): MediaLinkOpening;
  onFrames(cursor: FrameCursor): void;
  onMessage(message: MediaControlMessage): void;
  /** The link is gone. */
  onLost(): void;
  /** Streams that the present link did not open are not to be opened any more. */
  onSettled(): void;
  /** No host came back within the grace; `awaitHost` gives it another one. */
  onAway(): void;
  /** The host was asked to leave, and can't come back: there is no link any more. */
  onLeft(): void;
}

/**
 * The media link of one call, over all its breaks: the newest one counts, and an older one is closed.
 * Without a link a host is waited for, from the beginning on.
 */
export class CallLink {
  readonly #options: CallLinkOptions;
  #session: MediaLinkSession | undefined;
  #hostAtMs = 0;
  #isLeaving = false;
  #cancelGrace: Cancel = () => {};
  #cancelSettling: Cancel = () => {};

  constructor(options: CallLinkOptions) {
    this.#options = options;
    this.awaitHost();
  }

  get isUp(): boolean {
    return this.#session !== undefined;
  }

  /** Its host was asked to take the call elsewhere. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** When anything came over it last, on the worker's clock. */
  get hostAtMs(): number {
    return this.#hostAtMs;
  }

  /** The handlers of a new link; once it opens, a link before it is closed. */
  attach(): MediaLinkHandlers {
    let own: MediaLinkSession | undefined;
    const isCurrent = (): boolean => own !== undefined && own === this.#session;
    return {
      open: (session) => {
        own = session;
        return this.#up(session);
      },
      frames: (cursor) => {
        if (!isCurrent()) return;
        this.#heard();
        this.#options.onFrames(cursor);
      },
      message: (message) => {
        if (!isCurrent()) return;
        this.#heard();
        this.#options.onMessage(message);
      },
      pinged: () => {
        if (isCurrent()) this.#heard();
      },
      closed: (code) => {
        if (isCurrent()) this.#down(code);
      },
    };
  }

  /** Nothing while there is no link. */
  send(message: WorkerMessage): void {
    this.#session?.send(message);
  }

  close(code: number, reason: string): void {
    this.#session?.close(code, reason);
  }

  /** Tells the host that all it sent is done with, or why it is not, and closes. */
  finish(reason: StopReason): void {
    const closedAs = CLOSED_AS[reason];
    if (closedAs !== undefined) {
      this.close(closedAs.code, closedAs.reason);
      return;
    }
    this.send({ type: 'finished' });
    this.close(CLOSE.normal, 'finished');
  }

  /** Asks the host to take the call elsewhere; one that is away can't come back here. */
  askToLeave(reason: string): void {
    this.#isLeaving = true;
    if (this.isUp) this.send({ type: 'drain', reason });
    else this.#options.onLeft();
  }

  /** Waits for a host, for the grace. */
  awaitHost(): void {
    this.#cancelGrace = this.#afterGrace(() => this.#options.onAway());
  }

  /** Nobody is waited for any more. */
  stopWaiting(): void {
    this.#cancelGrace();
    this.#cancelSettling();
  }

  #up(session: MediaLinkSession): MediaLinkOpening {
    if (this.#options.isEnding()) {
      session.close(CLOSE.conflict, 'call_ending');
      return { resume: [] };
    }
    this.stopWaiting();
    this.close(CLOSE.conflict, 'replaced');
    this.#session = session;
    this.#cancelSettling = this.#afterGrace(() => this.#options.onSettled());
    return this.#options.onOpen(session);
  }

  #down(code: number): void {
    const { callId, log, isEnding, onLost, onLeft } = this.#options;
    this.#session = undefined;
    onLost();
    if (isEnding()) return;
    log.warn('media link lost', { callId, code });
    this.#cancelSettling();
    if (this.#isLeaving) onLeft();
    else this.awaitHost();
  }

  #heard(): void {
    this.#hostAtMs = this.#options.clock.nowMs();
  }

  #afterGrace(run: () => void): Cancel {
    const { clock, graceMs } = this.#options;
    return clock.at(clock.nowMs() + graceMs, run);
  }
}

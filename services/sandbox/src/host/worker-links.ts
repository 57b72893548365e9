import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { WayBackHandlers } from '@earshot/bridge';
import type {
  ByeMessage,
  HelloMessage,
  ProgressMessage,
  WelcomeMessage,
} from '@earshot/bridge-protocol';
import type { Log } from '@earshot/telemetry';
import type { Attachment } from './media-link.js';
import { MediaLink } from './media-link.js';

export interface WorkerLinksOptions {
  readonly clock: Clock;
  /** A number in [0, 1) for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly replayWindowMs: number;
  hello(attachment: Attachment): HelloMessage;
  /** The host's media clock. */
  nowTicks(): bigint;
  readonly handlers: WorkerLinksHandlers;
}

/** Told of the link in use only, but for progress, which one that is left tells too. */
export interface WorkerLinksHandlers {
  opened(link: MediaLink, welcome: WelcomeMessage): void;
  progress(progress: ProgressMessage, epoch: number): void;
  drain(): void;
  readonly send: WayBackHandlers;
  /** The connection is gone, or about to be left: nothing more comes or goes on it. */
  gone(): void;
  /** It broke, and is tried again; after `gone`. */
  interrupted(): void;
  /** It won't be tried again, but for another attachment; after `gone`. */
  failed(detail: string): void;
}

/** The links of one media session to its workers, one after the other (H-9, H-10). */
export class WorkerLinks {
  readonly #options: WorkerLinksOptions;
  #link: MediaLink | undefined;
  /** Dialled for the same epoch, while `#link` goes on. */
  #nextLink: MediaLink | undefined;
  #attachedEpoch = -1;
  /** Resolved once the workers that were left are done with what they got. */
  #left: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(options: WorkerLinksOptions) {
    this.#options = options;
  }

  /** The link in use, whether it is open or broken. */
  get current(): MediaLink | undefined {
    return this.#link;
  }

  /**
   * Goes to a worker, and away from the one before.
   *
   * @throws CodedError `stale_epoch`, `media_ended`; another when the worker can't be reached or refuses.
   */
  async attach(attachment: Attachment): Promise<void> {
    this.#requireWanted(attachment);
    const isSame = attachment.epoch === this.#attachedEpoch;
    this.#attachedEpoch = attachment.epoch;
    if (!isSame) this.#leave('reattach');
    // However often it is attached meanwhile: the next worker's epoch would keep out what it still tells.
    await this.#left;
    // It may take its time to let go: meanwhile a newer one was named, or the call ended.
    this.#requireWanted(attachment);
    this.#dropNext();
    const link = this.#create(attachment);
    // No bye to the same attachment, which would end it: the worker replaces the link (O-13).
    if (this.#link === undefined) this.#link = link;
    else this.#nextLink = link;
    try {
      await link.open();
    } catch (error) {
      if (this.#link === link) this.#link = undefined;
      if (this.#nextLink === link) this.#nextLink = undefined;
      this.#requireWanted(attachment);
      throw error;
    }
  }

  /** Says good-bye for good; resolves once the worker is done with what it got. */
  async end(reason: ByeMessage['reason']): Promise<void> {
    this.#isOver = true;
    this.#leave(reason);
    await this.#left;
  }

  /** Ends all at once, with a bye that waits for no answer. */
  async shutDown(): Promise<void> {
    this.#isOver = true;
    this.#link?.send({ type: 'bye', reason: 'shutdown' });
    await Promise.all([this.#link?.close(), this.#nextLink?.close()]);
  }

  #leave(reason: ByeMessage['reason']): void {
    this.#dropNext();
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    this.#options.handlers.gone();
    this.#left = Promise.all([this.#left, link.leave(reason)]);
  }

  #dropNext(): void {
    void this.#nextLink?.close();
    this.#nextLink = undefined;
  }

  #requireWanted({ epoch }: Attachment): void {
    if (this.#isOver) throw mediaEnded();
    if (epoch < this.#attachedEpoch) throw staleEpoch(epoch, this.#attachedEpoch);
  }

  #create(attachment: Attachment): MediaLink {
    const { hello, nowTicks, handlers, ...rest } = this.#options;
    const isCurrent = (): boolean => this.#link === link;
    const link: MediaLink = new MediaLink({
      ...rest,
      attachment,
      nowTicks,
      hello: () => hello(attachment),
      handlers: {
        opened: (welcome) => this.#onOpened(link, welcome),
        progress: (progress) => handlers.progress(progress, attachment.epoch),
        drain: () => {
          if (isCurrent()) handlers.drain();
        },
        send: {
          frames: (cursor) => {
            if (isCurrent()) handlers.send.frames(cursor);
          },
          message: (message) => {
            if (isCurrent()) handlers.send.message(message);
          },
        },
        interrupted: () => {
          if (!isCurrent()) return;
          handlers.gone();
          handlers.interrupted();
        },
        failed: (detail) => this.#onFailed(link, detail),
      },
    });
    return link;
  }

  #onOpened(link: MediaLink, welcome: WelcomeMessage): void {
    if (this.#nextLink === link) {
      this.#nextLink = undefined;
      void this.#link?.close();
      this.#link = link;
    }
    if (this.#link === link) this.#options.handlers.opened(link, welcome);
    else void link.close();
  }

  #onFailed(link: MediaLink, detail: string): void {
    if (this.#link !== link) return;
    this.#link = this.#nextLink;
    this.#nextLink = undefined;
    this.#options.handlers.gone();
    if (this.#link === undefined) this.#options.handlers.failed(detail);
  }
}

function mediaEnded(): CodedError {
  return new CodedError(
    'media_ended',
    'Cannot attach: the media session must not be over, it ended meanwhile',
  );
}

function staleEpoch(epoch: number, attached: number): CodedError {
  return new CodedError(
    'stale_epoch',
    `Cannot attach: the epoch must not be below ${attached}, got ${epoch}`,
  );
}

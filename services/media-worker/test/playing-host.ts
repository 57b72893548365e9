import { systemClock } from '@earshot/async/system';
import { MediaLinkClient } from '@earshot/bridge';
import type { ByeMessage, SendCapability, WelcomeMessage } from '@earshot/bridge-protocol';
import type { SendLink } from '../src/play/send-stream.js';
import { ModelHost } from './model-host.js';

const MEDIA_EPOCH_TICKS = '638000000000000000';
const QUIET = { info() {}, warn() {} };

export interface Attachment {
  readonly url: string;
  readonly callId: string;
  readonly epoch: number;
  readonly token: string;
}

/** A media host that plays, over real links, when the test says so. */
export class PlayingHost {
  readonly model: ModelHost;
  welcome: WelcomeMessage | undefined;
  readonly #send: SendCapability | undefined;
  readonly #watchers = new Set<() => void>();
  #client: MediaLinkClient | undefined;
  #attachment: Attachment | undefined;
  #closed: Promise<number> = Promise.resolve(0);

  constructor({ bufferFrames = 100, canPlay = true } = {}) {
    this.model = new ModelHost(bufferFrames);
    this.#send = canPlay ? { codecs: ['opus'], maxStreams: 1, bufferFrames } : undefined;
  }

  /** Resolves with the code when the link is closed. */
  get closed(): Promise<number> {
    return this.#closed;
  }

  async attach(attachment: Attachment): Promise<this> {
    this.#attachment = attachment;
    this.welcome = undefined;
    return this.#dial(attachment.token);
  }

  /** Dials again after a break. */
  redial(): Promise<this> {
    return this.#dial(this.welcome?.resumeToken ?? this.#attachment?.token ?? '');
  }

  /** Breaks the link. */
  async cut(): Promise<void> {
    await this.#client?.close(4999, 'test_break');
    this.model.cut();
  }

  async bye(reason: ByeMessage['reason']): Promise<void> {
    this.#client?.send({ type: 'bye', reason });
    await this.#closed;
  }

  /** Plays up to `count` frames that are there, and tells of it. */
  play(count: number): void {
    this.model.play(count);
    this.#tell();
  }

  /** Plays whatever comes until `condition` holds. */
  async playUntil(condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.play(20);
      await new Promise(setImmediate);
    }
  }

  /** Resolves when `condition` holds; looked at whenever the worker says something. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  async #dial(token: string): Promise<this> {
    const { url, callId, epoch } = this.#attachment ?? { url: '', callId: '', epoch: 0 };
    let closed: (code: number) => void = () => {};
    this.#closed = new Promise((resolve) => {
      closed = resolve;
    });
    const link: SendLink = this.model.link();
    const client = new MediaLinkClient({
      url,
      token,
      clock: systemClock,
      log: QUIET,
      hello: {
        type: 'hello',
        version: 1,
        callId,
        mediaId: 'm_1',
        epoch,
        mediaEpochTicks: MEDIA_EPOCH_TICKS,
        clockNowTicks: MEDIA_EPOCH_TICKS,
        replayWindowMs: 0,
        ...(this.#send === undefined ? {} : { send: this.#send }),
      },
      handlers: {
        welcome: (message) => {
          this.welcome = message;
        },
        progress() {},
        drain() {},
        finished() {},
        send: {
          frames: (cursor) => {
            link.sendFrames(cursor.bytes);
            this.#take();
          },
          message: (message) => {
            link.send(message);
            this.#take();
          },
        },
        closed: (code) => closed(code),
      },
    });
    this.#client = client;
    await client.connect();
    return this;
  }

  #take(): void {
    this.model.read(1);
    this.#tell();
    for (const watch of [...this.#watchers]) watch();
  }

  #tell(): void {
    for (const message of this.model.said(1000)) this.#client?.send(message);
  }
}

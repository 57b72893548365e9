import { systemClock } from '@earshot/async/system';
import { MediaLinkClient } from '@earshot/bridge';
import type {
  ByeMessage,
  HelloMessage,
  MediaHostMessage,
  ProgressMessage,
  StreamOpenMessage,
  WelcomeMessage,
} from '@earshot/bridge-protocol';
import { CODEC, FrameBatchWriter, splitTicks } from '@earshot/bridge-protocol';

const MEDIA_EPOCH_TICKS = 638_000_000_000_000_000n;
const QUIET = { info() {}, warn() {} };

/** Packets, with `null` where a frame slot is lost on the way to the worker. */
export type Track = readonly (Uint8Array | null)[];

export interface TestHostOptions {
  readonly url: string;
  readonly token: string;
  readonly callId: string;
  readonly epoch: number;
  readonly hello?: Partial<HelloMessage>;
}

interface OpenStream {
  readonly codec: number;
  firstSequence: number;
  /** Media time of the first frame. */
  startMs: number;
  next: number;
  received: number;
  durable: number;
  lost: number;
  dropped: number;
}

/** A media host's end of one link, as the sandbox's, but under the test's hand. */
export class TestHost {
  readonly client: MediaLinkClient;
  readonly finished: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  drained = false;
  /** How its link was closed, once it is. */
  closedAs: { code: number; reason: string } | undefined;
  welcome: WelcomeMessage | undefined;
  readonly #streams = new Map<number, OpenStream>();
  readonly #watchers = new Set<() => void>();
  readonly #writer = new FrameBatchWriter();
  #creditFrames = 0;

  constructor({ url, token, callId, epoch, hello }: TestHostOptions) {
    const finished = deferred<void>();
    const closed = deferred<{ code: number; reason: string }>();
    this.finished = finished.promise;
    this.closed = closed.promise;
    this.client = new MediaLinkClient({
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
        mediaEpochTicks: String(MEDIA_EPOCH_TICKS),
        clockNowTicks: String(MEDIA_EPOCH_TICKS),
        replayWindowMs: 0,
        virtualTime: true,
        ...hello,
      },
      handlers: {
        welcome: (message) => {
          this.welcome = message;
          this.#creditFrames = message.creditFrames;
        },
        progress: (message) => this.#progress(message),
        drain: () => {
          this.drained = true;
          this.#changed();
        },
        finished: () => finished.resolve(),
        closed: (code, reason) => {
          this.closedAs = { code, reason };
          closed.resolve({ code, reason });
          this.#changed();
        },
      },
    });
  }

  async connect(): Promise<this> {
    await this.client.connect();
    return this;
  }

  open(streamId: number, sourceId: string | undefined, more?: Partial<StreamOpenMessage>): void {
    const message: StreamOpenMessage = {
      type: 'streamOpen',
      streamId,
      kind: sourceId === undefined ? 'mixed' : 'unmixed',
      ...(sourceId === undefined ? {} : { sourceId }),
      codec: 'opus',
      sampleRateHz: 16_000,
      firstSequence: 0,
      ...more,
    };
    const { firstSequence, codec } = message;
    this.#streams.set(streamId, {
      codec: CODEC[codec],
      firstSequence,
      startMs: 0,
      next: firstSequence,
      received: firstSequence,
      durable: firstSequence,
      lost: 0,
      dropped: 0,
    });
    this.client.send(message);
  }

  close(streamId: number): void {
    this.client.send({ type: 'streamClose', streamId, nextSequence: this.#stream(streamId).next });
    this.#streams.delete(streamId);
  }

  /** From where the worker needs a stream; undefined where it has no position of it. */
  resumesAt(streamId: number): number | undefined {
    return this.welcome?.resume.find((each) => each.streamId === streamId)?.durableSequence;
  }

  /** Opens a stream where the worker wants it, and sends the rest of the track. */
  async resume(streamId: number, sourceId: string | undefined, track: Track): Promise<void> {
    const firstSequence = this.resumesAt(streamId) ?? 0;
    this.open(streamId, sourceId, { firstSequence });
    this.shiftTime(streamId, firstSequence * 20);
    await this.play({ [streamId]: track.slice(firstSequence) });
  }

  /** Has the stream begin at another time than 0. */
  shiftTime(streamId: number, startMs: number): void {
    this.#stream(streamId).startMs = startMs;
  }

  /** Lets go of a stream without a word to the worker. */
  forget(streamId: number): void {
    this.#streams.delete(streamId);
  }

  send(message: MediaHostMessage): void {
    this.client.send(message);
  }

  /** Sends tracks side by side, frame by frame, and never more than the credit. */
  async play(tracks: Readonly<Record<number, Track>>): Promise<void> {
    const length = Math.max(...Object.values(tracks).map((track) => track.length));
    for (let n = 0; n < length; n += 1) {
      for (const [id, track] of Object.entries(tracks)) {
        if (n < track.length) this.#append(Number(id), track[n] ?? null);
      }
      if (this.#writer.frameCount >= 24) await this.flush();
    }
    await this.flush();
  }

  /** Sends one message without regard to credit. */
  burst(streamId: number, track: Track): void {
    for (const packet of track) this.#append(streamId, packet);
    this.client.sendFrames(this.#writer.finish());
    this.#writer.reset();
  }

  /** Sends what is appended, once there is credit for it; on a closed link it goes nowhere. */
  async flush(): Promise<void> {
    if (this.#writer.frameCount === 0) return;
    const isClosed = (): boolean => this.closedAs !== undefined;
    await this.until(() => isClosed() || this.#mostInFlight() <= this.#creditFrames);
    if (!isClosed()) this.client.sendFrames(this.#writer.finish());
    this.#writer.reset();
  }

  /** Resolves once all that was sent is processed. */
  settled(): Promise<void> {
    return this.until(() => this.#mostInFlight() === 0);
  }

  received(streamId: number): number {
    return this.#stream(streamId).received;
  }

  durable(streamId: number): number {
    return this.#stream(streamId).durable;
  }

  /** Slots that the worker says never came, and frames that it had no room for. */
  losses(streamId: number): { lost: number; dropped: number } {
    const { lost, dropped } = this.#stream(streamId);
    return { lost, dropped };
  }

  /** Has the next frame of a stream be of a later slot. */
  skip(streamId: number, slots: number): void {
    this.#stream(streamId).next += slots;
  }

  /** Ends the call's media, and resolves when the worker has closed the link. */
  async bye(reason: ByeMessage['reason'] = 'callEnded'): Promise<{ code: number }> {
    for (const streamId of [...this.#streams.keys()]) this.close(streamId);
    this.send({ type: 'bye', reason });
    await this.finished;
    return await this.closed;
  }

  /**
   * Resolves when `condition` holds; looked at whenever the worker says something. Rejects when the
   * link is closed before.
   */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const holds = condition();
        if (!holds && this.closedAs === undefined) return;
        this.#watchers.delete(look);
        if (holds) resolve();
        else reject(new Error(`the link was closed: ${JSON.stringify(this.closedAs)}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  #append(streamId: number, packet: Uint8Array | null): void {
    const stream = this.#stream(streamId);
    const sequence = stream.next;
    stream.next += 1;
    if (packet === null) return;
    const mediaTimeMs = stream.startMs + (sequence - stream.firstSequence) * 20;
    const { high, low } = splitTicks(MEDIA_EPOCH_TICKS + BigInt(mediaTimeMs * 10_000));
    const silent = packet.length === 0;
    const codec = silent ? CODEC.silence : stream.codec;
    const fitted = this.#writer.append(
      streamId,
      codec,
      0,
      sequence,
      high,
      low,
      silent ? null : packet,
    );
    if (!fitted) throw new Error('Cannot append: the message is full');
  }

  #progress(message: ProgressMessage): void {
    this.#creditFrames = message.creditFrames;
    for (const { streamId, ...news } of message.streams) {
      const stream = this.#streams.get(streamId);
      if (stream !== undefined) Object.assign(stream, news);
    }
    this.#changed();
  }

  #mostInFlight(): number {
    let most = 0;
    for (const { next, received } of this.#streams.values()) most = Math.max(most, next - received);
    return most;
  }

  #stream(streamId: number): OpenStream {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) throw new Error(`Stream ${streamId} must be open`);
    return stream;
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

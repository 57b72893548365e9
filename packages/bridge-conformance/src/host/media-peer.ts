import { randomBytes } from 'node:crypto';
import type {
  ByeMessage,
  FrameError,
  HelloMessage,
  MediaHostMessage,
  ResumePosition,
  SendCapability,
  StreamOpenMessage,
} from '@earshot/bridge-protocol';
import {
  FrameCursor,
  joinTicks,
  parseMediaHostMessage,
  sequenceDistance,
} from '@earshot/bridge-protocol';
import { Mailbox } from '../mailbox.js';
import { NotApplicable } from '../outcome.js';
import type { WireItem } from '../wire.js';
import { Peer } from './peer.js';

/** A frame as it came. */
export interface HeardFrame {
  readonly streamId: number;
  readonly codec: number;
  readonly flags: number;
  readonly sequence: number;
  readonly captureTicks: bigint;
  readonly payload: Uint8Array;
  readonly atMs: number;
}

/** What a host did on a media link, frame by frame. */
export type HeardItem =
  | { readonly kind: 'message'; readonly message: MediaHostMessage }
  | { readonly kind: 'frame'; readonly frame: HeardFrame }
  | { readonly kind: 'badFrames'; readonly error: FrameError }
  | { readonly kind: 'badText'; readonly fault: string }
  | { readonly kind: 'close' };

/** How the worker's end behaves. */
export interface MediaManner {
  readonly replyMs: number;
  /** False: the rule answers hello itself. @defaultValue true */
  readonly welcomes?: boolean;
  /** @defaultValue 1000 */
  readonly creditFrames?: number;
  /** @defaultValue 1000 */
  readonly pingIntervalMs?: number;
  readonly resume?: readonly ResumePosition[];
  /** Tell `received` as frames come. @defaultValue true */
  readonly acknowledges?: boolean;
  /** A stream of which no frame is acknowledged. */
  readonly holdsBack?: number;
  /** Give a token for the next dial. @defaultValue false */
  readonly renewsToken?: boolean;
  /** Agree on the way back where the host offers it. @defaultValue false */
  readonly sends?: boolean;
  /** Tell `durable` with `received`; else it stays where the stream began. @defaultValue true */
  readonly isDurable?: boolean;
  /** Answer bye by finished and 1000. @defaultValue true */
  readonly finishes?: boolean;
}

interface Stream {
  readonly opened: StreamOpenMessage;
  received: number;
  /** `received` as it was told. */
  told: number;
  durable: number;
}

/** A worker's end of one media link. */
export class MediaPeer extends Peer {
  readonly heard: Mailbox<HeardItem> = new Mailbox(this.clock);
  readonly streams: Map<number, Stream> = new Map();
  /** For the next dial, where `welcome` gives one. */
  readonly resumeToken: string = `rt_${randomBytes(12).toString('base64url')}`;
  readonly #cursor = new FrameCursor();
  #offered: SendCapability | undefined;
  #manner: MediaManner = { replyMs: 0 };

  begin(manner: MediaManner): void {
    this.#manner = manner;
    void this.run();
  }

  get frames(): HeardFrame[] {
    return this.heard.items.flatMap((item) => (item.kind === 'frame' ? [item.frame] : []));
  }

  get texts(): MediaHostMessage[] {
    return this.heard.items.flatMap((item) => (item.kind === 'message' ? [item.message] : []));
  }

  /** @throws NotApplicable when the host says none. */
  async hello(): Promise<HelloMessage> {
    const hello = await this.message((m): m is HelloMessage => m.type === 'hello');
    if (hello !== undefined) return hello;
    throw new NotApplicable('the host says no valid hello', 'O-1.media');
  }

  /** The first message that matches. */
  async message<Found extends MediaHostMessage>(
    matches: (message: MediaHostMessage) => message is Found,
    withinMs: number = this.#manner.replyMs,
  ): Promise<Found | undefined> {
    const item = await this.heard.find(
      (heard) => heard.kind === 'message' && matches(heard.message),
      withinMs,
    );
    return item?.kind === 'message' && matches(item.message) ? item.message : undefined;
  }

  bye(withinMs?: number): Promise<ByeMessage | undefined> {
    return this.message((m): m is ByeMessage => m.type === 'bye', withinMs);
  }

  welcome(changes: object = {}): void {
    const { creditFrames = 1000, pingIntervalMs = 1000, resume = [] } = this.#manner;
    const workerId = 'w_conformance';
    const { renewsToken = false, sends = false } = this.#manner;
    this.say({
      type: 'welcome',
      version: 1,
      workerId,
      creditFrames,
      pingIntervalMs,
      resume,
      ...(renewsToken ? { resumeToken: this.resumeToken } : {}),
      ...(sends && this.#offered !== undefined ? { send: true } : {}),
      ...changes,
    });
  }

  /** Waits until `count` frames have come on this link; false when they don't. */
  async hasFrames(count: number, withinMs: number): Promise<boolean> {
    const isThere = (): boolean => this.frames.length >= count;
    return (await this.heard.find(isThere, withinMs)) !== undefined;
  }

  /** Changes how it behaves from now on. */
  change(manner: Partial<MediaManner>): void {
    this.#manner = { ...this.#manner, ...manner };
  }

  /** Tells how far the streams are. */
  progress(): void {
    const { creditFrames = 1000, isDurable = true, holdsBack } = this.#manner;
    const streams = Array.from(this.streams, ([streamId, stream]) => {
      if (streamId !== holdsBack) stream.told = stream.received;
      if (isDurable) stream.durable = stream.told;
      return { streamId, received: stream.told, durable: stream.durable };
    });
    this.say({ type: 'progress', streams, creditFrames });
  }

  protected receive(item: WireItem): void {
    if (item.kind === 'text') this.#text(item.text);
    else if (item.kind === 'binary') this.#binary(item.bytes, item.atMs);
    else this.heard.push({ kind: 'close' });
  }

  #text(text: string): void {
    const parsed = parseMediaHostMessage(text);
    if (!parsed.ok) {
      if (parsed.code !== 'unsupported_type') {
        this.heard.push({ kind: 'badText', fault: `${parsed.code}: ${parsed.detail}` });
      }
      return;
    }
    this.#answer(parsed.message);
    this.heard.push({ kind: 'message', message: parsed.message });
  }

  #answer(message: MediaHostMessage): void {
    const { welcomes = true, finishes = true } = this.#manner;
    if (message.type === 'streamOpen') {
      const { streamId, firstSequence } = message;
      const known = this.#manner.resume?.find((r) => r.streamId === streamId);
      const start = known?.durableSequence ?? firstSequence;
      const positions = { received: start, told: start, durable: start };
      this.streams.set(streamId, { opened: message, ...positions });
    }
    if (message.type === 'hello') this.#offered = message.send;
    if (!this.isAnswering) return;
    if (message.type === 'hello' && welcomes) this.welcome();
    if (message.type === 'ping') {
      const { id, clockNowTicks } = message;
      this.say({ type: 'pong', id, clockNowTicks });
    }
    if (message.type === 'bye' && finishes) {
      this.say({ type: 'finished' });
      void this.wire.close(1000, 'finished');
    }
  }

  #binary(bytes: Uint8Array, atMs: number): void {
    const error = this.#cursor.open(bytes);
    if (error !== undefined) {
      this.heard.push({ kind: 'badFrames', error });
      return;
    }
    const cursor = this.#cursor;
    while (cursor.next()) {
      const { streamId, codec, flags, sequence, payloadOffset, payloadLength } = cursor;
      const captureTicks = joinTicks(cursor.ticksHigh, cursor.ticksLow);
      const payload = bytes.subarray(payloadOffset, payloadOffset + payloadLength);
      const stream = this.streams.get(streamId);
      const next = (sequence + 1) >>> 0;
      if (stream !== undefined && sequenceDistance(stream.received, next) > 0) {
        stream.received = next;
      }
      const frame = { streamId, codec, flags, sequence, captureTicks, payload, atMs };
      this.heard.push({ kind: 'frame', frame });
    }
    const { acknowledges = true } = this.#manner;
    if (acknowledges && this.isAnswering) this.progress();
  }
}

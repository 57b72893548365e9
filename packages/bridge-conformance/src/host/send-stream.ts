import { randomBytes } from 'node:crypto';
import type {
  HostSendMessage,
  SendCapability,
  SendOpenedMessage,
  SendStreamProgress,
} from '@earshot/bridge-protocol';
import { CODEC, KIND } from '@earshot/bridge-protocol';
import type { FrameParts } from '../frame-bytes.js';
import { frameMessage, OPUS_SILENCE, PCM_SILENCE } from '../frame-bytes.js';
import { Mismatch, NotApplicable, require } from '../outcome.js';
import type { Attachment } from './attachment.js';
import type { HostSession, HostTest } from './host-test.js';
import type { HeardItem, MediaManner, MediaPeer } from './media-peer.js';

/** So many fit into one message, whatever the codec. */
const FRAMES_PER_MESSAGE = 50;

/** A link on which both sides agreed on the way back. */
export interface SendLink {
  readonly session: HostSession;
  readonly attachment: Attachment;
  readonly peer: MediaPeer;
  readonly offer: SendCapability;
}

export interface SendStreamOptions {
  /** @defaultValue 1 */
  readonly streamId?: number;
  /** @defaultValue one of its own */
  readonly sendId?: string;
  /** @defaultValue one that the host plays */
  readonly codec?: SendCapability['codecs'][number];
  /** @defaultValue 0 */
  readonly firstSequence?: number;
}

/** Something that the host said of a stream, and where in the order of all. */
export interface Told<Message> {
  readonly message: Message;
  readonly index: number;
}

/** A link for the way back. @throws NotApplicable when the host offers none. */
export async function sendLink(
  test: HostTest,
  manner: Partial<MediaManner> = {},
): Promise<SendLink> {
  const link = await test.withAudioExpected({ sends: true, ...manner });
  const { send: offer } = await link.peer.hello();
  if (offer === undefined) throw new NotApplicable('the host offers no send');
  return { ...link, offer };
}

/** A worker's end of a send stream on one link. */
export class SendStream {
  readonly streamId: number;
  readonly sendId: string;
  readonly codec: SendCapability['codecs'][number];
  readonly firstSequence: number;
  /** The next sequence to send. */
  next: number;
  readonly #peer: MediaPeer;
  readonly #replyMs: number;

  constructor(test: HostTest, { peer, offer }: SendLink, options: SendStreamOptions = {}) {
    const { streamId = 1, firstSequence = 0 } = options;
    this.#peer = peer;
    this.#replyMs = test.replyMs;
    this.streamId = streamId;
    this.firstSequence = firstSequence;
    this.next = firstSequence;
    this.sendId = options.sendId ?? `s_${randomBytes(9).toString('base64url')}`;
    // PCM needs no decoder: what does not play then is not for want of one.
    const codec = offer.codecs.includes('pcm16') ? 'pcm16' : (offer.codecs[0] ?? 'opus');
    this.codec = options.codec ?? codec;
  }

  /** Opens a stream, and waits for the host. @throws NotApplicable when it doesn't open it. */
  static async opened(
    test: HostTest,
    link: SendLink,
    options: SendStreamOptions = {},
  ): Promise<SendStream & { readonly credit: number }> {
    const stream = new SendStream(test, link, options);
    stream.open();
    const { nextSequence, creditFrames } = await stream.answer();
    stream.next = nextSequence;
    return Object.assign(stream, { credit: creditFrames });
  }

  open(): void {
    const { streamId, sendId, codec, firstSequence } = this;
    const opening = { streamId, sendId, codec, sampleRateHz: 16_000, firstSequence };
    this.#peer.say({ type: 'sendOpen', ...opening });
  }

  /** The host's `sendOpened`. @throws NotApplicable when none comes. */
  async answer(): Promise<SendOpenedMessage> {
    const told = await this.find('sendOpened');
    if (told !== undefined) return told.message;
    this.#peer.requireOpen();
    const refused = await this.find('sendClosed', { withinMs: 0 });
    const why = refused === undefined ? 'nothing' : `sendClosed ${refused.message.reason}`;
    throw new NotApplicable(`sendOpen was answered by ${why}`, 'W-6');
  }

  /** Sends the next frames, whatever the credit. */
  send(count: number): void {
    for (let left = count; left > 0; left -= FRAMES_PER_MESSAGE) {
      const frames = Array.from({ length: Math.min(left, FRAMES_PER_MESSAGE) }, () => {
        const frame = this.frame(this.next);
        this.next = (this.next + 1) >>> 0;
        return frame;
      });
      this.sendFrames(frames);
    }
  }

  sendFrames(frames: readonly FrameParts[]): void {
    this.#peer.wire.send(frameMessage(frames, { kind: KIND.send }));
  }

  frame(sequence: number): FrameParts {
    const codec = CODEC[this.codec];
    const payload = this.codec === 'opus' ? OPUS_SILENCE : PCM_SILENCE;
    return { streamId: this.streamId, codec, sequence, captureTicks: 0n, payload };
  }

  mark(name: string, sequence: number): void {
    this.#peer.say({ type: 'mark', streamId: this.streamId, name, sequence });
  }

  clear(): void {
    this.#peer.say({ type: 'clear', streamId: this.streamId });
  }

  close(nextSequence: number = this.next): void {
    this.#peer.say({ type: 'sendClose', streamId: this.streamId, nextSequence });
  }

  /** What the host said of this stream of that type, the first from index `from` on. */
  async find<Type extends OfStream['type']>(
    type: Type,
    {
      matches = () => true,
      withinMs = this.#replyMs,
      from = 0,
    }: {
      readonly matches?: (message: Extract<OfStream, { type: Type }>) => boolean;
      readonly withinMs?: number;
      readonly from?: number;
    } = {},
  ): Promise<Told<Extract<OfStream, { type: Type }>> | undefined> {
    const wanted = (item: HeardItem): Extract<OfStream, { type: Type }> | undefined => {
      if (item.kind !== 'message' || item.message.type !== type) return undefined;
      const message = item.message as Extract<OfStream, { type: Type }>;
      return message.streamId === this.streamId && matches(message) ? message : undefined;
    };
    const { heard } = this.#peer;
    const item = await heard.find((one) => wanted(one) !== undefined, withinMs, from);
    const message = item === undefined ? undefined : wanted(item);
    if (item === undefined || message === undefined) return undefined;
    return { message, index: heard.items.indexOf(item) };
  }

  /** As `find`. @throws Mismatch when it doesn't come. */
  async tells<Type extends OfStream['type']>(
    type: Type,
    options: {
      readonly matches?: (message: Extract<OfStream, { type: Type }>) => boolean;
      readonly what?: string;
      readonly from?: number;
    } = {},
  ): Promise<Told<Extract<OfStream, { type: Type }>>> {
    const told = await this.find(type, options);
    if (told !== undefined) return told;
    this.#peer.requireOpen();
    throw new Mismatch(options.what ?? type, this.#lastOf(type));
  }

  /** The `marked` of that name. @throws Mismatch when it doesn't come. */
  marked(name: string, from = 0): Promise<Told<Extract<OfStream, { type: 'marked' }>>> {
    const matches = (message: { readonly name: string }): boolean => message.name === name;
    return this.tells('marked', { matches, what: `marked ${name}`, from });
  }

  /** What `sendProgress` said of this stream, in order. */
  get positions(): SendStreamProgress[] {
    return this.#peer.heard.items.flatMap((item) => this.#positionIn(item) ?? []);
  }

  /**
   * Waits until the host tells of such positions.
   *
   * @throws Mismatch when it does not.
   */
  async reaches(
    expected: string,
    isReached: (position: SendStreamProgress) => boolean,
    from = 0,
  ): Promise<Told<SendStreamProgress>> {
    const { heard } = this.#peer;
    const item = await heard.find(
      (one) => {
        const position = this.#positionIn(one);
        return position !== undefined && isReached(position);
      },
      this.#replyMs,
      from,
    );
    const position = item === undefined ? undefined : this.#positionIn(item);
    if (item !== undefined && position !== undefined) {
      return { message: position, index: heard.items.indexOf(item) };
    }
    this.#peer.requireOpen();
    const last = this.positions.at(-1);
    require(false, expected, last ?? 'no sendProgress of the stream');
  }

  received(sequence: number = this.next): Promise<Told<SendStreamProgress>> {
    return this.reaches(`received ${sequence}`, ({ received }) => received === sequence);
  }

  played(sequence: number = this.next): Promise<Told<SendStreamProgress>> {
    return this.reaches(`played ${sequence}`, ({ played }) => played === sequence);
  }

  #positionIn(item: HeardItem): SendStreamProgress | undefined {
    if (item.kind !== 'message' || item.message.type !== 'sendProgress') return undefined;
    return item.message.streams.find(({ streamId }) => streamId === this.streamId);
  }

  #lastOf(type: string): string {
    const last = this.#peer.texts.findLast((message) => message.type === type);
    return last === undefined ? 'nothing' : JSON.stringify(last);
  }
}

type OfStream = Exclude<HostSendMessage, { readonly type: 'sendProgress' }>;

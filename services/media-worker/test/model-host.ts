import type { HostSendMessage, WorkerSendMessage } from '@earshot/bridge-protocol';
import { FrameCursor, KIND } from '@earshot/bridge-protocol';
import type { SendLink } from '../src/play/send-stream.js';

interface Mark {
  readonly name: string;
  readonly sequence: number;
}

interface Kept {
  readonly sendId: string;
  readonly streamId: number;
  isOpen: boolean;
  received: number;
  /** Every frame before it is over. */
  played: number;
  /** One past the last that was heard. */
  lastHeard: number;
  buffer: number[];
  marks: Mark[];
  /** `received` plus credit, as told. */
  limit: number;
  closeAt: number | undefined;
  isCleared: boolean;
}

/**
 * The host's half of one send stream, by the letter of §8, in steps: what is on its way in either
 * direction waits until the test lets it through, and is lost when the link is cut.
 */
export class ModelHost {
  /** First bytes of the frames that were heard. */
  readonly heard: number[] = [];
  /** Rules that the worker broke. */
  readonly faults: string[] = [];
  /** A `sendClosed` was lost with its link. */
  hasClosedInVain = false;
  readonly #bufferFrames: number;
  readonly #cursor = new FrameCursor(KIND.send);
  #stream: Kept | undefined;
  #inbox: (WorkerSendMessage | Uint8Array)[] = [];
  #outbox: HostSendMessage[] = [];
  #isLinked = false;
  /** The link takes no frames. */
  isBlocked = false;
  /** No credit beyond this. */
  credit = Number.POSITIVE_INFINITY;

  constructor(bufferFrames: number) {
    this.#bufferFrames = bufferFrames;
  }

  /** A send stream is open on the present link. */
  get isOpen(): boolean {
    return this.#stream?.isOpen === true;
  }

  get received(): number {
    return this.#stream?.received ?? 0;
  }

  get isLinked(): boolean {
    return this.#isLinked;
  }

  /** A link; one that was before is cut. */
  link(): SendLink {
    this.cut();
    this.#isLinked = true;
    const inbox = this.#inbox;
    return {
      send: (message) => {
        if (this.#inbox === inbox) inbox.push(message);
      },
      sendFrames: (bytes) => {
        if (this.#inbox !== inbox || this.isBlocked) return false;
        inbox.push(bytes.slice());
        return true;
      },
    };
  }

  cut(): void {
    this.#isLinked = false;
    this.hasClosedInVain ||= this.#outbox.some(({ type }) => type === 'sendClosed');
    this.#inbox = [];
    this.#outbox = [];
    if (this.#stream !== undefined) this.#stream.isOpen = false;
  }

  /** The grace of W-26 is over. */
  forget(): void {
    this.#stream = undefined;
  }

  /** Takes up to `count` messages of the worker. */
  read(count: number): void {
    for (const message of this.#inbox.splice(0, count)) {
      if (message instanceof Uint8Array) this.#frames(message);
      else this.#message(message);
    }
  }

  /** Up to `count` messages for the worker. */
  said(count: number): HostSendMessage[] {
    return this.#outbox.splice(0, count);
  }

  /** Plays up to `count` frames. */
  play(count: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    for (const frame of stream.buffer.splice(0, count)) {
      this.heard.push(frame);
      stream.played += 1;
      stream.lastHeard = stream.played;
    }
    this.#settle(stream);
  }

  #message(message: WorkerSendMessage): void {
    if (message.type === 'sendOpen') {
      this.#open(message.sendId, message.streamId);
      return;
    }
    const stream = this.#stream;
    if (stream?.isOpen !== true || stream.streamId !== message.streamId) return;
    switch (message.type) {
      case 'mark':
        if (!stream.marks.some(({ name }) => name === message.name)) stream.marks.push(message);
        break;
      case 'sendClose':
        stream.closeAt = message.nextSequence;
        break;
      case 'clear':
        this.#clear(stream);
        break;
    }
    this.#settle(stream);
  }

  #open(sendId: string, streamId: number): void {
    if (this.#stream?.isOpen === true) this.faults.push('W-7');
    const kept = this.#stream?.sendId === sendId ? this.#stream : undefined;
    this.#stream = {
      sendId,
      streamId,
      isOpen: true,
      received: kept?.received ?? 0,
      played: kept?.played ?? 0,
      lastHeard: kept?.lastHeard ?? 0,
      buffer: kept?.buffer ?? [],
      marks: [],
      limit: 0,
      closeAt: undefined,
      isCleared: false,
    };
    const { received } = this.#stream;
    const creditFrames = this.#grant(this.#stream);
    this.#say({ type: 'sendOpened', streamId, nextSequence: received, creditFrames });
  }

  #frames(bytes: Uint8Array): void {
    const cursor = this.#cursor;
    const error = cursor.open(bytes);
    if (error !== undefined) this.faults.push(error.code);
    const stream = this.#stream;
    while (error === undefined && cursor.next()) {
      if (stream?.isOpen !== true || stream.streamId !== cursor.streamId) continue;
      if (cursor.sequence >= stream.limit) this.faults.push('W-16');
      if (cursor.sequence !== stream.received) this.faults.push('W-10');
      if (stream.closeAt !== undefined) this.faults.push('W-23');
      stream.received += 1;
      stream.buffer.push(bytes[cursor.payloadOffset] ?? -1);
    }
    cursor.close();
    if (stream !== undefined) this.#settle(stream);
  }

  #clear(stream: Kept): void {
    const { streamId, played: firstSequence } = stream;
    const frames = stream.buffer.length;
    stream.buffer = [];
    stream.played = stream.received;
    stream.isCleared = true;
    for (const { name } of stream.marks)
      this.#say({ ...MARKED, streamId, name, outcome: 'cleared' });
    stream.marks = [];
    this.#say({ type: 'cleared', streamId, firstSequence, frames });
  }

  /** Answers what has come true, and tells of what changed. */
  #settle(stream: Kept): void {
    if (!stream.isOpen) return;
    const { streamId, received, played, closeAt } = stream;
    for (const { name, sequence } of stream.marks) {
      if (played >= sequence) this.#say({ ...MARKED, streamId, name, outcome: 'played' });
    }
    stream.marks = stream.marks.filter(({ sequence }) => played < sequence);
    const creditFrames = this.#grant(stream);
    this.#say({ type: 'sendProgress', streams: [{ streamId, received, played, creditFrames }] });
    if (closeAt === undefined || played < closeAt) return;
    const reason = stream.isCleared ? 'cleared' : 'played';
    this.#say({ type: 'sendClosed', streamId, reason, played: stream.lastHeard });
    this.#stream = undefined;
  }

  #grant(stream: Kept): number {
    const free = Math.min(this.#bufferFrames - stream.buffer.length, this.credit);
    stream.limit = Math.max(stream.limit, stream.received + free);
    return stream.limit - stream.received;
  }

  #say(message: HostSendMessage): void {
    if (this.#isLinked) this.#outbox.push(message);
  }
}

const MARKED = { type: 'marked', clockTicks: '600000' } as const;

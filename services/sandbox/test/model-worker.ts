import type { MediaHostMessage, ProgressMessage, ResumePosition } from '@earshot/bridge-protocol';
import { FrameCursor, sequenceDistance } from '@earshot/bridge-protocol';
import type { StreamOutlet } from '../src/host/host-streams.js';

/** What travels on a link, in order. */
export type WireItem =
  | { readonly kind: 'text'; readonly message: MediaHostMessage }
  | { readonly kind: 'frame'; readonly streamId: number; readonly sequence: number };

/** A link on which things stay until they are taken. */
export class WireOutlet implements StreamOutlet {
  bufferedBytes = 0;
  #items: WireItem[] = [];

  send(message: MediaHostMessage): void {
    this.#items.push({ kind: 'text', message });
  }

  sendFrames(bytes: Uint8Array): boolean {
    const cursor = new FrameCursor();
    if (cursor.open(bytes) !== undefined) throw new Error('The host wrote a bad message');
    while (cursor.next()) {
      this.#items.push({ kind: 'frame', streamId: cursor.streamId, sequence: cursor.sequence });
    }
    return true;
  }

  take(count: number): WireItem[] {
    const taken = this.#items.slice(0, count);
    this.#items = this.#items.slice(taken.length);
    return taken;
  }

  /** Control messages on their way. */
  get texts(): MediaHostMessage[] {
    return this.#items.flatMap((item) => (item.kind === 'text' ? [item.message] : []));
  }

  /** Frames of a stream on their way. */
  framesOf(streamId: number): number[] {
    return this.#items.flatMap((item) =>
      item.kind === 'frame' && item.streamId === streamId ? [item.sequence] : [],
    );
  }

  /** First sequences of the openings of a stream on their way. */
  opened(streamId: number): number[] {
    return this.texts.flatMap((message) =>
      message.type === 'streamOpen' && message.streamId === streamId ? [message.firstSequence] : [],
    );
  }
}

interface ModelStream {
  isOpen: boolean;
  isClosed: boolean;
  received: number;
  durable: number;
  lost: number;
}

/** Counts slots word for word as §6 has it: the oracle of what the host counts. */
export class ModelWorker {
  readonly #streams = new Map<number, ModelStream>();
  /** Whether `discarded` moves `received`, or only the next frame does. Either is allowed. */
  readonly #heedsDiscarded: boolean;
  readonly #stored: ReadonlyMap<number, number>;

  constructor(heedsDiscarded: boolean, stored: ReadonlyMap<number, number> = new Map()) {
    this.#heedsDiscarded = heedsDiscarded;
    this.#stored = stored;
  }

  /** Durable positions, for another worker. */
  stored(): Map<number, number> {
    const stored = new Map(this.#stored);
    for (const [streamId, { durable }] of this.#streams) stored.set(streamId, durable);
    return stored;
  }

  resume(): ResumePosition[] {
    const positions = new Map(this.#stored);
    for (const [streamId, { received }] of this.#streams) positions.set(streamId, received);
    return [...positions].map(([streamId, durableSequence]) => ({ streamId, durableSequence }));
  }

  hear(item: WireItem): void {
    if (item.kind === 'frame') this.#reach(this.#open(item.streamId), item.sequence, 1);
    else this.#message(item.message);
  }

  /** A share of what was received is published and stored. */
  settle(share: number): void {
    for (const stream of this.#streams.values()) {
      const slots = sequenceDistance(stream.durable, stream.received);
      stream.durable = (stream.durable + Math.floor(slots * share)) >>> 0;
    }
  }

  linkClosed(): void {
    for (const stream of this.#streams.values()) stream.isOpen = false;
  }

  progress(creditFrames: number): ProgressMessage {
    const streams = [...this.#streams].map(([streamId, { received, durable, lost }]) => ({
      streamId,
      received,
      durable,
      lost,
      dropped: 0,
    }));
    return { type: 'progress', streams, creditFrames };
  }

  #message(message: MediaHostMessage): void {
    if (message.type === 'streamOpen') {
      const { streamId, firstSequence } = message;
      const known = this.#streams.get(streamId);
      if (known?.isOpen) throw new Error('The host opened a stream twice');
      const start = this.#stored.get(streamId) ?? firstSequence;
      const fresh = { isClosed: false, received: start, durable: start, lost: 0 };
      this.#streams.set(streamId, { ...(known ?? fresh), isOpen: true });
    } else if (message.type === 'streamClose') {
      const stream = this.#open(message.streamId);
      this.#reach(stream, message.nextSequence, 0);
      stream.isOpen = false;
      stream.isClosed = true;
    } else if (message.type === 'discarded') {
      const stream = this.#open(message.streamId);
      const end = (message.firstSequence + message.frames) >>> 0;
      if (this.#heedsDiscarded) this.#reach(stream, end, 0);
    }
  }

  #open(streamId: number): ModelStream {
    const stream = this.#streams.get(streamId);
    if (!stream?.isOpen) throw new Error('The host sent to a stream that is not open');
    return stream;
  }

  #reach(stream: ModelStream, sequence: number, frames: number): void {
    const slots = sequenceDistance(stream.received, sequence);
    if (slots + frames <= 0) return;
    stream.lost += slots;
    stream.received = (sequence + frames) >>> 0;
  }
}

import type { StreamOpenMessage } from '@earshot/bridge-protocol';
import { CODEC, LIMITS } from '@earshot/bridge-protocol';
import type {
  ClosedFinding,
  CloseMode,
  Finding,
  MediaEventDraft,
  StreamTotals,
} from '@earshot/media-session';
import { CLOSE_MODE, findingEvent, streamOpenedEvent, sumTotals } from '@earshot/media-session';
import type { StreamPosition } from './call-stream.js';
import { CallStream } from './call-stream.js';
import type { DecodePool } from './decode-pool.js';

export interface CallStreamsOptions {
  readonly callId: string;
  readonly epoch: number;
  /** Ticks at which the call's media clock shows 0, as two halves. */
  readonly mediaEpoch: { readonly high: number; readonly low: number };
  readonly pool: DecodePool;
  /** Tell of progress as it happens. */
  readonly eager: boolean;
  /** Takes the events of all streams, in order. */
  tell(event: MediaEventDraft): void;
}

/** A rule of the link that the host broke. */
export interface LinkFault {
  readonly code: string;
  readonly rule: string;
}

/** The streams of one call's attachment, from their opening until all their frames are heard. */
export class CallStreams {
  readonly #options: CallStreamsOptions;
  readonly #open = new Map<number, CallStream>();
  /** Those open, and those closed whose last frames are not yet processed. */
  readonly #live = new Set<CallStream>();
  /** Those processed to their end, by id, until their host was told that all of them is durable. */
  readonly #ended = new Map<number, CallStream>();
  readonly #closed: ClosedFinding[] = [];
  #openings = 0;
  #allClosed: () => void = () => {};

  constructor(options: CallStreamsOptions) {
    this.#options = options;
  }

  /** Streams not yet processed to their end. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** Streams processed to their end. */
  get closedCount(): number {
    return this.#closed.length;
  }

  /** End of the last frame heard, on the media clock; null when none was. */
  get endMs(): number | null {
    const ends = this.#closed.flatMap(({ endMs }) => (endMs === null ? [] : [endMs]));
    return ends.length === 0 ? null : Math.max(...ends);
  }

  get(streamId: number): CallStream | undefined {
    return this.#open.get(streamId);
  }

  open(): Iterable<CallStream> {
    return this.#open.values();
  }

  /** Those whose positions may still move. */
  *moving(): Iterable<CallStream> {
    yield* this.#live;
    yield* this.#ended.values();
  }

  /** Opens a stream; one that is open already with the same properties goes on. */
  openStream(message: StreamOpenMessage): LinkFault | undefined {
    const existing = this.#open.get(message.streamId);
    if (existing !== undefined && isSameStream(existing, message)) return undefined;
    const fault = this.#faultOf(existing === undefined ? 1 : 0);
    if (fault !== undefined) return fault;
    existing?.close(CLOSE_MODE.end);
    this.#ended.delete(message.streamId);
    this.#add(message);
    return undefined;
  }

  closeStream(streamId: number, nextSequence: number): void {
    this.#open.get(streamId)?.close(CLOSE_MODE.end, nextSequence);
    this.#open.delete(streamId);
  }

  /** Closes all; resolves once their last frames are processed. */
  async closeAll(mode: CloseMode): Promise<void> {
    for (const stream of this.#open.values()) stream.close(mode);
    this.#open.clear();
    if (this.#live.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#allClosed = resolve;
    });
  }

  /** How far the streams are, all of them; undefined when the host knows it all. */
  takePositions(): StreamPosition[] | undefined {
    let hasNews = false;
    for (const stream of this.moving()) {
      if (!stream.hasNews) continue;
      hasNews = true;
      break;
    }
    if (!hasNews) return undefined;
    const positions: StreamPosition[] = [];
    for (const stream of this.moving()) if (this.#isNewest(stream)) positions.push(stream.tell());
    for (const [streamId, stream] of this.#ended) {
      if (stream.isToldDurable) this.#ended.delete(streamId);
    }
    return positions;
  }

  /** What was told before was told to another link. */
  forgetTold(): void {
    for (const stream of this.moving()) stream.forgetTold();
  }

  /** A stream may be opened anew while the one before with its id is still processed. */
  #isNewest(stream: CallStream): boolean {
    return (this.#open.get(stream.identity.streamId) ?? stream) === stream;
  }

  totals(): StreamTotals {
    const live = Array.from(this.#live, (stream) => stream.totals());
    return sumTotals([...this.#closed.map((finding) => finding.totals), ...live]);
  }

  #add(message: StreamOpenMessage): void {
    const { callId, epoch, mediaEpoch, pool, eager, tell } = this.#options;
    const identity = {
      callId,
      epoch,
      streamId: message.streamId,
      ordinal: this.#openings++,
      kind: message.kind,
      sourceId: message.sourceId ?? null,
      codec: message.codec,
    };
    const decode = pool.openStream({
      firstSequence: message.firstSequence,
      codec: CODEC[message.codec],
      eager,
      onFinding: (finding) => this.#found(stream, finding),
    });
    const stream = new CallStream(identity, decode, mediaEpoch);
    this.#open.set(message.streamId, stream);
    this.#live.add(stream);
    tell(streamOpenedEvent(identity));
  }

  /** @param more streams open afterwards than are now */
  #faultOf(more: number): LinkFault | undefined {
    if (this.#open.size + more > LIMITS.maxStreams) {
      return { code: 'too_many_streams', rule: `a call has at most ${LIMITS.maxStreams} streams` };
    }
    if (!this.#options.pool.hasRoom) {
      return { code: 'worker_busy', rule: 'the worker must have room for the stream' };
    }
    return undefined;
  }

  #found(stream: CallStream, finding: Finding): void {
    this.#options.tell(findingEvent(stream.identity, finding));
    if (finding.kind !== 'closed') {
      stream.findings += 1;
      return;
    }
    this.#live.delete(stream);
    stream.isProcessed = true;
    const { streamId } = stream.identity;
    if (stream.isToEnd && this.#isNewest(stream)) this.#ended.set(streamId, stream);
    // Only a stream that failed is open still: what its host sends is a stray from here on.
    if (this.#open.get(streamId) === stream) this.#open.delete(streamId);
    this.#closed.push(finding);
    if (this.#live.size === 0) this.#allClosed();
  }
}

function isSameStream({ identity }: CallStream, message: StreamOpenMessage): boolean {
  return (
    identity.kind === message.kind &&
    identity.codec === message.codec &&
    identity.sourceId === (message.sourceId ?? null)
  );
}

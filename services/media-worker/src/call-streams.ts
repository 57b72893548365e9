import type { ResumePosition, StreamOpenMessage } from '@earshot/bridge-protocol';
import { CODEC, sequenceDistance } from '@earshot/bridge-protocol';
import type { OtherToneKind } from '@earshot/listening';
import type {
  CloseMode,
  Finding,
  MediaEventDraft,
  StreamCheckpoint,
  StreamTotals,
} from '@earshot/media-session';
import {
  CLOSE_MODE,
  findingEvent,
  parseStreamCheckpoint,
  streamOpenedEvent,
  sumTotals,
  WARM_UP_FRAMES,
} from '@earshot/media-session';
import type { StreamPosition } from '@earshot/registry';
import type { StreamMark, StreamNews } from './call-stream.js';
import { CallStream } from './call-stream.js';
import type { DecodePool } from './decode-pool.js';
import type { CallRecognition } from './recognition/call-recognition.js';
import { parseTaskResumes } from './recognition/utterance-trail.js';

export interface CallStreamsOptions {
  readonly callId: string;
  readonly mediaId: string;
  readonly epoch: number;
  /** Ticks at which the call's media clock shows 0, as two halves. */
  readonly mediaEpoch: { readonly high: number; readonly low: number };
  readonly pool: DecodePool;
  readonly recognition: Pick<CallRecognition, 'open'>;
  /** Tell of progress as it happens. */
  readonly eager: boolean;
  /** Frames of each stream that the host may have on their way. */
  readonly creditFrames: number;
  /** Where the attachment before this one left streams, those written last at the end. */
  readonly positions: readonly StreamPosition[];
  /** Told of streams besides digits; `listenForTones` changes them. */
  readonly tones: readonly OtherToneKind[];
  /** Takes the events of all streams, in order. */
  tell(event: MediaEventDraft, streamId: number): void;
}

/** A rule of the link that the host broke. */
export interface LinkFault {
  readonly code: string;
  readonly rule: string;
}

/** What the streams that are over added up to. */
interface Sum {
  streams: number;
  totals: StreamTotals;
  beyondCredit: number;
  /** End of the last frame heard, on the media clock; null when none was. */
  endMs: number | null;
}

/** Most streams remembered of a call; what `welcome` may list. */
const MAX_REMEMBERED = 1024;

/** Of a message that must not be larger than 64 KiB. */
const MAX_NEWS = 512;

type Opening = Pick<StreamOpenMessage, 'streamId' | 'kind' | 'codec' | 'firstSequence'> & {
  readonly sourceId: string | null;
};

/** The streams of one call's attachment, from their opening until all their frames are heard. */
export class CallStreams {
  readonly #options: CallStreamsOptions;
  /** Where earlier attachments left the streams that were not opened in this one. */
  readonly #inherited: Map<number, StreamPosition>;
  readonly #open = new Map<number, CallStream>();
  /** The newest opening of each stream, those closed last at the end. */
  readonly #newest = new Map<number, CallStream>();
  /** Those open, and those closed whose last frames are not yet processed. */
  readonly #live = new Set<CallStream>();
  /** Those over, until their host was told that all of them is durable. */
  readonly #untold = new Set<CallStream>();
  readonly #over: Sum = { streams: 0, totals: sumTotals([]), beyondCredit: 0, endMs: null };
  #openings = 0;
  #tones: readonly OtherToneKind[];
  #allClosed: () => void = () => {};

  constructor(options: CallStreamsOptions) {
    this.#options = options;
    this.#tones = options.tones;
    this.#inherited = new Map(options.positions.map((each) => [each.streamId, each]));
  }

  /** Streams not yet processed to their end. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** Streams processed to their end, and what they added up to. */
  get over(): Readonly<Sum> {
    return this.#over;
  }

  /** Frames that came though the host had no credit for them. */
  get beyondCredit(): number {
    let frames = this.#over.beyondCredit;
    for (const stream of this.#live) frames += stream.beyondCredit;
    return frames;
  }

  get(streamId: number): CallStream | undefined {
    return this.#open.get(streamId);
  }

  open(): Iterable<CallStream> {
    return this.#open.values();
  }

  /** Those open, and those closed of which not all is heard. */
  live(): Iterable<CallStream> {
    return this.#live;
  }

  /** Each stream of which there is a position, with the next sequence needed. */
  resume(): ResumePosition[] {
    const inherited = Array.from(this.#inherited.values(), ({ streamId, durable }) => ({
      streamId,
      durableSequence: durable,
    }));
    const own = Array.from(this.#newest.values(), (stream) => ({
      streamId: stream.identity.streamId,
      // Of a stream that is open, what waits for its turn may be lost with its thread.
      durableSequence: this.#open.has(stream.identity.streamId) ? stream.received : stream.next,
    }));
    return [...inherited, ...own];
  }

  /** What was told before was told to another link, and all is to be opened again. */
  newLink(): void {
    for (const stream of this.#moving()) stream.newLink();
  }

  /** Opens a stream, where it is known from before, there; one that is open goes on. */
  openStream(message: StreamOpenMessage): LinkFault | undefined {
    const opening = { ...message, sourceId: message.sourceId ?? null };
    const known =
      this.#newest.get(message.streamId)?.identity ?? this.#inherited.get(message.streamId);
    if (known !== undefined && !isSameStream(known, opening)) {
      return { code: 'stream_changed', rule: 'a stream must keep kind, source and codec' };
    }
    const existing = this.#open.get(message.streamId);
    if (existing !== undefined) {
      existing.isLinked = true;
      return undefined;
    }
    if (!this.#options.pool.hasRoom) {
      return { code: 'worker_busy', rule: 'the worker must have room for the stream' };
    }
    this.#add(opening);
    return undefined;
  }

  /** From now on these are told besides digits, of all streams. */
  listenForTones(tones: readonly OtherToneKind[]): void {
    this.#tones = tones;
    for (const stream of this.#open.values()) stream.listenForTones(tones);
  }

  closeStream(streamId: number, nextSequence?: number): void {
    const stream = this.#open.get(streamId);
    if (stream === undefined) return;
    stream.close(CLOSE_MODE.end, nextSequence);
    this.#open.delete(streamId);
    this.#remember(stream);
  }

  /** Ends, where they were, those that the present link did not open. */
  endUnopened(): void {
    for (const [streamId, stream] of this.#open) if (!stream.isLinked) this.closeStream(streamId);
    for (const position of this.#inherited.values()) {
      if (position.closed || !this.#options.pool.hasRoom) continue;
      this.#add({ ...position, firstSequence: position.durable });
      this.closeStream(position.streamId);
    }
  }

  /** Closes all that is open; resolves once the last frames are processed. */
  async closeAll(mode: CloseMode): Promise<void> {
    for (const stream of this.#open.values()) stream.close(mode);
    this.#open.clear();
    if (this.#live.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#allClosed = resolve;
    });
  }

  /** What can be stored of streams that moved on. */
  marks(): StreamMark[] {
    const marks: StreamMark[] = [];
    for (const stream of this.#moving()) {
      const mark = this.#isNewest(stream) ? stream.mark() : undefined;
      if (mark !== undefined) marks.push(mark);
    }
    return marks;
  }

  /** How far the streams are, in messages; none when the host knows it all. */
  takeNews(): StreamNews[][] {
    if (!this.#hasNews()) return [];
    const news: StreamNews[] = [];
    for (const stream of this.#moving()) if (this.#isNewest(stream)) news.push(stream.tell());
    for (const stream of this.#untold) {
      if (stream.isToldDurable || !this.#isNewest(stream)) this.#untold.delete(stream);
    }
    return Array.from({ length: Math.ceil(news.length / MAX_NEWS) }, (_, n) =>
      news.slice(n * MAX_NEWS, (n + 1) * MAX_NEWS),
    );
  }

  /** Whether a stream that is open has frames that are not processed. */
  get isBusy(): boolean {
    for (const stream of this.#open.values()) if (stream.isBusy) return true;
    return false;
  }

  /** Whether a stream has `frames` in flight that its host was not told are taken. */
  hasInFlight(frames: number): boolean {
    for (const stream of this.#open.values()) if (stream.inFlight >= frames) return true;
    return false;
  }

  /** Whether a host would learn that `frames` of a stream's credit are free again, or all. */
  hasFreed(frames: number): boolean {
    for (const stream of this.#open.values()) if (stream.freed >= frames) return true;
    return false;
  }

  /** Frames taken by all streams since the last time, and those that were no digital silence. */
  takeSigns(): { readonly frames: number; readonly sounding: number } {
    let frames = 0;
    let sounding = 0;
    for (const stream of this.#live) {
      const signs = stream.takeSigns();
      frames += signs.frames;
      sounding += signs.sounding;
    }
    return { frames, sounding };
  }

  totals(): StreamTotals {
    return sumTotals([this.#over.totals, ...Array.from(this.#live, (stream) => stream.totals())]);
  }

  /** Those whose positions may still move, or are to be told. */
  *#moving(): Iterable<CallStream> {
    yield* this.#live;
    yield* this.#untold;
  }

  #hasNews(): boolean {
    for (const stream of this.#moving()) {
      if (stream.hasNews && this.#isNewest(stream)) return true;
    }
    return false;
  }

  /** A stream may be opened anew while it is still processed as it was open before. */
  #isNewest(stream: CallStream): boolean {
    return this.#newest.get(stream.identity.streamId) === stream;
  }

  #add({ streamId, kind, sourceId, codec, firstSequence: hosts }: Opening): void {
    const { callId, mediaId, epoch, mediaEpoch, pool, recognition, eager, creditFrames, tell } =
      this.#options;
    const before = this.#newest.get(streamId);
    const inherited = this.#inherited.get(streamId);
    const checkpoint = inherited?.closed === false ? checkpointOf(inherited) : undefined;
    const firstSequence = before?.next ?? inherited?.durable ?? hosts;
    const ordinal = this.#openings++;
    const identity = { callId, mediaId, epoch, streamId, ordinal, kind, sourceId, codec };
    const resumes = checkpoint === undefined ? [] : parseTaskResumes(inherited?.utterances);
    const ear = recognition.open(identity, firstSequence, resumes);
    const decode = pool.openStream({
      firstSequence,
      ...(checkpoint === undefined ? {} : { checkpoint }),
      codec: CODEC[codec],
      eager,
      pcm: ear.pcm,
      tones: this.#tones,
      onFinding: (finding) => this.#found(stream, finding),
    });
    const durable = before?.durable ?? firstSequence;
    const stream = new CallStream({
      identity,
      decode,
      ear,
      mediaEpoch,
      creditFrames,
      firstSequence,
      durable,
      before,
    });
    ear.attach({ received: () => stream.received, listen: (pcm) => decode.listen(pcm) });
    this.#inherited.delete(streamId);
    this.#open.set(streamId, stream);
    this.#live.add(stream);
    this.#remember(stream);
    tell(streamOpenedEvent(identity), streamId);
  }

  /** Beyond the bound, of those that are over the ones closed longest are forgotten. */
  #remember(stream: CallStream): void {
    const { streamId } = stream.identity;
    this.#newest.delete(streamId);
    this.#newest.set(streamId, stream);
    for (const { streamId: oldest, closed } of this.#inherited.values()) {
      if (this.#inherited.size + this.#newest.size <= MAX_REMEMBERED) return;
      if (closed) this.#inherited.delete(oldest);
    }
    for (const [oldest, each] of this.#newest) {
      if (this.#inherited.size + this.#newest.size <= MAX_REMEMBERED) return;
      if (!each.isOver) continue;
      this.#newest.delete(oldest);
      this.#untold.delete(each);
    }
  }

  #found(stream: CallStream, finding: Finding): void {
    this.#options.tell(findingEvent(stream.identity, finding), stream.identity.streamId);
    if (finding.kind !== 'closed') return;
    stream.processed(finding.totals);
    this.#live.delete(stream);
    const sum = this.#over;
    sum.streams += 1;
    sum.totals = sumTotals([sum.totals, stream.totals()]);
    sum.beyondCredit += stream.beyondCredit;
    if (finding.endMs !== null) sum.endMs = Math.max(sum.endMs ?? finding.endMs, finding.endMs);
    if (this.#isNewest(stream)) this.#untold.add(stream);
    // Only a stream that failed is open still: what its host sends is a stray from here on.
    const { streamId } = stream.identity;
    if (this.#open.get(streamId) === stream) this.#open.delete(streamId);
    if (this.#live.size === 0) this.#allClosed();
  }
}

function isSameStream(
  known: Pick<Opening, 'kind' | 'sourceId' | 'codec'>,
  opening: Opening,
): boolean {
  return (
    known.kind === opening.kind &&
    known.codec === opening.codec &&
    known.sourceId === opening.sourceId
  );
}

/** Of another version, or further away than a warm-up hears: the stream begins anew at its position. */
function checkpointOf({ checkpoint, durable }: StreamPosition): StreamCheckpoint | undefined {
  const parsed = parseStreamCheckpoint(checkpoint);
  if (parsed === undefined) return undefined;
  const frames = sequenceDistance(durable, parsed.position);
  return frames >= 0 && frames <= WARM_UP_FRAMES ? parsed : undefined;
}

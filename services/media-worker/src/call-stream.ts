import type { FrameCursor } from '@earshot/bridge-protocol';
import { relativeMs, sequenceDistance } from '@earshot/bridge-protocol';
import type { OtherToneKind } from '@earshot/listening';
import type {
  CloseMode,
  StreamCounters,
  StreamIdentity,
  StreamTotals,
} from '@earshot/media-session';
import { CLOSE_MODE, WARM_UP_FRAMES } from '@earshot/media-session';
import type { StreamPosition } from '@earshot/registry';
import type { DecodeStream } from './decode-pool.js';
import { HeldCheckpoints } from './held-checkpoints.js';
import { StallWatch } from './recognition/stall-watch.js';
import type { StreamEar } from './recognition/stream-ear.js';

/** How far a stream is; the positions are the sequence expected next. */
export interface StreamNews {
  readonly streamId: number;
  readonly received: number;
  readonly durable: number;
  readonly lost: number;
  readonly dropped: number;
}

export interface CallStreamOptions {
  readonly identity: StreamIdentity;
  readonly decode: DecodeStream;
  /** What is recognized of it. */
  readonly ear: StreamEar;
  /** Ticks at which the call's media clock shows 0, as two halves. */
  readonly mediaEpoch: { readonly high: number; readonly low: number };
  /** Frames of it that its host may have on their way. */
  readonly creditFrames: number;
  /** Where its frames begin. */
  readonly firstSequence: number;
  /** How far it was durable before it was opened. */
  readonly durable: number;
  /** The same stream, as it was open before in this attachment. */
  readonly before: CallStream | undefined;
}

/** One opening of a stream of a call, as the I/O thread sees it. */
export class CallStream {
  readonly identity: StreamIdentity;
  readonly #counters: StreamCounters;
  readonly #ear: StreamEar;
  readonly #stall = new StallWatch();
  readonly #held = new HeldCheckpoints();
  #keptSettled: number | undefined;
  readonly #epochHigh: number;
  readonly #epochLow: number;
  readonly #creditFrames: number;
  /** Gone once all of it is processed: it holds the ring. */
  #decode: DecodeStream | undefined;
  /** Opened on the present link. */
  isLinked = true;
  /** Frames that came though the host had no credit for them. */
  beyondCredit = 0;
  #before: CallStream | undefined;
  /** Counted while it was open before. */
  #lostBefore = 0;
  #droppedBefore = 0;
  #durable: number;
  /** `settled` as it was stored last. */
  #storedSettled: number;
  #isEndStored = false;
  /** Once all its frames were processed, and all findings of them came. */
  #final: StreamTotals | undefined;
  #closedAs: CloseMode = CLOSE_MODE.open;
  /** Sequence after the newest frame taken, and after the newest slot that the host gave up. */
  #next: number;
  #nextDiscarded: number;
  #duplicates = 0;
  #seenReceived = 0;
  #seenSounding = 0;
  /** From where the host counts what it has in flight. */
  #creditFrom: number;
  /** What the host was told last; no NaN for nothing, after which V8 would compile `tell` ever anew. */
  #toldReceived: number | undefined;
  #toldDurable: number | undefined;

  constructor(options: CallStreamOptions) {
    const { identity, decode, mediaEpoch, firstSequence } = options;
    this.identity = identity;
    this.#decode = decode;
    this.#ear = options.ear;
    this.#counters = decode.counters;
    this.#epochHigh = mediaEpoch.high;
    this.#epochLow = mediaEpoch.low;
    this.#creditFrames = options.creditFrames;
    this.#next = firstSequence;
    this.#nextDiscarded = firstSequence;
    this.#creditFrom = firstSequence;
    this.#durable = options.durable;
    this.#storedSettled = decode.counters.get('settled');
    this.#before = options.before;
    this.#foldBefore();
  }

  get isProcessed(): boolean {
    return this.#final !== undefined;
  }

  /** All that was said in it is told of. */
  get isTold(): boolean {
    return this.#ear.isDone;
  }

  /** Heard to its end here, and not left to another worker. */
  get isOver(): boolean {
    return this.isProcessed && this.#closedAs !== CLOSE_MODE.abandon;
  }

  /** Next sequence expected by the pipeline. */
  get received(): number {
    return this.#counters.get('expected');
  }

  /** Next sequence of which nothing is held by this worker: where it goes on when opened again. */
  get next(): number {
    const { received } = this;
    return sequenceDistance(received, this.#next) > 0 ? this.#next : received;
  }

  /** Next sequence whose past is published and stored as far as it gave events. */
  get durable(): number {
    return this.#durable;
  }

  get levelDbfs(): number {
    return this.#counters.get('levelCentiDbfs') / 100;
  }

  get speaking(): boolean {
    return this.#counters.get('speaking') === 1;
  }

  /** End of the last frame that was heard; undefined before the first. */
  get heardMs(): number | undefined {
    return this.#counters.get('received') > 0 ? this.#counters.get('endMs') : undefined;
  }

  /** What was found in the frames up to there has come. */
  get hasAllFindings(): boolean {
    return this.#decode?.hasAllFindings() !== false;
  }

  /** Frames taken since the last time, and of them those that were no digital silence. */
  takeSigns(): { readonly frames: number; readonly sounding: number } {
    const received = this.#counters.get('received');
    const sounding = this.#counters.get('sounding');
    const signs = {
      frames: (received - this.#seenReceived) >>> 0,
      sounding: (sounding - this.#seenSounding) >>> 0,
    };
    this.#seenReceived = received;
    this.#seenSounding = sounding;
    return signs;
  }

  /** Whether its host does not know yet how far it is. */
  get hasNews(): boolean {
    return this.#tellable !== this.#toldReceived || this.durable !== this.#toldDurable;
  }

  /** Whether its host knows that all of it is over. */
  get isToldDurable(): boolean {
    return this.#isDurable && this.#toldDurable === this.#durable;
  }

  /** Copies the cursor's frame into the ring. Times of `nowMicros`, here and below. */
  push(cursor: FrameCursor, receivedMicros: number): void {
    const decode = this.#decode;
    if (decode === undefined) return;
    const { sequence } = cursor;
    // Not for the pipeline to find out: what is sent again must not push anything out of the ring.
    if (sequenceDistance(this.#next, sequence) < 0) {
      this.#duplicates += 1;
      return;
    }
    this.#next = (sequence + 1) >>> 0;
    if (decode.ring.waiting >= this.#creditFrames) this.beyondCredit += 1;
    const mediaTimeMs = relativeMs(
      cursor.ticksHigh,
      cursor.ticksLow,
      this.#epochHigh,
      this.#epochLow,
    );
    decode.ring.push(
      sequence,
      mediaTimeMs,
      cursor.codec,
      cursor.flags,
      cursor.bytes,
      cursor.payloadOffset,
      cursor.payloadLength,
      receivedMicros,
    );
    decode.touch();
  }

  /** The host gave up slots; what of them it told before, on an earlier link, is left out. */
  discarded(firstSequence: number, frames: number, receivedMicros: number): void {
    const from = later(later(firstSequence, this.#next), this.#nextDiscarded);
    const to = (firstSequence + frames) >>> 0;
    const fresh = sequenceDistance(from, to);
    if (this.#decode === undefined || fresh <= 0) return;
    this.#nextDiscarded = to;
    this.#decode.ring.pushDiscarded(from, fresh, receivedMicros);
    this.#decode.touch();
  }

  /**
   * Looks whether its host sends nothing of it, though it is there; call it about once a second while
   * there is a link.
   *
   * @param hostAtMs when anything came over the link last, on the clock of `nowMs`
   */
  lookForStall(nowMs: number, hostAtMs: number): void {
    const { stallMs } = this.#ear;
    if (!this.isLinked || this.isBusy) this.#stall.restart();
    else if (this.#stall.look(nowMs, this.#next, hostAtMs, stallMs)) this.#ear.stalled();
  }

  /** From now on these are told besides digits. */
  listenForTones(tones: readonly OtherToneKind[]): void {
    this.#decode?.listenForTones(tones);
  }

  /** No frame follows. */
  close(mode: CloseMode, nextSequence?: number): void {
    if (this.#closedAs !== CLOSE_MODE.open) return;
    this.#closedAs = mode;
    if (nextSequence !== undefined) this.#next = later(this.#next, nextSequence);
    this.#decode?.close(mode, nextSequence);
  }

  /** Its last finding came, which says better than the counters what they will show. */
  processed(totals: StreamTotals): void {
    this.#final = totals;
    this.#ear.closed();
    if (this.isOver) this.#decode = undefined;
  }

  /** Frames wait, or are not yet processed. */
  get isBusy(): boolean {
    return sequenceDistance(this.received, this.#next) > 0;
  }

  /** Frames in flight, as the host knows: taken, and not yet told. */
  get inFlight(): number {
    return sequenceDistance(this.#creditFrom, this.#next);
  }

  /** Credit that the host does not know it has again; all there is counts as much as any. */
  get freed(): number {
    const freed = sequenceDistance(this.#creditFrom, this.#tellable);
    return freed > 0 && freed >= this.inFlight ? this.#creditFrames : freed;
  }

  /** What can be stored, now that all findings before it came; undefined: nothing new. */
  mark(): StreamMark | undefined {
    if (!this.#foldBefore()) return undefined;
    if (this.isOver && this.isTold) return this.#isDurable ? undefined : this.#markEnd();
    this.#keepNewest();
    const checkpoint = this.#held.newest(this.#ear.settledMs);
    if (checkpoint === undefined || checkpoint.position === this.#storedSettled) return undefined;
    const warmUpFrom = (checkpoint.position - WARM_UP_FRAMES) >>> 0;
    const durable = later(this.#durable, warmUpFrom);
    const utterances = this.#ear.resumesAt(checkpoint.endMs ?? Number.NEGATIVE_INFINITY);
    const position = { ...this.#stream(), durable, closed: false, checkpoint, utterances };
    return { stream: this, settled: checkpoint.position, position };
  }

  /** A mark of it is published and stored. */
  stored({ settled, position }: StreamMark): void {
    this.#durable = position.durable;
    this.#storedSettled = settled;
    this.#isEndStored = position.closed;
  }

  /** How far it is, which its host knows from here on. */
  tell(): StreamNews {
    const received = this.#tellable;
    const { durable } = this;
    this.#toldReceived = received;
    this.#creditFrom = received;
    this.#toldDurable = durable;
    return {
      streamId: this.identity.streamId,
      received,
      durable,
      lost: this.lost,
      dropped: this.dropped,
    };
  }

  /** A new link knows nothing, and has to open it again. */
  newLink(): void {
    this.isLinked = false;
    this.#stall.restart();
    this.#creditFrom = this.received;
    this.#toldReceived = undefined;
    this.#toldDurable = undefined;
  }

  totals(): StreamTotals {
    const totals = this.#final ?? this.#counters.totals();
    return { ...totals, framesDuplicate: totals.framesDuplicate + this.#duplicates };
  }

  /** Slots that never came, since the start that the attachment had for the stream. */
  get lost(): number {
    const own =
      (this.#final?.framesMissing ?? this.#counters.get('missing')) +
      this.#counters.get('warmedMissing');
    return (this.#lostBefore + (this.#before?.lost ?? 0) + own) >>> 0;
  }

  /** Frames that found no room, since then. */
  get dropped(): number {
    const own = this.#final?.framesDropped ?? this.#counters.get('dropped');
    return (this.#droppedBefore + (this.#before?.dropped ?? 0) + own) >>> 0;
  }

  /** Durable to its end; the counters may show that end later than the last finding comes. */
  get #isDurable(): boolean {
    return this.#isEndStored && this.#durable === this.received;
  }

  /** False while the opening before this one has findings to come: it must not be overtaken. */
  #foldBefore(): boolean {
    if (this.#before === undefined) return true;
    if (!this.#before.isProcessed || !this.#before.isTold) return false;
    this.#lostBefore = this.#before.lost;
    this.#droppedBefore = this.#before.dropped;
    this.#before = undefined;
    return true;
  }

  #keepNewest(): void {
    const settled = this.#counters.get('settled');
    if (settled === this.#keptSettled || settled === this.#storedSettled) return;
    const checkpoint = this.#decode?.checkpoint();
    if (checkpoint === undefined) return;
    this.#keptSettled = checkpoint.position;
    this.#held.keep(checkpoint);
  }

  /** As many of `received` as its host may be told of. */
  get #tellable(): number {
    return this.#ear.cap(this.received);
  }

  #markEnd(): StreamMark {
    const durable = this.received;
    return {
      stream: this,
      settled: durable,
      position: { ...this.#stream(), durable, closed: true },
    };
  }

  #stream(): Pick<StreamPosition, 'streamId' | 'kind' | 'sourceId' | 'codec'> {
    const { streamId, kind, sourceId, codec } = this.identity;
    return { streamId, kind, sourceId, codec };
  }
}

/** Where a stream could go on, to be stored once the events up to there are published. */
export interface StreamMark {
  readonly stream: Pick<CallStream, 'stored'>;
  readonly position: StreamPosition;
  /** Position of the checkpoint, or the end. */
  readonly settled: number;
}

function later(a: number, b: number): number {
  return sequenceDistance(a, b) > 0 ? b : a;
}

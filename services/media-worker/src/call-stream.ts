import type { FrameCursor } from '@earshot/bridge-protocol';
import { relativeMs } from '@earshot/bridge-protocol';
import type { CloseMode, StreamIdentity, StreamTotals } from '@earshot/media-session';
import { CLOSE_MODE } from '@earshot/media-session';
import type { DecodeStream } from './decode-pool.js';

/** How far a stream is; both are the sequence expected next. */
export interface StreamPosition {
  readonly streamId: number;
  readonly received: number;
  readonly durable: number;
}

/** One stream of a call, as the I/O thread sees it. */
export class CallStream {
  readonly identity: StreamIdentity;
  readonly #decode: DecodeStream;
  readonly #epochHigh: number;
  readonly #epochLow: number;
  /** Findings that came from the decode thread so far. */
  findings = 0;
  /** Next expected sequence whose past is in Redis as far as it gave events. */
  durable: number;
  /** All its frames were processed, and all findings of them came. */
  isProcessed = false;
  #closedAs: CloseMode = CLOSE_MODE.open;
  /** What the host was told last. */
  #toldReceived = Number.NaN;
  #toldDurable = Number.NaN;

  /** @param mediaEpoch ticks at which the call's media clock shows 0, as two halves. */
  constructor(
    identity: StreamIdentity,
    decode: DecodeStream,
    mediaEpoch: { readonly high: number; readonly low: number },
  ) {
    this.identity = identity;
    this.#decode = decode;
    this.#epochHigh = mediaEpoch.high;
    this.#epochLow = mediaEpoch.low;
    this.durable = decode.counters.get('expected');
  }

  /** Closed, and not to go on elsewhere. */
  get isToEnd(): boolean {
    return this.#closedAs === CLOSE_MODE.end;
  }

  /** Whether its host does not know yet how far it is. */
  get hasNews(): boolean {
    return this.received !== this.#toldReceived || this.durable !== this.#toldDurable;
  }

  /** Next expected sequence taken by the pipeline. */
  get received(): number {
    return this.#decode.counters.get('expected');
  }

  get levelDbfs(): number {
    return this.#decode.counters.get('levelCentiDbfs') / 100;
  }

  get speaking(): boolean {
    return this.#decode.counters.get('speaking') === 1;
  }

  /** Frames that wait for the decode thread. */
  get waiting(): number {
    return this.#decode.ring.waiting;
  }

  /** Copies the cursor's frame into the ring. Times of `nowMicros`, here and below. */
  push(cursor: FrameCursor, receivedMicros: number): void {
    const mediaTimeMs = relativeMs(
      cursor.ticksHigh,
      cursor.ticksLow,
      this.#epochHigh,
      this.#epochLow,
    );
    this.#decode.ring.push(
      cursor.sequence,
      mediaTimeMs,
      cursor.codec,
      cursor.flags,
      cursor.bytes,
      cursor.payloadOffset,
      cursor.payloadLength,
      receivedMicros,
    );
    this.#decode.touch();
  }

  discarded(firstSequence: number, frames: number, receivedMicros: number): void {
    this.#decode.ring.pushDiscarded(firstSequence, frames, receivedMicros);
    this.#decode.touch();
  }

  /** No frame follows. */
  close(mode: CloseMode, nextSequence?: number): void {
    if (this.#closedAs !== CLOSE_MODE.open) return;
    this.#closedAs = mode;
    this.#decode.close(mode, nextSequence);
  }

  /** Where `durable` may go once all findings up to now are in Redis; undefined: not yet. */
  settled(): number | undefined {
    if (this.isProcessed) return this.received;
    const counters = this.#decode.counters;
    // Position first: the findings read after it are then at least its own.
    const settled = counters.get('settled');
    return this.findings >= counters.get('settledFindings') ? settled : undefined;
  }

  /** How far it is, which its host knows from here on. */
  tell(): StreamPosition {
    this.#toldReceived = this.received;
    this.#toldDurable = this.durable;
    const { streamId } = this.identity;
    return { streamId, received: this.#toldReceived, durable: this.#toldDurable };
  }

  /** Whether its host knows that all of it is over. */
  get isToldDurable(): boolean {
    return this.#toldDurable === this.received;
  }

  /** A new link knows nothing. */
  forgetTold(): void {
    this.#toldReceived = Number.NaN;
    this.#toldDurable = Number.NaN;
  }

  totals(): StreamTotals {
    return this.#decode.counters.totals();
  }
}

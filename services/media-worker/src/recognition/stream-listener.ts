import type { CloseMode } from '@earshot/media-session';
import { CLOSE_MODE, PCM_RECORD, PcmRecord, PcmRing } from '@earshot/media-session';
import type { RecognizerReport } from './recognition-messages.js';
import type { TaskListener } from './task-listener.js';

/** Records taken of one stream in a turn. */
const MAX_RECORDS = 128;

/** How far the stream must have moved on for that to be told. */
const TELL_SETTLED_MS = 200;

export interface StreamListenerOptions {
  readonly handle: number;
  readonly ring: SharedArrayBuffer;
  readonly listeners: readonly TaskListener[];
  /** How long nothing must come for it to stall. */
  readonly stallMs: number;
  nowMs(): number;
  post(report: RecognizerReport): void;
}

/** Reads the ring of one stream and gives what is heard to all that listen to it. */
export class StreamListener {
  readonly listeners: readonly TaskListener[];
  readonly #options: StreamListenerOptions;
  readonly #ring: PcmRing;
  readonly #record = new PcmRecord();
  #closedAs: CloseMode = CLOSE_MODE.open;
  #isFinishing = false;
  #toldSettledMs = Number.NEGATIVE_INFINITY;
  #recordAtMs: number;
  #isStalled = false;

  constructor(options: StreamListenerOptions) {
    this.#options = options;
    this.listeners = options.listeners;
    this.#ring = new PcmRing(options.ring);
    this.#recordAtMs = options.nowMs();
  }

  /** Nothing more is put into the ring: what is in it is the last. */
  finish(): void {
    this.#isFinishing = true;
  }

  /** The stream ended, and all its utterances were told of. */
  get isDone(): boolean {
    return this.#closedAs !== CLOSE_MODE.open && this.listeners.every((each) => each.isIdle);
  }

  /** Takes what there is, within bounds; returns how many records. */
  take(): number {
    let taken = 0;
    while (taken < MAX_RECORDS && this.#closedAs === CLOSE_MODE.open && !this.#isFull) {
      if (!this.#ring.pop(this.#record)) {
        if (this.#isFinishing) this.#close(CLOSE_MODE.end);
        break;
      }
      taken += 1;
      this.#take(this.#record);
    }
    if (taken > 0) this.#recordAtMs = this.#options.nowMs();
    return taken;
  }

  /**
   * The host is there, and sends nothing of the source: what was said is not to wait for what may not
   * come. Where sound came late, or waits to be taken, it does not stall.
   */
  stalled(): void {
    const { nowMs, stallMs } = this.#options;
    if (this.#isStalled || this.#ring.waiting > 0 || nowMs() - this.#recordAtMs < stallMs) return;
    this.#isStalled = true;
    for (const listener of this.listeners) listener.stalled();
  }

  /** Tells how far the stream is, if that is news; to be called when all reports before are posted. */
  tell(): void {
    const beforeMs = Math.min(...this.listeners.map((each) => each.settledMs));
    const { handle, post } = this.#options;
    if (!(beforeMs >= this.#toldSettledMs + TELL_SETTLED_MS)) return;
    this.#toldSettledMs = beforeMs;
    post({ kind: 'settled', handle, beforeMs });
  }

  close(): void {
    for (const listener of this.listeners) listener.close();
  }

  get #isFull(): boolean {
    return this.listeners.some((each) => each.isFull);
  }

  #take(record: PcmRecord): void {
    this.#isStalled = false;
    if (record.kind === PCM_RECORD.closed) {
      const isEnd = record.durationMs === CLOSE_MODE.end;
      this.#closedAs = isEnd ? CLOSE_MODE.end : CLOSE_MODE.abandon;
    }
    for (const listener of this.listeners) listener.take(record);
  }

  #close(mode: CloseMode): void {
    Object.assign(this.#record, { kind: PCM_RECORD.closed, durationMs: mode, droppedBefore: 0 });
    this.#take(this.#record);
  }
}

import { sequenceDistance } from '@earshot/bridge-protocol';

/** What a small host can do wrong on the way back. */
export type SendDefect =
  | 'sendsWithoutAgreement'
  | 'offersLessEachTime'
  | 'opensSendsTwice'
  | 'opensEverySend'
  | 'opensEveryCodec'
  | 'staysOpenOnBadSends'
  | `takes_${string}`
  | 'closesForOddCodecs'
  | 'mindsSendTicks'
  | 'waitsForJumpedSends'
  | 'playsLateSends'
  | 'breaksAtSendWrap'
  | 'closesForStraySends'
  | 'ignoresSendCredit'
  | 'grantsOneLess'
  | 'grantsTooMuch'
  | 'dropsSends'
  | 'tellsProgressLate'
  | 'tellsOneSend'
  | 'playsTwiceAsFast'
  | 'beginsLate'
  | 'beginsWithoutMarks'
  | 'endsAtUnderruns'
  | 'countsNoUnderruns'
  | 'playsOneAfterTheOther'
  | 'marksInOrderOfArrival'
  | 'marksNothingPast'
  | 'marksAtOnce'
  | 'takes65Marks'
  | 'takes63Marks'
  | 'saysClearedFirst'
  | 'playsNothingAfterClear'
  | 'clearsOneMore'
  | 'closesSendsTwice'
  | 'saysPlayedForCleared'
  | 'marksNothingAfterClose'
  | 'closesForUnknownSends'
  | 'keepsClosedSends'
  | 'continuesClosedSends'
  | 'forgetsSends'
  | 'continuesAnySend'
  | 'stopsAtBreaks'
  | 'marksTwice'
  | 'losesMarksAtBreaks'
  | 'endsSendsAtReattach'
  | 'endsSendsInSilence';

/** 200 ms of audio. */
const BEGIN_FRAMES = 10;

export interface SmallSendStreamOptions {
  readonly streamId: number;
  readonly sendId: string;
  readonly firstSequence: number;
  has(defect: SendDefect): boolean;
}

/** A send stream in a small host: which frames wait, and how far it has played. */
export class SmallSendStream {
  readonly sendId: string;
  readonly marks: Map<string, number> = new Map();
  streamId: number;
  /** On the link that is up. */
  isOpen = true;
  received: number;
  played: number;
  /** The first sequence that may not be sent. */
  grantedEnd = 0;
  /** Of `sendClose`. */
  closeAt: number | undefined;
  wasCleared = false;
  /** Kept over the end of a link. */
  wasPaused = false;
  underrunFrames = 0;
  readonly #has: (defect: SendDefect) => boolean;
  readonly #first: number;
  #queue: number[] = [];
  #hasBegun = false;

  constructor({ streamId, sendId, firstSequence, has }: SmallSendStreamOptions) {
    this.streamId = streamId;
    this.sendId = sendId;
    this.received = firstSequence;
    this.played = firstSequence;
    this.#first = firstSequence;
    this.#has = has;
  }

  get buffered(): number {
    return this.#queue.length;
  }

  /** All was played or cleared after `sendClose`. */
  get isOver(): boolean {
    return this.closeAt !== undefined && this.#queue.length === 0;
  }

  isPast(sequence: number): boolean {
    return sequenceDistance(sequence, this.played) >= 0;
  }

  /** A frame that came. */
  take(sequence: number): void {
    const ahead = sequenceDistance(this.received, sequence);
    if (ahead < 0) {
      if (this.#has('playsLateSends')) this.#queue.push(sequence);
      return;
    }
    if (this.wasCleared && this.#has('playsNothingAfterClear')) return;
    if (sequence < this.#first && this.#has('breaksAtSendWrap')) return;
    this.received = (sequence + 1) >>> 0;
    if (!(this.#has('dropsSends') && sequence % 100 === 55)) this.#queue.push(sequence);
  }

  /** Plays 20 ms; false when it has nothing to do with them. */
  play(): boolean {
    const needed = this.#has('beginsLate') ? 2 * BEGIN_FRAMES : BEGIN_FRAMES;
    const isAsked = this.marks.size > 0 && !this.#has('beginsWithoutMarks');
    const hasFrames = this.#queue.length > 0;
    const isReady = this.#queue.length >= needed || (hasFrames && isAsked);
    this.#hasBegun ||= isReady || this.closeAt !== undefined;
    if (!this.#hasBegun) return false;
    const [sequence] = this.#queue;
    if (sequence === undefined) {
      if (this.closeAt === undefined) this.underrunFrames += 1;
      const isShort = this.received <= 2 * BEGIN_FRAMES;
      if (isShort && this.#has('endsAtUnderruns')) this.closeAt = this.received;
      return false;
    }
    const isJump = sequenceDistance(this.played, sequence) > 0;
    if (isJump && this.#has('waitsForJumpedSends')) return false;
    this.#queue.shift();
    this.played = (sequence + 1) >>> 0;
    if (this.#queue.length === 0) this.played = this.received;
    return true;
  }

  clear(): { readonly firstSequence: number; readonly frames: number } {
    const frames = this.#queue.length;
    const firstSequence = this.#queue[0] ?? this.received;
    this.#queue = [];
    this.played = this.received;
    this.wasCleared = true;
    return { firstSequence, frames };
  }

  /** Names of the marks that came true, in the order in which they are answered. */
  reachedMarks(): string[] {
    const marks = [...this.marks];
    if (!this.#has('marksInOrderOfArrival')) marks.sort((a, b) => sequenceDistance(b[1], a[1]));
    const reached: string[] = [];
    for (const [name, sequence] of marks) {
      if (!this.isPast(sequence)) {
        // One that waits holds up those behind it.
        if (this.#has('marksInOrderOfArrival')) break;
        continue;
      }
      reached.push(name);
    }
    return reached;
  }
}

import { PTIME_MS } from '@earshot/audio';
import type {
  FrameCursor,
  HostSendMessage,
  SendOpenMessage,
  SendStreamProgress,
} from '@earshot/bridge-protocol';
import { CODEC, sequenceDistance } from '@earshot/bridge-protocol';
import { SendBuffer } from './send-buffer.js';
import type { SendDecoder } from './send-decoder.js';
import type { AnsweredMark } from './send-marks.js';
import { SendMarks } from './send-marks.js';

/** W-11: the most that is waited for before the first frame is played. */
const START_FRAMES = 200 / PTIME_MS;

/** Why a stream is over (W-22). */
export type SendEnd =
  | 'played'
  | 'cleared'
  | 'too_many_streams'
  | 'unsupported_codec'
  | 'media_inactive'
  | 'media_ended'
  | 'platform_error';

const NO_FRAMES = new SendBuffer(0);
/** No sequence. */
const UNTOLD = -1;

/** A mistake of the worker that closes the link. */
export type SendFault = 'credit_exceeded' | 'too_many_marks';

/** What people and tests are told of a send stream. */
export interface SendStreamState {
  readonly sendId: string;
  /** On the present link; null while no link has it open. */
  readonly streamId: number | null;
  readonly codec: 'opus' | 'pcm16';
  readonly received: number;
  readonly played: number;
  readonly bufferedFrames: number;
  readonly marksWaiting: number;
  readonly framesPlayed: number;
  readonly underrunFrames: number;
  /** Came twice, after a later one, or after `sendClose`. */
  readonly droppedFrames: number;
  /** Of another codec than the stream's, or not decodable: played as silence. */
  readonly corruptFrames: number;
  /** Null while it is open or kept. */
  readonly ended: SendEnd | null;
}

export interface SendStreamOptions {
  readonly open: SendOpenMessage;
  readonly bufferFrames: number;
  readonly decoder: SendDecoder;
  /** The media clock now, in ticks. */
  clockTicks(): string;
  /** Says something to the worker; nothing while no link has the stream open. */
  say(message: HostSendMessage): void;
}

/** One send stream over all its links (§8): what came, what was played, what is to be told. */
export class SendStream {
  readonly sendId: string;
  readonly codec: 'opus' | 'pcm16';
  readonly #options: SendStreamOptions;
  #buffer: SendBuffer;
  readonly #marks = new SendMarks();
  #streamId: number | undefined;
  #received: number;
  /** One past the last frame that was played. */
  #lastPlayed: number;
  /** The frame handed to the platform at the tick before: over at the next. */
  #playing: number | undefined;
  /** Of `sendClose`. */
  #end: number | undefined;
  /** The present link has said `sendClose`: a worker that goes on elsewhere repeats it. */
  #isEndSaid = false;
  #isStarted = false;
  #waitedTicks = 0;
  /** Nothing came since the last `clear`. */
  #isCleared = false;
  #ended: SendEnd | undefined;
  /** `received + creditFrames` as told last: no frame may come at or past it. */
  #toldLimit = 0;
  #toldReceived = UNTOLD;
  #toldPlayed = UNTOLD;
  #framesPlayed = 0;
  #underrunFrames = 0;
  #droppedFrames = 0;
  #corruptFrames = 0;

  constructor(options: SendStreamOptions) {
    this.#options = options;
    this.sendId = options.open.sendId;
    this.codec = options.open.codec;
    this.#buffer = new SendBuffer(options.bufferFrames);
    this.#received = options.open.firstSequence;
    this.#lastPlayed = options.open.firstSequence;
  }

  /** On the present link; undefined while none has it open. */
  get streamId(): number | undefined {
    return this.#streamId;
  }

  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Every frame before it is over. */
  get played(): number {
    if (this.#playing !== undefined) return this.#playing;
    if (this.#buffer.length > 0) return this.#buffer.sequence;
    return this.#received;
  }

  /** A position or the credit is not what the worker was told last. */
  get hasNews(): boolean {
    return this.#received !== this.#toldReceived || this.played !== this.#toldPlayed;
  }

  /** So much became free since it was told last that the worker must know now (W-18). */
  get isUrgent(): boolean {
    const freed = sequenceDistance(this.#toldLimit, this.#limit);
    return freed >= Math.ceil(this.#options.bufferFrames / 4);
  }

  get state(): SendStreamState {
    return {
      sendId: this.sendId,
      streamId: this.#streamId ?? null,
      codec: this.codec,
      received: this.#received,
      played: this.played,
      bufferedFrames: this.#buffer.length,
      marksWaiting: this.#marks.waiting,
      framesPlayed: this.#framesPlayed,
      underrunFrames: this.#underrunFrames,
      droppedFrames: this.#droppedFrames,
      corruptFrames: this.#corruptFrames,
      ended: this.#ended ?? null,
    };
  }

  /** A link opens the stream, for the first time or to continue it (W-27). */
  open(streamId: number): void {
    this.#streamId = streamId;
    if (this.isEnded) this.#buffer = new SendBuffer(this.#options.bufferFrames);
    this.#ended = undefined;
    this.#isEndSaid = false;
    this.#marks.newLink();
    const isContinued = this.#toldReceived !== UNTOLD;
    const { received, creditFrames } = this.progress(streamId);
    this.#options.say({ type: 'sendOpened', streamId, nextSequence: received, creditFrames });
    // `sendOpened` does not say how far it was played meanwhile.
    if (isContinued) this.#toldPlayed = UNTOLD;
  }

  /** The link is gone: what is buffered is played, the rest is kept (W-26). */
  unlink(): void {
    this.#streamId = undefined;
  }

  /** Gives back what only a stream needs that may still play. */
  release(): void {
    this.#buffer = NO_FRAMES;
    this.#options.decoder.release();
  }

  /** Takes the cursor's frame. */
  frame(cursor: FrameCursor): SendFault | undefined {
    const { sequence } = cursor;
    if (sequenceDistance(this.#toldLimit, sequence) >= 0) return 'credit_exceeded';
    const isPast = sequenceDistance(this.#received, sequence) < 0;
    const codec = this.#codecOf(cursor.codec);
    if (isPast || this.#isEndSaid || !this.#buffer.push(cursor, codec)) {
      this.#droppedFrames += 1;
      return undefined;
    }
    this.#received = (sequence + 1) >>> 0;
    this.#isCleared = false;
    return undefined;
  }

  mark(name: string, sequence: number): SendFault | undefined {
    const taken = this.#marks.add(name, sequence);
    if (taken === 'too_many') return 'too_many_marks';
    if (taken === 'waits') this.#answerReached();
    else if (taken !== 'repeated') this.#sayMarked(taken);
    return undefined;
  }

  /** Throws away what was not handed to the platform. */
  clear(): void {
    const frames = this.#buffer.length;
    const firstSequence = frames > 0 ? this.#buffer.sequence : this.#received;
    this.#buffer.clear();
    this.#finishPlaying();
    this.#isCleared = true;
    this.#answerCleared();
    this.#say((streamId) => ({ type: 'cleared', streamId, firstSequence, frames }));
  }

  /** No frame follows: what of the stream has not come never will. */
  closeAt(nextSequence: number): void {
    this.#end = nextSequence;
    this.#isEndSaid = true;
    if (sequenceDistance(this.#received, nextSequence) > 0) this.#received = nextSequence;
  }

  /** `sendClose` was said, and there is nothing left to play: says so. */
  endIfOver(): void {
    if (!this.#isEndSaid || this.#buffer.length > 0 || this.#playing !== undefined) return;
    this.#answerReached();
    this.end(this.#isCleared ? 'cleared' : 'played');
  }

  /** The stream is over, and its number free. */
  end(reason: SendEnd): void {
    if (this.isEnded) return;
    // The platform has the frame that was handed over last: it is heard.
    this.#finishPlaying();
    this.#answerCleared();
    this.#say((streamId) => ({ type: 'sendClosed', streamId, reason, played: this.#lastPlayed }));
    this.#ended = reason;
    this.#streamId = undefined;
    this.release();
  }

  /**
   * 20 ms of the media clock begin: the frame before is over, the next one is handed over.
   *
   * @returns whether `out` was written; silence otherwise.
   */
  tick(out: Int16Array): boolean {
    this.#finishPlaying();
    this.#answerReached();
    this.#dropPastEnd();
    if (!this.#mayPlay()) return false;
    if (this.#buffer.length === 0) {
      if (this.#end === undefined) this.#underrunFrames = (this.#underrunFrames + 1) >>> 0;
      return false;
    }
    const buffer = this.#buffer;
    if (!this.#options.decoder.decode(buffer.codec, buffer.payload, out)) this.#corruptFrames += 1;
    this.#playing = buffer.sequence;
    buffer.shift();
    this.#framesPlayed += 1;
    return true;
  }

  /** How far it is, which the worker is told now. */
  progress(streamId: number): SendStreamProgress {
    this.#toldReceived = this.#received;
    this.#toldPlayed = this.played;
    this.#toldLimit = this.#limit;
    return {
      streamId,
      received: this.#received,
      played: this.#toldPlayed,
      creditFrames: this.#room,
      underrunFrames: this.#underrunFrames,
    };
  }

  /** It only grows: what is received takes its own place, what is played makes one more. */
  get #limit(): number {
    return (this.#received + this.#room) >>> 0;
  }

  /** Frames that may still come. The one that is being played takes a place until it is over. */
  get #room(): number {
    const held = this.#buffer.length + (this.#playing === undefined ? 0 : 1);
    return this.#options.bufferFrames - held;
  }

  #mayPlay(): boolean {
    if (this.#isStarted) return true;
    if (this.#buffer.length === 0) return false;
    const isWanted = this.#marks.waiting > 0 || this.#end !== undefined;
    this.#isStarted =
      isWanted || this.#buffer.length >= START_FRAMES || this.#waitedTicks >= START_FRAMES;
    this.#waitedTicks += 1;
    return this.#isStarted;
  }

  /** The stream ends before a frame that came: a worker's mistake, and not to be heard. */
  #dropPastEnd(): void {
    if (this.#end === undefined || this.#buffer.length === 0) return;
    if (sequenceDistance(this.#end, this.#buffer.sequence) < 0) return;
    this.#droppedFrames += this.#buffer.length;
    this.#buffer.clear();
  }

  #finishPlaying(): void {
    if (this.#playing === undefined) return;
    this.#lastPlayed = (this.#playing + 1) >>> 0;
    this.#playing = undefined;
  }

  /** A frame of another codec costs itself: its place is silence (F-12). */
  #codecOf(codec: number): number {
    if (codec === CODEC.silence || codec === CODEC[this.codec]) return codec;
    this.#corruptFrames += 1;
    return CODEC.silence;
  }

  #answerReached(): void {
    const { clockTicks } = this.#options;
    for (;;) {
      const mark = this.#marks.takeReached(this.played, clockTicks);
      if (mark === undefined) return;
      this.#sayMarked(mark);
    }
  }

  #answerCleared(): void {
    const { clockTicks } = this.#options;
    for (;;) {
      const mark = this.#marks.takeCleared(clockTicks);
      if (mark === undefined) return;
      this.#sayMarked(mark);
    }
  }

  #sayMarked({ name, outcome, clockTicks }: AnsweredMark): void {
    this.#say((streamId) => ({ type: 'marked', streamId, name, outcome, clockTicks }));
  }

  #say(write: (streamId: number) => HostSendMessage): void {
    if (this.#streamId !== undefined) this.#options.say(write(this.#streamId));
  }
}

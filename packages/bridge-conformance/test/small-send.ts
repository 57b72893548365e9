import type { WorkerSendMessage } from '@earshot/bridge-protocol';
import { FrameCursor, KIND, sequenceDistance } from '@earshot/bridge-protocol';
import type { SendDefect } from './small-send-stream.js';
import { SmallSendStream } from './small-send-stream.js';

const MAX_STREAMS = 3;
const BUFFER_FRAMES = 200;
const MAX_MARKS = 64;
/** Frames between two `sendProgress` while something plays. */
const PROGRESS_TICKS = 8;

/** More than a second, where a defect makes it so. */
const LATE_TICKS = 130;

/** What a small host says in `hello`. */
export const SEND_OFFER = {
  codecs: ['pcm16'],
  maxStreams: MAX_STREAMS,
  bufferFrames: BUFFER_FRAMES,
} as const;

/** The link that is up, as the way back needs it. */
export interface SendOutlet {
  say(message: object): void;
  end(code: number, reason: string): void;
  nowTicks(): string;
  has(defect: SendDefect): boolean;
}

/** The way back of one call in a small host, over all its links. Plays into nothing. */
export class SmallSend {
  readonly #outlet: SendOutlet;
  readonly #cursor = new FrameCursor(KIND.send);
  readonly #streams = new Set<SmallSendStream>();
  #ticks = 0;
  #lateAt = 0;

  constructor(outlet: SendOutlet) {
    this.#outlet = outlet;
  }

  message(message: WorkerSendMessage): void {
    const { streamId } = message;
    if (message.type === 'sendOpen') {
      this.#openStream(message);
      return;
    }
    const stream = this.#stream(streamId);
    if (stream === undefined) {
      if (this.#has('closesForUnknownSends')) this.#outlet.end(4400, 'stream_not_open');
      return;
    }
    if (message.type === 'mark') this.#mark(stream, message.name, message.sequence);
    else if (message.type === 'clear') this.#clear(stream);
    else stream.closeAt = message.nextSequence;
    this.#settle(stream);
  }

  frames(data: Uint8Array): void {
    const error = this.#cursor.open(data);
    if (error !== undefined) {
      const isKind = this.#has('staysOpenOnBadSends') || this.#has(`takes_${error.code}`);
      if (!isKind) this.#outlet.end(error.closeCode, error.code);
      return;
    }
    let hasTaken = false;
    while (this.#cursor.next()) {
      const { streamId, sequence, codec, ticksHigh } = this.#cursor;
      const stream = this.#stream(streamId);
      if (stream === undefined) {
        if (this.#has('closesForStraySends')) this.#outlet.end(4400, 'stream_not_open');
        continue;
      }
      if (codec !== 2 && this.#has('closesForOddCodecs')) this.#outlet.end(4400, 'bad_codec');
      if (ticksHigh !== 0 && this.#has('mindsSendTicks')) continue;
      const edge = this.#has('grantsOneLess') ? 1 : 0;
      const isBeyond = sequenceDistance(stream.grantedEnd, sequence) + edge >= 0;
      if (isBeyond && !this.#has('ignoresSendCredit')) {
        this.#outlet.end(4400, 'credit_exceeded');
        return;
      }
      stream.take(sequence);
      hasTaken = true;
    }
    if (!hasTaken) return;
    if (this.#ticks >= this.#lateAt) this.#lateAt = this.#ticks + LATE_TICKS;
    this.#progress();
  }

  /** 20 ms of the meeting. */
  tick(): void {
    this.#ticks += 1;
    const frames = this.#has('playsTwiceAsFast') ? 2 : 1;
    let isBusy = false;
    for (const stream of this.#streams) {
      if (!stream.isOpen && this.#has('stopsAtBreaks')) continue;
      for (let n = 0; n < frames; n += 1) isBusy = stream.play() || isBusy;
      this.#settle(stream);
      if (isBusy && this.#has('playsOneAfterTheOther')) break;
    }
    if (this.#ticks % PROGRESS_TICKS === 0) this.#progress();
    if (this.#ticks === this.#lateAt) this.#sayProgress();
  }

  /** The link is gone, or left for another worker: streams are kept. */
  pause(): void {
    for (const stream of this.#streams) {
      stream.isOpen = false;
      if (this.#has('losesMarksAtBreaks')) stream.marks.clear();
      stream.wasPaused = true;
      if (this.#has('forgetsSends')) this.#streams.delete(stream);
    }
  }

  /** The worker is left for another one. */
  leave(): void {
    if (this.#has('endsSendsAtReattach')) this.end();
  }

  /** The call is over. */
  end(): void {
    for (const stream of this.#streams) {
      if (!this.#has('endsSendsInSilence')) this.#closed(stream, 'media_ended');
    }
    this.#streams.clear();
  }

  #openStream(message: WorkerSendMessage & { type: 'sendOpen' }): void {
    const { streamId, sendId, codec, firstSequence } = message;
    if (this.#stream(streamId) !== undefined) {
      if (!this.#has('opensSendsTwice')) this.#outlet.end(4400, 'stream_already_open');
      return;
    }
    const open = [...this.#streams].filter(({ isOpen }) => isOpen);
    if (open.length >= MAX_STREAMS && !this.#has('opensEverySend')) {
      this.#outlet.say({ type: 'sendClosed', streamId, reason: 'too_many_streams', played: 0 });
      return;
    }
    if (codec !== 'pcm16' && !this.#has('opensEveryCodec')) {
      this.#outlet.say({ type: 'sendClosed', streamId, reason: 'unsupported_codec', played: 0 });
      return;
    }
    const known = [...this.#streams].find(
      (one) => one.sendId === sendId || (this.#has('continuesAnySend') && !one.isOpen),
    );
    const has = (defect: SendDefect): boolean => this.#has(defect);
    const stream = known ?? new SmallSendStream({ streamId, sendId, firstSequence, has });
    stream.streamId = streamId;
    stream.isOpen = true;
    this.#streams.add(stream);
    const { received: nextSequence } = stream;
    this.#outlet.say({
      type: 'sendOpened',
      streamId,
      nextSequence,
      creditFrames: this.#grant(stream),
    });
  }

  #mark(stream: SmallSendStream, name: string, sequence: number): void {
    const most = this.#has('takes63Marks') ? MAX_MARKS - 1 : MAX_MARKS;
    if (stream.marks.size >= most && !stream.marks.has(name) && !this.#has('takes65Marks')) {
      this.#outlet.end(4400, 'too_many_marks');
      return;
    }
    if (stream.closeAt !== undefined && this.#has('marksNothingAfterClose')) return;
    const isLost = stream.wasPaused && this.#has('losesMarksAtBreaks');
    if (stream.isPast(sequence) && (isLost || this.#has('marksNothingPast'))) return;
    stream.marks.set(name, sequence);
    if (this.#has('marksAtOnce') && sequence > stream.received)
      stream.marks.set(name, stream.played);
  }

  #clear(stream: SmallSendStream): void {
    const { streamId } = stream;
    const { firstSequence, frames } = stream.clear();
    const more = this.#has('clearsOneMore') ? 1 : 0;
    const cleared = { type: 'cleared', streamId, firstSequence, frames: frames + more };
    if (this.#has('saysClearedFirst')) this.#outlet.say(cleared);
    this.#markAll(stream);
    if (!this.#has('saysClearedFirst')) this.#outlet.say(cleared);
    this.#sayProgress();
  }

  /** Marks and the end that came true. */
  #settle(stream: SmallSendStream): void {
    if (!stream.isOpen) return;
    for (const name of stream.reachedMarks()) {
      this.#marked(stream, name, 'played');
      if (this.#has('marksTwice')) this.#marked(stream, name, 'played');
      stream.marks.delete(name);
    }
    if (!stream.isOver) return;
    this.#progress();
    const isCleared = stream.wasCleared && !this.#has('saysPlayedForCleared');
    this.#closed(stream, isCleared ? 'cleared' : 'played');
    if (this.#has('closesSendsTwice')) this.#closed(stream, 'played');
    if (this.#has('keepsClosedSends')) stream.closeAt = undefined;
    else if (this.#has('continuesClosedSends')) stream.isOpen = false;
    else this.#streams.delete(stream);
  }

  #closed(stream: SmallSendStream, reason: string): void {
    if (!stream.isOpen) return;
    this.#markAll(stream);
    const { streamId, played } = stream;
    this.#outlet.say({ type: 'sendClosed', streamId, reason, played });
  }

  #markAll(stream: SmallSendStream): void {
    for (const name of stream.marks.keys()) this.#marked(stream, name, 'cleared');
    stream.marks.clear();
  }

  #marked({ streamId }: SmallSendStream, name: string, outcome: string): void {
    this.#outlet.say({
      type: 'marked',
      streamId,
      name,
      outcome,
      clockTicks: this.#outlet.nowTicks(),
    });
  }

  #progress(): void {
    if (!this.#has('tellsProgressLate')) this.#sayProgress();
  }

  #sayProgress(): void {
    const all = [...this.#streams].filter(({ isOpen }) => isOpen);
    const open = this.#has('tellsOneSend') ? all.slice(0, 1) : all;
    const streams = open.map((stream) => ({
      streamId: stream.streamId,
      received: stream.received,
      played: stream.played,
      creditFrames: this.#grant(stream),
      underrunFrames: this.#has('countsNoUnderruns') ? 0 : stream.underrunFrames,
    }));
    if (streams.length > 0) this.#outlet.say({ type: 'sendProgress', streams });
  }

  #grant(stream: SmallSendStream): number {
    const used = this.#has('grantsTooMuch') ? 0 : stream.buffered;
    const creditFrames = BUFFER_FRAMES - used;
    stream.grantedEnd = (stream.received + creditFrames) >>> 0;
    return creditFrames;
  }

  #stream(streamId: number): SmallSendStream | undefined {
    return [...this.#streams].find((stream) => stream.isOpen && stream.streamId === streamId);
  }

  #has(defect: SendDefect): boolean {
    return this.#outlet.has(defect);
  }
}

import type {
  FrameBatchWriter,
  MarkedMessage,
  SendClosedMessage,
  SendOpenedMessage,
  SendStreamProgress,
  WorkerSendMessage,
} from '@earshot/bridge-protocol';
import { CODEC, FLAG } from '@earshot/bridge-protocol';

/** A media link on which the way back was agreed, as a send stream needs it. */
export interface SendLink {
  send(message: WorkerSendMessage): void;
  /** Copies; false when nothing was sent, because too much waits or the link is over. */
  sendFrames(bytes: Uint8Array): boolean;
}

/** What became of a send stream. */
export interface SendOutcome {
  readonly outcome: 'played' | 'cleared' | 'failed';
  /** Snake_case; only when it failed. */
  readonly reason?: string;
  /** Frames that were heard. */
  readonly playedFrames: number;
}

export interface SendStreamOptions {
  readonly streamId: number;
  readonly sendId: string;
  readonly sampleRateHz: number;
  /** Opus packets of 20 ms; borrowed for as long as the stream lives. */
  readonly packets: readonly Uint8Array[];
  /** Shared and empty: it is used within one turn only. */
  readonly writer: FrameBatchWriter;
  /** The host had all of it on an earlier link. */
  readonly isReceived: boolean;
  /** The first frame was heard; `clockTicks` of the host's media clock, after it. */
  onBegan(clockTicks: string): void;
  /** The host has all frames. Once. */
  onReceived(): void;
  /** The link takes no frames now, or has got its share: call `pump` a little later. */
  onBlocked(): void;
  /** Nothing more comes of it. Once, and last. */
  onOver(result: SendOutcome): void;
}

/** Sequence of the first frame; so sequences are indexes, and do not wrap in a play's ten minutes. */
const FIRST_SEQUENCE = 0;
/** One second: bounds what is sent in one message, and fits with packets of any size. */
const FRAMES_PER_MESSAGE = 50;
/** Twenty seconds: a host may have room for minutes, but others wait for this thread. */
const MESSAGES_PER_TURN = 20;
const BEGAN = 'began';
const ENDED = 'ended';

/** Why a host ends a stream by itself; anything else is `platform_error` (W-22). */
const HOST_REASONS: ReadonlySet<string> = new Set([
  'too_many_streams',
  'unsupported_codec',
  'media_inactive',
  'media_ended',
  'platform_error',
]);

/**
 * One audio on its way into the meeting, over as many links as it takes: the worker's half of §8 of
 * the bridge's specification. Does nothing by itself: it is told what the host says and when links
 * come and go, and answers through the link at once.
 */
export class SendStream {
  readonly streamId: number;
  readonly #options: SendStreamOptions;
  readonly #frames: number;
  #state: 'detached' | 'opening' | 'open' | 'over' = 'detached';
  #link: SendLink | undefined;
  /** Next sequence to be sent. */
  #next = FIRST_SEQUENCE;
  /** Next sequence that the host expects, as it said last. */
  #received = FIRST_SEQUENCE;
  /** No sequence from here on may be sent: `received` plus credit, the highest told (W-15). */
  #limit = FIRST_SEQUENCE;
  #played = FIRST_SEQUENCE;
  /** Frames before it were on an earlier link. */
  #resentBefore = FIRST_SEQUENCE;
  #isAllReceived: boolean;
  /** All was sent and closed on an earlier link. */
  #wasClosed = false;
  /** The host forgot a stream that it had played: what it closes now is only its shell. */
  #isShell = false;
  #hasBegun = false;
  #hasSaidClose = false;
  #isClearing = false;
  #endedTicks: string | undefined;

  constructor(options: SendStreamOptions) {
    this.#options = options;
    this.streamId = options.streamId;
    this.#frames = options.packets.length;
    this.#isAllReceived = options.isReceived;
  }

  get isOpening(): boolean {
    return this.#state === 'opening';
  }

  /** The host's media clock when the last frame was over; undefined where it was not heard. */
  get endedTicks(): string | undefined {
    return this.#endedTicks;
  }

  /** Frames known to be heard. */
  get playedFrames(): number {
    return this.#played;
  }

  /** Opens the stream on a link, or again on a newer one; `sendOpened` or `sendClosed` follows. */
  open(link: SendLink): void {
    if (this.#state === 'over') return;
    const { sendId, sampleRateHz } = this.#options;
    this.#link = link;
    this.#state = 'opening';
    this.#wasClosed ||= this.#hasSaidClose;
    this.#hasSaidClose = false;
    this.#resentBefore = Math.max(this.#resentBefore, this.#next);
    link.send({
      type: 'sendOpen',
      streamId: this.streamId,
      sendId,
      codec: 'opus',
      sampleRateHz,
      firstSequence: FIRST_SEQUENCE,
    });
  }

  /** The link is over; the host keeps the stream for the next one (W-26). */
  detach(): void {
    if (this.#state === 'over') return;
    this.#state = 'detached';
    this.#link = undefined;
  }

  opened({ nextSequence, creditFrames }: SendOpenedMessage): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    const next = Math.min(nextSequence, this.#frames);
    this.#isShell = this.#hasPlayedUnheard(next);
    // A host that forgot the stream otherwise plays it from the start (W-27).
    if (next < this.#received) this.#played = FIRST_SEQUENCE;
    this.#next = next;
    this.#received = next;
    this.#limit = next + creditFrames;
    if (this.#isShell || this.#isClearing) this.#throwAway();
    else {
      if (!this.#hasBegun) this.#mark(BEGAN, FIRST_SEQUENCE + 1);
      this.pump();
    }
  }

  progress({ received, played, creditFrames }: SendStreamProgress): void {
    if (this.#state !== 'open') return;
    this.#received = Math.max(this.#received, Math.min(received, this.#next));
    // What was thrown away counts as played there (W-21), and here not.
    if (!this.#isClearing) this.#played = Math.max(this.#played, Math.min(played, this.#received));
    // What was granted is never taken back, whatever a host says.
    this.#limit = Math.max(this.#limit, received + creditFrames);
    this.#noteReceived();
    this.pump();
  }

  marked({ name, outcome, clockTicks }: MarkedMessage): void {
    if (this.#state !== 'open' || outcome !== 'played') return;
    if (name === ENDED) this.#endedTicks = clockTicks;
    if (name !== BEGAN || this.#hasBegun) return;
    this.#hasBegun = true;
    this.#received = Math.max(this.#received, FIRST_SEQUENCE + 1);
    this.#played = Math.max(this.#played, FIRST_SEQUENCE + 1);
    this.#options.onBegan(clockTicks);
  }

  closed({ reason, played }: SendClosedMessage): void {
    if (this.#state !== 'opening' && this.#state !== 'open') return;
    if (this.#isShell) this.#over({ outcome: 'played', playedFrames: this.#frames });
    else this.#over(this.#outcomeOf(reason, Math.min(played, this.#frames)));
  }

  /** The host did not answer `sendOpen` in time: taken for refused. */
  openTimedOut(): void {
    if (this.#state === 'opening') this.fail('send_open_timeout');
  }

  /** Gives it up for a reason of ours. Idempotent. */
  fail(reason: string): void {
    this.#over({ outcome: 'failed', reason, playedFrames: this.#played });
  }

  /** Has the host throw away what is not heard yet, now or as soon as it is reached. Idempotent. */
  clear(): void {
    if (this.#isClearing || this.#state === 'over') return;
    this.#isClearing = true;
    if (this.#state === 'open') this.#throwAway();
  }

  /** Sends what the credit allows and the link takes; closes after the last frame. */
  pump(): void {
    if (this.#state !== 'open' || this.#isClearing || this.#isShell || this.#hasSaidClose) return;
    const end = Math.min(this.#limit, this.#frames);
    for (let messages = 0; this.#next < end; messages += 1) {
      if (messages === MESSAGES_PER_TURN || !this.#sendBatch(end)) {
        this.#options.onBlocked();
        return;
      }
    }
    if (this.#next < this.#frames) return;
    this.#mark(ENDED, this.#frames);
    this.#sayClose();
  }

  /**
   * Whether a host that begins anew at `next` has forgotten the stream because it played it to its
   * end: it does play what it has (W-26), and `sendClosed` may have been lost with the link.
   */
  #hasPlayedUnheard(next: number): boolean {
    const hasForgotten = next < this.#received;
    return (this.#isAllReceived && next < this.#frames) || (this.#wasClosed && hasForgotten);
  }

  #sendBatch(end: number): boolean {
    const { writer, packets } = this.#options;
    let next = this.#next;
    writer.reset();
    while (next < end && writer.frameCount < FRAMES_PER_MESSAGE) {
      const flags = next < this.#resentBefore ? FLAG.replayed : 0;
      const packet = packets[next] ?? null;
      if (!writer.append(this.streamId, CODEC.opus, flags, next, 0, 0, packet)) break;
      next += 1;
    }
    if (this.#link?.sendFrames(writer.finish()) !== true) return false;
    this.#next = next;
    return true;
  }

  #throwAway(): void {
    this.#link?.send({ type: 'clear', streamId: this.streamId });
    if (!this.#hasSaidClose) this.#sayClose();
  }

  #sayClose(): void {
    this.#hasSaidClose = true;
    const { streamId } = this;
    this.#link?.send({ type: 'sendClose', streamId, nextSequence: this.#next });
  }

  #mark(name: string, sequence: number): void {
    this.#link?.send({ type: 'mark', streamId: this.streamId, name, sequence });
  }

  #noteReceived(): void {
    if (this.#isAllReceived || this.#received < this.#frames) return;
    this.#isAllReceived = true;
    this.#options.onReceived();
  }

  #outcomeOf(reason: string, playedFrames: number): SendOutcome {
    const isWhole = playedFrames === this.#frames;
    if (this.#hasSaidClose && reason === 'played' && isWhole)
      return { outcome: 'played', playedFrames };
    // Of what was cleared nothing may be left to play: the host's word for that is either.
    const isEnd = reason === 'cleared' || reason === 'played';
    if (this.#isClearing && isEnd) return { outcome: 'cleared', playedFrames };
    const known = HOST_REASONS.has(reason) ? reason : 'platform_error';
    return { outcome: 'failed', reason: known, playedFrames };
  }

  #over(result: SendOutcome): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#link = undefined;
    this.#options.onOver(result);
  }
}

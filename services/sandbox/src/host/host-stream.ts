import { PTIME_MS } from '@earshot/audio';
import type { StreamProgress } from '@earshot/bridge-protocol';
import { FLAG, sequenceDistance } from '@earshot/bridge-protocol';
import type { MeetingParticipant } from '../meetings/meeting.js';
import { SlotAccount } from './slot-account.js';
import type { StreamRingBounds } from './stream-ring.js';
import { StreamRing } from './stream-ring.js';

/** One stream's losses in one epoch, as both ends count them. */
export interface StreamAccount {
  readonly streamId: number;
  readonly epoch: number;
  /** The worker has received all that the host sent so far: the numbers must agree. */
  readonly isComplete: boolean;
  /** Slots that the host counts lost before the worker's `received`. */
  readonly lost: number;
  /** As the worker told last; undefined when it tells no such number. */
  readonly workerLost: number | undefined;
  readonly workerDropped: number | undefined;
}

/** One participant's audio as the media host gives it out. */
export class HostStream {
  readonly streamId: number;
  readonly participant: MeetingParticipant;
  readonly ring: StreamRing;
  readonly #account = new SlotAccount();
  /** The present link has been told of the stream. */
  isAnnounced = false;
  /** The present link has been told that the stream is over. */
  isCloseSent = false;
  #epoch = -1;
  /** Where the present link's frames begin. */
  #start = 0;
  #nextSequence = 0;
  /** Everything before it is safe with some worker of the call. */
  #durable = 0;
  #isClosed = false;
  #nextCaptureMs: number | undefined;
  /** Of the present epoch. */
  #told: StreamProgress | undefined;
  #isListed = false;

  constructor(streamId: number, participant: MeetingParticipant, bounds: StreamRingBounds) {
    this.streamId = streamId;
    this.participant = participant;
    this.ring = new StreamRing(bounds);
  }

  /** Where the present link's frames begin. */
  get start(): number {
    return this.#start;
  }

  /** The sequence after the last slot so far. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Frames in flight: sent on this link and not before the worker's `received`. */
  get inFlight(): number {
    return this.#account.inFlight;
  }

  /** The participant has left. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The worker needs nothing of it any more, on no link. */
  get isOver(): boolean {
    return this.#isClosed && this.#durable === this.#nextSequence;
  }

  get account(): StreamAccount {
    const account = this.#account;
    const received = this.#told?.received ?? this.#start;
    const isSent = this.ring.unsent === 0 && account.position === this.#nextSequence;
    return {
      streamId: this.streamId,
      epoch: this.#epoch,
      isComplete: isSent && received === this.#nextSequence,
      lost: account.lostBefore(received),
      workerLost: this.#told?.lost,
      workerDropped: this.#told?.dropped,
    };
  }

  /** Takes a frame of the participant's audio. */
  push(frame: number, captureMs: number): void {
    // The source was silent before it (muted): time has passed that no sequence counts.
    const jumped = this.#nextCaptureMs !== undefined && captureMs !== this.#nextCaptureMs;
    const flags = jumped ? FLAG.discontinuity : 0;
    const size = this.participant.packets[frame]!.length;
    this.ring.push(this.#takeSequence(), captureMs, frame, flags, size);
    this.#nextCaptureMs = captureMs + PTIME_MS;
  }

  /** A slot of the stream is known to be lost. */
  skip(): void {
    this.#takeSequence();
    if (this.#nextCaptureMs !== undefined) this.#nextCaptureMs += PTIME_MS;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** The ring's next frame has been sent. */
  advance(): void {
    this.#account.sent(this.ring.nextSequence);
    this.ring.advance();
  }

  /** Slots before `sequence` that were not sent on this link are lost, as the worker was told. */
  passed(sequence: number): void {
    this.#account.passed(sequence);
  }

  /** What the worker told; nothing goes back, and nothing past what there is. */
  acknowledge(progress: StreamProgress): void {
    const received = this.#bounded(progress.received);
    const durable = this.#bounded(progress.durable);
    this.#isListed = true;
    this.#told = { ...progress, received };
    if (sequenceDistance(this.#durable, durable) > 0) this.#durable = durable;
    this.#account.acknowledge(received, this.#durable);
    this.ring.forget(this.#durable);
  }

  /**
   * The worker tells of its streams, and of this one no more (M-14): all of it is durable. One that
   * it has not told of on this link, it may merely not know yet.
   */
  unlisted(): void {
    if (this.isCloseSent && this.#isListed) this.#durable = this.#nextSequence;
  }

  /** A new link: the worker needs what `resume` says, or all that is not durable. */
  restart(resume: number | undefined, epoch: number): void {
    this.isAnnounced = false;
    this.isCloseSent = false;
    this.#isListed = false;
    this.#start = resume === undefined ? this.#durable : this.#bounded(resume);
    // Listed as durable to its end.
    if (this.#isClosed && resume === this.#nextSequence) this.#durable = resume;
    if (epoch === this.#epoch) this.#account.rewind(this.#start);
    else this.begin(epoch);
    this.ring.rewind(this.#start);
  }

  /** The worker counts from here on. */
  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#told = undefined;
    this.#account.begin(this.#start);
  }

  #bounded(sequence: number): number {
    return sequenceDistance(this.#nextSequence, sequence) > 0 ? this.#nextSequence : sequence;
  }

  #takeSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence = (sequence + 1) >>> 0;
    return sequence;
  }
}

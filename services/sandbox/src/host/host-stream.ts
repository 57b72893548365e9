import { PTIME_MS } from '@earshot/audio';
import { FLAG } from '@earshot/bridge-protocol';
import type { MeetingParticipant } from '../meetings/meeting.js';
import { StreamRing } from './stream-ring.js';

/** One participant's audio as the media host gives it out. */
export class HostStream {
  readonly streamId: number;
  readonly participant: MeetingParticipant;
  readonly ring: StreamRing;
  /** The present link has been told of the stream. */
  isAnnounced = false;
  /** The present link has been told that the stream is over. */
  isCloseSent = false;
  #nextSequence = 0;
  /** The next sequence that the worker expects. */
  #received = 0;
  /** Everything before it is safe with some worker of the call. */
  #durable = 0;
  #isClosed = false;
  #nextCaptureMs: number | undefined;

  constructor(streamId: number, participant: MeetingParticipant, ringFrames: number) {
    this.streamId = streamId;
    this.participant = participant;
    this.ring = new StreamRing(ringFrames);
  }

  /** Where the present link's frames begin. */
  get received(): number {
    return this.#received;
  }

  /** The sequence after the last slot so far. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** The participant has left. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes a frame of the participant's audio. */
  push(frame: number, captureMs: number): void {
    // The source was silent before it (muted): time has passed that no sequence counts.
    const jumped = this.#nextCaptureMs !== undefined && captureMs !== this.#nextCaptureMs;
    this.ring.push(this.#takeSequence(), captureMs, frame, jumped ? FLAG.discontinuity : 0);
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

  /** The worker has got everything before `received`, and needs nothing before `durable`. */
  acknowledge(received: number, durable: number): void {
    this.#received = received;
    this.#durable = durable;
    this.ring.acknowledge(received, durable);
  }

  /** A new link: the worker expects `resume`, or knows nothing of what is not durable. */
  restart(resume: number | undefined): void {
    this.isAnnounced = false;
    this.isCloseSent = false;
    this.#received = resume ?? this.#durable;
    this.ring.rewind(this.#received);
  }

  #takeSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence = (sequence + 1) >>> 0;
    return sequence;
  }
}

import { FLAG } from '@earshot/bridge-protocol';
import type { MeetingParticipant } from '../meetings/meeting.js';
import { FRAME_MS } from '../meetings/meeting.js';
import { StreamRing } from './stream-ring.js';

/** One participant's audio as the media host gives it out. */
export class HostStream {
  readonly streamId: number;
  readonly participant: MeetingParticipant;
  readonly ring: StreamRing;
  /** Sequence of the stream's first slot. */
  readonly firstSequence: number;
  /** The present link has been told of the stream. */
  isAnnounced = false;
  /** The present link has been told that the stream is over. */
  isCloseSent = false;
  #nextSequence: number;
  #isClosed = false;
  #nextCaptureMs: number | undefined;

  constructor(streamId: number, participant: MeetingParticipant, ringFrames: number) {
    this.streamId = streamId;
    this.participant = participant;
    this.ring = new StreamRing(ringFrames);
    this.firstSequence = 0;
    this.#nextSequence = this.firstSequence;
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
    this.#nextCaptureMs = captureMs + FRAME_MS;
  }

  /** A slot of the stream is known to be lost. */
  skip(): void {
    this.#takeSequence();
    if (this.#nextCaptureMs !== undefined) this.#nextCaptureMs += FRAME_MS;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** A new link knows nothing of the stream. */
  reset(): void {
    this.isAnnounced = false;
    this.isCloseSent = false;
  }

  #takeSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence = (sequence + 1) >>> 0;
    return sequence;
  }
}

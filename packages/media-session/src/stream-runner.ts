import type { FrameRing, FrameSlot } from './frame-ring.js';
import { CLOSE_MODE, SLOT_KIND } from './frame-ring.js';
import type { PcmRing } from './pcm-ring.js';
import type { AudioDecoder } from './ports.js';
import type { StreamPipeline } from './stream-pipeline.js';

/** What `StreamRunner.take` found. */
export const TAKEN = {
  /** No record waits; the stream may be finished. */
  nothing: 0,
  /** A record, which is done. */
  done: 1,
  /** A frame, whose packet is to be decoded before `decoded` is called. */
  packet: 2,
} as const;

/** One of the values of `TAKEN`. */
export type Taken = (typeof TAKEN)[keyof typeof TAKEN];

export interface StreamRunnerOptions {
  /** The reader's side of the stream's ring. */
  readonly ring: FrameRing;
  readonly pipeline: StreamPipeline;
}

/** Moves the records of one stream from its ring through its pipeline, in order. */
export class StreamRunner {
  readonly #ring: FrameRing;
  readonly #pipeline: StreamPipeline;
  /** Records taken since the last `publish`, and those that overflow took before them. */
  #unpublished = 0;
  #finished = false;

  constructor({ ring, pipeline }: StreamRunnerOptions) {
    this.#ring = ring;
    this.#pipeline = pipeline;
  }

  /** The stream is closed and all its records are processed, or it failed. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Whose state the packets that `take` returns continue. */
  get decoder(): AudioDecoder {
    return this.#pipeline.decoder;
  }

  /**
   * Takes the next record; closes the pipeline when the last was taken.
   *
   * @param slot filled with the record; after `TAKEN.packet` it is to be kept until `decoded`
   * @param pcm scratch of `FRAME_SAMPLES`, borrowed for the call
   */
  take(slot: FrameSlot, pcm: Int16Array): Taken {
    if (this.#finished) return TAKEN.nothing;
    if (this.#ring.pop(slot)) return this.#process(slot, pcm);
    const mode = this.#ring.closeMode;
    if (mode === CLOSE_MODE.open) return TAKEN.nothing;
    // Looked into once more: only what is empty after it said closed stays empty.
    if (this.#ring.pop(slot)) return this.#process(slot, pcm);
    this.#pipeline.close(mode, pcm, this.#ring.closeSequence);
    this.#finished = true;
    return TAKEN.nothing;
  }

  /** Goes on with the frame that `take` left to be decoded; see `StreamPipeline.decoded`. */
  decoded(samples: number, pcm: Int16Array): void {
    this.#pipeline.decoded(samples, pcm);
  }

  /** See `StreamPipeline.settle`. */
  settle(): void {
    this.#pipeline.settle();
  }

  /** See `StreamPipeline.publish`. */
  publish(): void {
    this.#unpublished = 0;
    this.#pipeline.publish();
  }

  /** See `StreamPipeline.listen`. */
  listen(listener: PcmRing | undefined): void {
    this.#pipeline.listen(listener);
  }

  /** Ends the stream because one of the above threw: what it was at and what waits is dropped. */
  fail(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#pipeline.fail(this.#ring.waiting + this.#unpublished);
  }

  #process(slot: FrameSlot, pcm: Int16Array): Taken {
    this.#unpublished += 1 + slot.droppedBefore;
    if (slot.kind === SLOT_KIND.frame) {
      return this.#pipeline.accept(slot, pcm) ? TAKEN.packet : TAKEN.done;
    }
    this.#pipeline.discarded(slot.sequence, slot.discardedFrames, slot.droppedBefore);
    return TAKEN.done;
  }
}

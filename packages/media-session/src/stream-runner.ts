import type { FrameRing } from './frame-ring.js';
import { CLOSE_MODE, FrameSlot, SLOT_KIND } from './frame-ring.js';
import type { StreamPipeline } from './stream-pipeline.js';

export interface StreamRunnerOptions {
  /** The reader's side of the stream's ring. */
  readonly ring: FrameRing;
  readonly pipeline: StreamPipeline;
  /** Scratch, borrowed during each call; the runners of a thread share one. */
  readonly slot?: FrameSlot;
}

/** Moves the records of one stream from its ring through its pipeline, in order. */
export class StreamRunner {
  readonly #ring: FrameRing;
  readonly #pipeline: StreamPipeline;
  readonly #slot: FrameSlot;
  #finished = false;

  constructor({ ring, pipeline, slot }: StreamRunnerOptions) {
    this.#ring = ring;
    this.#pipeline = pipeline;
    this.#slot = slot ?? new FrameSlot();
  }

  /** The stream is closed and all its records are processed. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Processes at most `maxRecords`, so that one stream can't starve others; returns how many. */
  run(maxRecords: number): number {
    if (this.#finished) return 0;
    // Asked first: once it says closed, an empty ring stays empty.
    const mode = this.#ring.closeMode;
    let records = 0;
    while (records < maxRecords && this.#ring.pop(this.#slot)) {
      this.#process();
      records += 1;
    }
    if (records < maxRecords && mode !== CLOSE_MODE.open) {
      this.#finished = true;
      this.#pipeline.close(mode, this.#ring.closeSequence);
    }
    return records;
  }

  #process(): void {
    const slot = this.#slot;
    if (slot.kind === SLOT_KIND.frame) this.#pipeline.accept(slot);
    else this.#pipeline.discarded(slot.discardedFrames, slot.droppedBefore);
  }
}

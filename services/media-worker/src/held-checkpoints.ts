import type { StreamCheckpoint } from '@earshot/media-session';

/** Checkpoints that are closer than this are as good as one. */
const SPACING_MS = 400;

/** A position is held back no longer: hosts keep what was sent for 30 s. */
export const MAX_HOLD_MS = 26_000;

/**
 * Checkpoints of a stream, of which not the newest is to be stored but the newest before something
 * that is not told of yet, such as an utterance whose text is to come.
 */
export class HeldCheckpoints {
  readonly #kept: StreamCheckpoint[] = [];

  /** Keeps a checkpoint; they come in order. */
  keep(checkpoint: StreamCheckpoint): void {
    const kept = this.#kept;
    const last = kept.at(-1);
    const before = kept.at(-2);
    // The last one is the newest, and makes room when it came too soon.
    const isClose = last !== undefined && timeOf(last) - timeOf(before) < SPACING_MS;
    if (last?.position === checkpoint.position || isClose) kept.pop();
    kept.push(checkpoint);
    while (kept.length > 1 && timeOf(checkpoint) - timeOf(kept[0]) > MAX_HOLD_MS) kept.shift();
  }

  /** The newest that does not lie after `settledMs`, or the oldest there is when it is held too long. */
  newest(settledMs: number): StreamCheckpoint | undefined {
    const kept = this.#kept;
    const at = kept.findLastIndex((each) => timeOf(each) <= settledMs);
    if (at >= 0) {
      kept.splice(0, at);
      return kept[0];
    }
    const [oldest] = kept;
    if (oldest === undefined) return undefined;
    return timeOf(kept.at(-1)) - timeOf(oldest) > MAX_HOLD_MS - SPACING_MS ? oldest : undefined;
  }
}

/** Where no frame was heard yet, nothing was said. */
function timeOf(checkpoint: StreamCheckpoint | undefined): number {
  return checkpoint?.endMs ?? Number.NEGATIVE_INFINITY;
}

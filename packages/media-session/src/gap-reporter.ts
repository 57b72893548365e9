import { PTIME_MS } from '@earshot/audio';
import type { GapCause, GapFinding } from './finding.js';
import type { StreamTally } from './stream-tally.js';

/** Numbers that `GapReporter.save` writes. */
export const GAP_STATE_NUMBERS = 3;

/** Damaged frames in a row may be off by so much from the media clock that times them. */
const STEP_MS = 1000;

/** Counts the frames of one stream that were not heard, and reports them as gaps by cause. */
export class GapReporter {
  readonly #tally: StreamTally;
  readonly #report: (gap: GapFinding) => void;
  /** Frames let go by the host and not yet met as a jump of the sequence. */
  #discarded = 0;
  /** Records lost to overflow since the last frame taken in order. */
  #dropped = 0;
  #corruptFrames = 0;
  #corruptConcealed = 0;
  #corruptStartMs = 0;

  constructor(tally: StreamTally, report: (gap: GapFinding) => void) {
    this.#tally = tally;
    this.#report = report;
  }

  /** The host let go of frames: when the sequence jumps, so many of the missing are its. */
  discarded(frames: number): void {
    this.#discarded += frames;
  }

  /** Our own ring lost records: what is missing next was among them, as far as they reach. */
  dropped(records: number): void {
    this.#dropped += records;
  }

  /** Takes back what `dropped` was told since the last frame taken in order. */
  takeDropped(): number {
    const records = this.#dropped;
    this.#dropped = 0;
    return records;
  }

  /** Writes the run of damaged frames that is not yet reported; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#corruptFrames;
    out[at + 1] = this.#corruptConcealed;
    out[at + 2] = this.#corruptStartMs;
    return at + GAP_STATE_NUMBERS;
  }

  /**
   * Reads back what `save` wrote: the run goes on, or is reported. One that can't be true, of another
   * length than from its begin to `nowMs`, is none.
   *
   * @param nowMs end of what was heard when it was written; NaN when nothing was
   */
  restore(from: Float64Array, at: number, nowMs: number): number {
    const frames = from[at]!;
    const concealed = from[at + 1]!;
    const startMs = from[at + 2]!;
    const isWhole = Number.isInteger(frames) && Number.isInteger(concealed);
    const isTrue =
      isWhole &&
      frames > 0 &&
      concealed >= 0 &&
      concealed <= frames &&
      Math.abs(nowMs - startMs - frames * PTIME_MS) <= STEP_MS;
    this.#corruptFrames = isTrue ? frames : 0;
    this.#corruptConcealed = isTrue ? concealed : 0;
    this.#corruptStartMs = isTrue ? startMs : 0;
    return at + GAP_STATE_NUMBERS;
  }

  /** A frame came in its turn: what was dropped before it is settled. */
  inOrder(): void {
    this.#dropped = 0;
  }

  /**
   * Frames are missing from the sequence.
   *
   * @param concealed how many from the first on were filled in
   * @param recovered whether the last one was filled in, beside them
   */
  missing(frames: number, startMs: number, concealed: number, recovered: boolean): void {
    const dropped = Math.min(frames, this.#dropped);
    const discarded = Math.min(frames - dropped, this.#discarded);
    const lost = frames - dropped - discarded;
    this.#discarded = 0;
    this.#tally.dropped = (this.#tally.dropped + dropped) | 0;
    this.#tally.missing = (this.#tally.missing + discarded + lost) | 0;
    // Which of them came first is not known; the order told is always the same.
    const inLast = recovered ? 1 : 0;
    this.#tell('discarded', discarded, startMs, concealed, lost + dropped === 0 ? inLast : 0);
    const lostMs = startMs + discarded * PTIME_MS;
    this.#tell('lost', lost, lostMs, concealed - discarded, dropped === 0 ? inLast : 0);
    const droppedMs = lostMs + lost * PTIME_MS;
    this.#tell('overflow', dropped, droppedMs, concealed - discarded - lost, inLast);
  }

  /** A frame came damaged; those in a row are one gap. */
  corrupt(mediaTimeMs: number, concealed: number): void {
    this.#tally.corrupt = (this.#tally.corrupt + 1) | 0;
    if (this.#corruptFrames === 0) this.#corruptStartMs = mediaTimeMs;
    this.#corruptFrames += 1;
    this.#corruptConcealed += concealed;
  }

  /** What follows is no damaged frame. */
  endCorruptRun(): void {
    if (this.#corruptFrames === 0) return;
    const frames = this.#corruptFrames;
    const concealed = this.#corruptConcealed;
    this.#corruptFrames = 0;
    this.#corruptConcealed = 0;
    this.#tell('corrupt', frames, this.#corruptStartMs, concealed, 0);
  }

  /**
   * @param concealed how many frames from `startMs` on were filled in, of this gap or after
   * @param recovered 1 when its last one was, beside them
   */
  #tell(
    cause: GapCause,
    frames: number,
    startMs: number,
    concealed: number,
    recovered: number,
  ): void {
    if (frames === 0) return;
    this.#tally.gaps = (this.#tally.gaps + 1) | 0;
    this.#report({
      kind: 'gap',
      cause,
      missingFrames: frames,
      concealedFrames: Math.max(0, Math.min(frames, concealed)) + recovered,
      startMs,
      durationMs: frames * PTIME_MS,
    });
  }
}

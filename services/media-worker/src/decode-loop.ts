import type { DecoderPool } from '@earshot/media-session';
import {
  FRAME_SAMPLES,
  FrameRing,
  FrameSlot,
  StreamCounters,
  StreamPipeline,
  StreamRunner,
} from '@earshot/media-session';
import type { ThreadCommand, ThreadReport } from './thread-messages.js';

/** Records taken from one stream before the next has its turn. */
const RECORDS_PER_VISIT = 32;

/** Eager streams tell of progress after this many records, and when all is done. */
const RECORDS_PER_PROGRESS = 48;

type Item = Extract<ThreadReport, { kind: 'findings' }>['items'][number];

interface Entry {
  readonly eager: boolean;
  readonly runner: StreamRunner;
}

export interface DecodeLoopOptions {
  readonly decoders: DecoderPool;
  post(report: ThreadReport): void;
}

/** The streams of one decode thread, moved on turn by turn. Knows no thread and no clock. */
export class DecodeLoop {
  readonly #decoders: DecoderPool;
  readonly #post: (report: ThreadReport) => void;
  readonly #streams: Entry[] = [];
  readonly #pcm: Int16Array = new Int16Array(FRAME_SAMPLES);
  readonly #slot: FrameSlot = new FrameSlot();
  #items: Item[] = [];
  #eagerRecords = 0;

  constructor({ decoders, post }: DecodeLoopOptions) {
    this.#decoders = decoders;
    this.#post = post;
  }

  open(command: Extract<ThreadCommand, { kind: 'open' }>): void {
    const { handle, eager, codec } = command;
    const counters = new StreamCounters(command.counters);
    const pipeline = new StreamPipeline({
      firstSequence: counters.get('expected'),
      codec,
      decoders: this.#decoders,
      counters,
      pcm: this.#pcm,
      sink: (finding) => this.#items.push({ handle, finding }),
    });
    const ring = new FrameRing(command.ring);
    this.#streams.push({ eager, runner: new StreamRunner({ ring, pipeline, slot: this.#slot }) });
  }

  /** Visits every stream once; true when there was something to do. */
  turn(): boolean {
    let records = 0;
    let finished = 0;
    for (let i = 0; i < this.#streams.length; i += 1) {
      const entry = this.#streams[i]!;
      const taken = entry.runner.run(RECORDS_PER_VISIT);
      records += taken;
      if (entry.eager) this.#eagerRecords += taken;
      if (entry.runner.finished) finished += 1;
    }
    if (finished > 0) this.#forgetFinished();
    if (this.#items.length > 0) {
      this.#post({ kind: 'findings', items: this.#items });
      this.#items = [];
    }
    this.#tellProgress(records === 0);
    return records > 0 || finished > 0;
  }

  #tellProgress(idle: boolean): void {
    if (this.#eagerRecords < (idle ? 1 : RECORDS_PER_PROGRESS)) return;
    this.#eagerRecords = 0;
    this.#post({ kind: 'progress' });
  }

  #forgetFinished(): void {
    let kept = 0;
    for (const entry of this.#streams) {
      if (!entry.runner.finished) this.#streams[kept++] = entry;
    }
    this.#streams.length = kept;
  }
}

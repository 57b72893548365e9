import type {
  CarriesPrevious,
  DecodeBatch,
  DecoderPool,
  SpeechModel,
} from '@earshot/media-session';
import {
  FRAME_SAMPLES,
  FrameRing,
  FrameSlot,
  PcmRing,
  StreamPipeline,
  StreamRunner,
  TAKEN,
} from '@earshot/media-session';
import type { LatencyHistogram } from './latency-histogram.js';
import type { ReadyStreams } from './ready-streams.js';
import type { PcmShare, ThreadCommand, ThreadReport } from './thread-messages.js';

/** Records taken from one stream in a turn, one a round, so that none starves others. */
const MAX_ROUNDS = 32;

/** Records in a turn after whose round commands are looked for. */
const MAX_RECORDS_PER_TURN = 1024;

/** Eager streams tell of progress after this many records, and when all is done. */
const RECORDS_PER_PROGRESS = 48;

type Item = Extract<ThreadReport, { kind: 'findings' }>['items'][number];
type OpenCommand = Extract<ThreadCommand, { kind: 'open' }>;
type ListenCommand = Extract<ThreadCommand, { kind: 'listen' }>;

interface Stream {
  readonly handle: number;
  readonly eager: boolean;
  readonly runner: StreamRunner;
  readonly pipeline: StreamPipeline;
}

export interface DecodeLoopOptions {
  readonly decoders: DecoderPool;
  readonly carriesPrevious: CarriesPrevious;
  /** Confirms what may be speech; absent: speech is told by level alone. */
  readonly speechModel?: SpeechModel | undefined;
  /** Most streams at once. */
  readonly capacity: number;
  readonly ready: ReadyStreams;
  /** Takes the age of each frame when what was found in it is out. */
  readonly latencies: LatencyHistogram;
  /** The clock that the rings' `receivedMicros` are of. */
  nowMicros(): number;
  /** Told after each batch how long the codec took. */
  onCodecMicros(micros: number): void;
  post(report: ThreadReport): void;
}

/**
 * The streams of one decode thread, moved on turn by turn. A round takes at most one record of each
 * stream that has any, straight into the packets of the codec's batch:
 *
 * ```
 *   ring of A ─┐  order, gaps    packet 0 ─┐  one call   PCM 0 ─┐  level, tones, speech
 *   ring of B ─┼───────────────► packet 1 ─┼───────────► PCM 1 ─┼──────────────────────► findings
 *   ring of C ─┘  (silence ends  packet 2 ─┘             PCM 2 ─┘                        numbers, ages
 *                  here)
 * ```
 *
 * What may be speech is then heard by the model, in one call too, before findings are let out.
 *
 * Once findings are posted, the numbers of their streams are published: a thread that dies in between
 * leaves frames that count as missing, and none that counts twice. Knows no thread. Allocates nothing
 * but findings.
 */
export class DecodeLoop {
  readonly #options: DecodeLoopOptions;
  readonly #ready: ReadyStreams;
  readonly #batch: DecodeBatch;
  /** Over the packets of the batch, entry by entry. */
  readonly #slots: readonly FrameSlot[];
  /** By index. */
  readonly #streams: (Stream | undefined)[];
  /** Indexes of the streams that may have records; as far as `#activeCount`. */
  readonly #active: Int32Array;
  readonly #isActive: Uint8Array;
  #activeCount = 0;
  /** Index of the stream of each entry of the batch; as far as `#packetCount`. */
  readonly #entries: Int32Array;
  #packetCount = 0;
  /** Indexes of the streams with unpublished numbers, and when their records came. */
  readonly #touched: Int32Array;
  readonly #receivedMicros: Int32Array;
  #touchedCount = 0;
  #items: Item[] = [];
  #eagerRecords = 0;

  /** @throws RangeError when the entries of the batch can't hold a frame. */
  constructor(options: DecodeLoopOptions) {
    const { capacity, decoders } = options;
    const { batch } = decoders;
    if (batch.pcm.some((pcm) => pcm.length !== FRAME_SAMPLES)) {
      throw new RangeError(
        `Cannot decode: a batch entry must hold ${FRAME_SAMPLES} samples, got ${batch.pcm[0]?.length}`,
      );
    }
    this.#options = options;
    this.#ready = options.ready;
    this.#batch = batch;
    this.#slots = batch.packets.map((packet) => new FrameSlot(packet));
    this.#streams = Array.from({ length: capacity }, () => undefined);
    this.#active = new Int32Array(capacity);
    this.#isActive = new Uint8Array(capacity);
    this.#entries = new Int32Array(batch.entries);
    this.#touched = new Int32Array(capacity);
    this.#receivedMicros = new Int32Array(capacity);
  }

  /** Takes a stream on; what its ring holds already is taken with the next turn. */
  open({ handle, index, eager, codec, listening, tones, counters, ring, pcm }: OpenCommand): void {
    const pipeline = new StreamPipeline({
      codec,
      listening,
      tones,
      decoders: this.#options.decoders,
      carriesPrevious: this.#options.carriesPrevious,
      speechModel: this.#options.speechModel,
      counters,
      listener: listenerOf(pcm),
      sink: (finding) => this.#items.push({ handle, finding }),
    });
    const runner = new StreamRunner({ ring: new FrameRing(ring), pipeline });
    this.#streams[index] = { handle, eager, runner, pipeline };
    this.#ready.mark(index);
  }

  /** Has what is heard in a stream go elsewhere, if it is still open. */
  listen({ handle, index, pcm }: ListenCommand): void {
    const stream = this.#streams[index];
    if (stream?.handle === handle) stream.runner.listen(listenerOf(pcm));
  }

  /** Tells these tones of a stream besides digits; one that is over has none. */
  listenForTones({ handle, index, tones }: Extract<ThreadCommand, { kind: 'tones' }>): void {
    const stream = this.#streams[index];
    if (stream?.handle === handle) stream.pipeline.listenForTones(tones);
  }

  /** Takes what there is, within bounds; true when there was something to do. */
  turn(): boolean {
    let records = 0;
    let worked = false;
    for (let round = 0; round < MAX_ROUNDS && records < MAX_RECORDS_PER_TURN; round += 1) {
      this.#activeCount = this.#ready.take(this.#active, this.#activeCount, this.#isActive);
      if (this.#activeCount === 0) break;
      worked = true;
      records += this.#round();
    }
    this.#tellProgress(records === 0);
    return worked;
  }

  /** One record of each active stream; those that have none are active no more. */
  #round(): number {
    let records = 0;
    let kept = 0;
    for (let i = 0; i < this.#activeCount; i += 1) {
      const index = this.#active[i]!;
      if (this.#take(index)) {
        this.#active[kept] = index;
        kept += 1;
        records += 1;
      } else {
        this.#isActive[index] = 0;
      }
      if (this.#packetCount === this.#batch.entries) this.#complete();
    }
    this.#activeCount = kept;
    this.#complete();
    return records;
  }

  /** Takes one record of a stream; false when there was none. */
  #take(index: number): boolean {
    const stream = this.#streams[index];
    // A mark that was set as the stream ended.
    if (stream === undefined) return false;
    const entry = this.#packetCount;
    const slot = this.#slots[entry]!;
    try {
      const taken = stream.runner.take(slot, this.#batch.pcm[entry]!);
      if (taken === TAKEN.packet) {
        this.#batch.set(entry, stream.runner.decoder, slot.length);
        this.#entries[entry] = index;
        this.#packetCount = entry + 1;
      }
      if (taken === TAKEN.nothing) {
        if (stream.runner.finished) this.#forget(index, stream);
        return false;
      }
    } catch (error) {
      this.#fail(index, stream, error);
      return false;
    }
    if (stream.eager) this.#eagerRecords += 1;
    this.#touched[this.#touchedCount] = index;
    this.#receivedMicros[this.#touchedCount] = slot.receivedMicros;
    this.#touchedCount += 1;
    return true;
  }

  /** Decodes the packets at hand, listens to them, and lets out what was found so far. */
  #complete(): void {
    const count = this.#packetCount;
    if (count > 0) {
      const startMicros = this.#options.nowMicros();
      this.#batch.run(count);
      this.#options.onCodecMicros((this.#options.nowMicros() - startMicros) | 0);
      this.#packetCount = 0;
      for (let entry = 0; entry < count; entry += 1) this.#listen(entry);
    }
    if (this.#options.speechModel !== undefined) this.#settle(this.#options.speechModel);
    if (this.#items.length > 0) this.#postFindings();
    if (this.#touchedCount > 0) this.#publish();
  }

  #listen(entry: number): void {
    const index = this.#entries[entry]!;
    const stream = this.#streams[index];
    if (stream === undefined) return;
    try {
      stream.runner.decoded(this.#batch.results[entry]!, this.#batch.pcm[entry]!);
    } catch (error) {
      this.#fail(index, stream, error);
    }
  }

  /** The model hears the windows that are full, of all streams at once. */
  #settle(model: SpeechModel): void {
    model.run();
    for (let i = 0; i < this.#touchedCount; i += 1) {
      const index = this.#touched[i]!;
      const stream = this.#streams[index];
      if (stream === undefined) continue;
      try {
        stream.runner.settle();
      } catch (error) {
        this.#fail(index, stream, error);
      }
    }
  }

  #postFindings(): void {
    this.#options.post({ kind: 'findings', items: this.#items });
    this.#items = [];
  }

  #publish(): void {
    const { latencies } = this.#options;
    const now = this.#options.nowMicros();
    for (let i = 0; i < this.#touchedCount; i += 1) {
      this.#streams[this.#touched[i]!]?.runner.publish();
      latencies.record((now - this.#receivedMicros[i]!) | 0);
    }
    this.#touchedCount = 0;
  }

  /** A stream whose pipeline throws is closed, and costs no other anything. */
  #fail(index: number, stream: Stream, error: unknown): void {
    const { handle, runner } = stream;
    this.#options.post({ kind: 'streamFailed', handle, error: describe(error) });
    try {
      runner.fail();
    } catch (second) {
      this.#options.post({ kind: 'streamFailed', handle, error: describe(second) });
    }
    this.#forget(index, stream);
  }

  #forget(index: number, { runner }: Stream): void {
    if (this.#items.length > 0) this.#postFindings();
    runner.publish();
    this.#streams[index] = undefined;
  }

  #tellProgress(idle: boolean): void {
    if (this.#eagerRecords < (idle ? 1 : RECORDS_PER_PROGRESS)) return;
    this.#eagerRecords = 0;
    this.#options.post({ kind: 'progress' });
  }
}

function listenerOf(pcm: PcmShare | undefined): PcmRing | undefined {
  return pcm === undefined ? undefined : new PcmRing(pcm.ring, pcm.bell);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

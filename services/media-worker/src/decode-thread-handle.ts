import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '@earshot/async';
import type { OtherToneKind } from '@earshot/listening';
import type { Finding } from '@earshot/media-session';
import type { OpusEngineName } from '@earshot/opus';
import type { SpeechModelName } from '@earshot/speech-model';
import type { Latencies } from './latency-histogram.js';
import { LatencyHistogram } from './latency-histogram.js';
import type { WorkerLog } from './log.js';
import { ReadyStreams } from './ready-streams.js';
import type {
  DecodeEngine,
  PcmShare,
  ThreadCommand,
  ThreadReport,
  ThreadSetup,
} from './thread-messages.js';
import { SIGNAL, SIGNAL_WORDS } from './thread-messages.js';

/** A replacement waits so long, doubling with each in a row, so that a bug can't spin. */
const RESTART_DELAY_MS = 50;
const MAX_RESTART_DELAY_MS = 5000;

/** How long a thread may take to stop when asked before it is ended. */
const STOP_DEADLINE_MS = 1000;

export interface DecodeThreadOptions {
  readonly index: number;
  readonly capacity: number;
  readonly opusEngine: OpusEngineName;
  readonly speechModel: SpeechModelName;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** What the thread runs; the decode thread by default. */
  readonly entry?: URL;
  onProgress(): void;
}

const ENTRY = new URL('./decode-thread.js', import.meta.url);

type OpenCommand = Extract<ThreadCommand, { kind: 'open' }>;

interface NewStream extends Omit<OpenCommand, 'kind' | 'index'> {
  onFinding(finding: Finding): void;
}

type OpenedStream = Omit<NewStream, 'pcm' | 'tones'> &
  Pick<OpenCommand, 'index'> & {
    pcm: PcmShare | undefined;
    tones: readonly OtherToneKind[];
  };

/** The I/O thread's end of one decode thread, over all its replacements. */
export class DecodeThread {
  /** Resolves once the first thread decodes; rejects when it fails to start. */
  readonly ready: Promise<void>;
  readonly #options: DecodeThreadOptions;
  readonly #signals: Int32Array;
  readonly #ready: ReadyStreams;
  readonly #latencies: LatencyHistogram;
  readonly #setup: ThreadSetup;
  /** Bits of `ReadyStreams` that no stream has. */
  readonly #freeIndexes: number[];
  readonly #streams = new Map<number, OpenedStream>();
  #worker: Worker;
  #everReady = false;
  #closing: Promise<void> | undefined;
  #touched = false;
  #restarts = 0;
  #failedStreams = 0;
  #engine: DecodeEngine | undefined;
  #failuresInARow = 0;
  #turnsSeen = -1;
  #suspect = false;
  /** For `stillMs`: turns at its last look, and when it last saw the thread work or rest. */
  #turnsLooked = -1;
  #movedAtMs: number;
  /** The present thread decodes: it started, and was not told to end. */
  #working = false;
  #cancelRestart: Cancel = () => {};
  #settleReady: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(options: DecodeThreadOptions) {
    this.#options = options;
    this.#movedAtMs = options.clock.nowMs();
    const { capacity, opusEngine, speechModel } = options;
    const signals = new SharedArrayBuffer(SIGNAL_WORDS * 4);
    const ready = ReadyStreams.allocate(capacity);
    const latencies = LatencyHistogram.allocate();
    this.#signals = new Int32Array(signals);
    this.#ready = new ReadyStreams(ready);
    this.#latencies = new LatencyHistogram(latencies);
    this.#freeIndexes = Array.from({ length: capacity }, (_, n) => capacity - 1 - n);
    this.#setup = { signals, ready, latencies, capacity, opusEngine, speechModel };
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#worker = this.#spawn();
  }

  /** Streams pinned to this thread. */
  get streams(): number {
    return this.#streams.size;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Time spent working since the start, µs, wrapping at 2^32. */
  get busyMicros(): number {
    return Atomics.load(this.#signals, SIGNAL.busyMicros) >>> 0;
  }

  /** Of it, time spent in the codec's batches. */
  get codecMicros(): number {
    return Atomics.load(this.#signals, SIGNAL.codecMicros) >>> 0;
  }

  /** Streams that were closed because their pipeline threw. */
  get failedStreams(): number {
    return this.#failedStreams;
  }

  /** The codec in use, once ready. */
  get engine(): DecodeEngine | undefined {
    return this.#engine;
  }

  /** From a frame's arrival on the I/O thread to what was found in it being out, all streams. */
  latencies(): Latencies {
    return this.#latencies.read();
  }

  /**
   * Takes a stream on.
   *
   * @returns its number for `touch`, good until it is closed.
   * @throws RangeError beyond the capacity.
   */
  open(stream: NewStream): number {
    const index = this.#freeIndexes.pop();
    if (index === undefined) {
      throw new RangeError(
        `Cannot open a stream: a thread has at most ${this.#options.capacity}, got one more`,
      );
    }
    const opened = { ...stream, pcm: stream.pcm, index };
    this.#streams.set(stream.handle, opened);
    this.#sendOpen(opened);
    return index;
  }

  /** Has what is heard in a stream go elsewhere; undefined: nowhere. */
  listen(handle: number, pcm: PcmShare | undefined): void {
    const stream = this.#streams.get(handle);
    if (stream === undefined) return;
    stream.pcm = pcm;
    this.#send({ kind: 'listen', handle, index: stream.index, pcm });
    this.#wake();
  }

  /** Has the thread look at the stream's ring once the doorbell rings. */
  touch(index: number): void {
    this.#ready.mark(index);
    this.#touched = true;
  }

  /** From now on these are told of a stream besides digits. */
  listenForTones(handle: number, tones: readonly OtherToneKind[]): void {
    const stream = this.#streams.get(handle);
    if (stream === undefined) return;
    stream.tones = tones;
    this.#send({ kind: 'tones', handle, index: stream.index, tones });
    this.#wake();
  }

  /** Wakes the thread if a stream of it was touched. */
  ringDoorbell(): void {
    if (!this.#touched) return;
    this.#touched = false;
    this.#wake();
  }

  /** The thread has seen all that its doorbell rang for. */
  get answered(): boolean {
    const doorbell = Atomics.load(this.#signals, SIGNAL.doorbell);
    return doorbell === Atomics.load(this.#signals, SIGNAL.answered);
  }

  /** How long it has not worked though there is work, or is being replaced; call it once a second. */
  stillMs(): number {
    const nowMs = this.#options.clock.nowMs();
    const turns = Atomics.load(this.#signals, SIGNAL.turns);
    const moves = this.#working && (this.answered || turns !== this.#turnsLooked);
    this.#turnsLooked = turns;
    if (moves) this.#movedAtMs = nowMs;
    return nowMs - this.#movedAtMs;
  }

  /**
   * Ends a thread that did no turn between two calls although its doorbell had rung. One that is
   * still starting is let be: a busy machine may take long.
   */
  replaceIfHung(): void {
    const turns = Atomics.load(this.#signals, SIGNAL.turns);
    const hung = this.#suspect && turns === this.#turnsSeen;
    this.#turnsSeen = turns;
    this.#suspect = this.#working && !this.answered;
    if (hung && this.#working) this.terminate();
  }

  /** Ends the thread at once, as a crash would; it is replaced. */
  terminate(): void {
    this.#working = false;
    void this.#worker.terminate();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelRestart();
    const worker = this.#worker;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    if (worker.threadId === -1) return;
    this.#send({ kind: 'stop' });
    this.#wake();
    const { clock } = this.#options;
    const cancel = clock.at(clock.nowMs() + STOP_DEADLINE_MS, () => this.terminate());
    await exited;
    cancel();
  }

  #spawn(): Worker {
    const worker = new Worker(this.#options.entry ?? ENTRY, {
      workerData: this.#setup,
      name: `decode-${this.#options.index}`,
    });
    worker.on('message', (report: ThreadReport) => this.#take(report));
    worker.on('error', (error) => this.#failed(error));
    worker.on('exit', () => this.#exited());
    return worker;
  }

  #take(report: ThreadReport): void {
    switch (report.kind) {
      case 'ready':
        this.#everReady = true;
        this.#working = true;
        this.#engine = report.engine;
        this.#settleReady?.resolve();
        return;
      case 'progress':
        this.#options.onProgress();
        return;
      case 'findings':
        this.#failuresInARow = 0;
        for (const { handle, finding } of report.items) this.#found(handle, finding);
        return;
      case 'streamFailed':
        this.#streamFailed(report.error);
        return;
    }
  }

  #found(handle: number, finding: Finding): void {
    const stream = this.#streams.get(handle);
    if (stream === undefined) return;
    if (finding.kind === 'closed') {
      this.#streams.delete(handle);
      this.#freeIndexes.push(stream.index);
    }
    stream.onFinding(finding);
  }

  #streamFailed(error: string): void {
    this.#failedStreams += 1;
    const { log, index } = this.#options;
    log.error('stream failed and is closed', { thread: index, error });
  }

  #failed(error: unknown): void {
    this.#settleReady?.reject(error);
    this.#options.log.error('decode thread failed', {
      thread: this.#options.index,
      error: error instanceof Error ? error.message : String(error),
    });
  }

  #exited(): void {
    this.#settleReady?.reject(new Error('the thread ended before it was ready'));
    if (this.#closing !== undefined || !this.#everReady) return;
    const { clock, log, index } = this.#options;
    const delayMs = Math.min(RESTART_DELAY_MS * 2 ** this.#failuresInARow, MAX_RESTART_DELAY_MS);
    log.error('decode thread ended; it is replaced', { thread: index, delayMs });
    this.#cancelRestart = clock.at(clock.nowMs() + delayMs, () => this.#restart());
  }

  #restart(): void {
    this.#restarts += 1;
    this.#failuresInARow += 1;
    this.#worker = this.#spawn();
    for (const stream of this.#streams.values()) this.#sendOpen(stream);
  }

  #sendOpen({ onFinding: _, ...stream }: OpenedStream): void {
    this.#send({ kind: 'open', ...stream });
    this.#wake();
  }

  #send(command: ThreadCommand): void {
    this.#worker.postMessage(command);
  }

  #wake(): void {
    Atomics.add(this.#signals, SIGNAL.doorbell, 1);
    Atomics.notify(this.#signals, SIGNAL.doorbell);
  }
}

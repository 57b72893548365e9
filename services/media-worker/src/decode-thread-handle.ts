import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '@earshot/async';
import type { Finding } from '@earshot/media-session';
import type { WorkerLog } from './log.js';
import type { ThreadCommand, ThreadReport, ThreadSetup } from './thread-messages.js';
import { SIGNAL, SIGNAL_WORDS } from './thread-messages.js';

/** A replacement waits so long, doubling with each in a row, so that a bug can't spin. */
const RESTART_DELAY_MS = 50;
const MAX_RESTART_DELAY_MS = 5000;

/** How long a thread may take to stop when asked before it is ended. */
const STOP_DEADLINE_MS = 1000;

export interface DecodeThreadOptions {
  readonly index: number;
  readonly capacity: number;
  readonly clock: Clock;
  readonly log: WorkerLog;
  onProgress(): void;
}

type OpenCommand = Extract<ThreadCommand, { kind: 'open' }>;

interface OpenedStream extends Omit<OpenCommand, 'kind'> {
  onFinding(finding: Finding): void;
}

/** The I/O thread's end of one decode thread, over all its replacements. */
export class DecodeThread {
  /** Resolves once the first thread decodes; rejects when it fails to start. */
  readonly ready: Promise<void>;
  readonly #options: DecodeThreadOptions;
  readonly #signals: Int32Array;
  readonly #setup: ThreadSetup;
  readonly #streams = new Map<number, OpenedStream>();
  #worker: Worker;
  #everReady = false;
  #closing: Promise<void> | undefined;
  #touched = false;
  #restarts = 0;
  #failuresInARow = 0;
  #turnsSeen = -1;
  #suspect = false;
  #cancelRestart: Cancel = () => {};
  #settleReady: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(options: DecodeThreadOptions) {
    this.#options = options;
    const signals = new SharedArrayBuffer(SIGNAL_WORDS * 4);
    this.#signals = new Int32Array(signals);
    this.#setup = { signals, capacity: options.capacity };
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

  open(stream: OpenedStream): void {
    this.#streams.set(stream.handle, stream);
    this.#sendOpen(stream);
  }

  touch(): void {
    this.#touched = true;
  }

  /** Wakes the thread if a stream of it was touched. */
  ringDoorbell(): void {
    if (!this.#touched) return;
    this.#touched = false;
    this.#wake();
  }

  /** Ends a thread that did no turn between two calls although its doorbell had rung. */
  replaceIfHung(): void {
    const turns = Atomics.load(this.#signals, SIGNAL.turns);
    const hung = this.#suspect && turns === this.#turnsSeen;
    this.#turnsSeen = turns;
    this.#suspect =
      Atomics.load(this.#signals, SIGNAL.doorbell) !== Atomics.load(this.#signals, SIGNAL.answered);
    if (hung) this.terminate();
  }

  /** Ends the thread at once, as a crash would; it is replaced. */
  terminate(): void {
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
    const worker = new Worker(new URL('./decode-thread.js', import.meta.url), {
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
        this.#settleReady?.resolve();
        return;
      case 'progress':
        this.#options.onProgress();
        return;
      case 'findings':
        this.#failuresInARow = 0;
        for (const { handle, finding } of report.items) this.#found(handle, finding);
        return;
    }
  }

  #found(handle: number, finding: Finding): void {
    const stream = this.#streams.get(handle);
    if (finding.kind === 'closed') this.#streams.delete(handle);
    stream?.onFinding(finding);
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

  #sendOpen({ handle, ring, counters, codec, eager }: OpenedStream): void {
    this.#send({ kind: 'open', handle, ring, counters, codec, eager });
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

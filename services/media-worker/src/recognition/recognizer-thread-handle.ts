import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '@earshot/async';
import type { WorkerLog } from '../log.js';
import type { EngineSettings } from './engine-settings.js';
import type {
  ListenTask,
  RecognizerCommand,
  RecognizerLimits,
  RecognizerLoad,
  RecognizerReport,
  RecognizerThreadSetup,
} from './recognition-messages.js';
import { NO_STREAM, VITAL, VITAL_WORDS } from './recognition-messages.js';
import { sumEngines, sumSwitches } from './sum-engines.js';
import type { Resumption } from './utterance-trail.js';

/** A replacement waits so long, doubling with each in a row, so that a bug can't spin. */
const RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 10_000;

/** A thread without a turn in so many looks in a row hangs; each time in a row it has twice as many. */
const MAX_STILL_LOOKS = 4;
const MAX_PATIENCE = 8;

/** How long a thread may take to stop when asked before it is ended. */
const STOP_DEADLINE_MS = 500;

const ENTRY = new URL('./recognizer-thread.js', import.meta.url);

export interface RecognizerThreadOptions {
  readonly index: number;
  /** Exports `createRecognizers`, which is given `engines`. */
  readonly module: URL;
  readonly engines: EngineSettings;
  readonly limits: RecognizerLimits;
  readonly clock: Clock;
  readonly log: WorkerLog;
  onProgress(): void;
}

/** One stream that the thread listens to. */
export interface ThreadStream {
  readonly ring: SharedArrayBuffer;
  readonly tasks: readonly ListenTask[];
  readonly eager: boolean;
  /** In order; `closed` is the last. */
  onReport(report: StreamReport): void;
  /** How the first thread begins with it. */
  readonly resumption: Resumption;
  /** The thread ended, by what it did for this stream if `wasAtWork`; another goes on. */
  onThreadLost(wasAtWork: boolean): void;
  /** How that one is to go on. */
  goOn(): Resumption;
}

/** What is told of one stream. */
export type StreamReport = Extract<RecognizerReport, { handle: number }>;

/** The I/O thread's end of one recognizer thread, over all its replacements; begun with its first stream. */
export class RecognizerThread {
  /** Memory that wakes the thread. */
  readonly bell: SharedArrayBuffer = new SharedArrayBuffer(4);
  readonly #options: RecognizerThreadOptions;
  readonly #vitals: Int32Array;
  #isReady = false;
  #turnsSeen = 0;
  #stillLooks = 0;
  readonly #setup: RecognizerThreadSetup;
  readonly #streams = new Map<number, ThreadStream & { isFinishing: boolean }>();
  #worker: Worker | undefined;
  #load: RecognizerLoad | undefined;
  /** What the threads that this one replaced did. */
  #loadBefore: RecognizerLoad | undefined;
  #restarts = 0;
  #failuresInARow = 0;
  #isClosing = false;
  #cancelRestart: Cancel = () => {};

  constructor(options: RecognizerThreadOptions) {
    this.#options = options;
    const { module, engines, limits } = options;
    const vitals = new SharedArrayBuffer(VITAL_WORDS * 4);
    this.#vitals = new Int32Array(vitals);
    this.#setup = { bell: this.bell, vitals, module: module.href, engines, limits };
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  get streams(): number {
    return this.#streams.size;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** As told last; undefined before it began. */
  get load(): RecognizerLoad | undefined {
    return this.#load;
  }

  /** The present one's, and of those before what they did, whose counts go on. */
  get loads(): readonly RecognizerLoad[] {
    return [this.#loadBefore, this.#load].filter((load) => load !== undefined);
  }

  listen(handle: number, stream: ThreadStream): void {
    this.#streams.set(handle, { ...stream, isFinishing: false });
    if (this.#worker === undefined && this.#restarts === 0) this.#worker = this.#spawn();
    this.#sendListen(handle, stream, stream.resumption);
  }

  /** Nothing more is put into the stream's ring. */
  finish(handle: number): void {
    const stream = this.#streams.get(handle);
    if (stream === undefined) return;
    stream.isFinishing = true;
    this.#send({ kind: 'finish', handle });
  }

  /** The stream's host is there, and sends nothing of its source. */
  stalled(handle: number): void {
    this.#send({ kind: 'stalled', handle });
  }

  /** Ends a thread that hangs; to be called at even times. */
  look(): void {
    const turns = Atomics.load(this.#vitals, VITAL.turns);
    this.#stillLooks = this.#isReady && turns === this.#turnsSeen ? this.#stillLooks + 1 : 0;
    this.#turnsSeen = turns;
    const patience = Math.min(2 ** this.#failuresInARow, MAX_PATIENCE);
    if (this.#stillLooks < MAX_STILL_LOOKS * patience) return;
    this.#isReady = false;
    this.#options.log.error('recognizer thread hangs', { thread: this.#options.index });
    this.terminate();
  }

  /** Ends the thread at once, as a crash would; it is replaced. */
  terminate(): void {
    void this.#worker?.terminate();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#cancelRestart();
    const worker = this.#worker;
    if (worker === undefined || worker.threadId === -1) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#send({ kind: 'stop' });
    const { clock } = this.#options;
    const cancel = clock.at(clock.nowMs() + STOP_DEADLINE_MS, () => this.terminate());
    await exited;
    cancel();
  }

  #spawn(): Worker {
    Atomics.store(this.#vitals, VITAL.stream, NO_STREAM);
    const worker = new Worker(ENTRY, {
      workerData: this.#setup,
      name: `recognizer-${this.#options.index}`,
    });
    worker.on('message', (report: RecognizerReport) => this.#take(report));
    worker.on('error', (error) => this.#failed(error));
    worker.on('exit', () => this.#exited());
    return worker;
  }

  #take(report: RecognizerReport): void {
    switch (report.kind) {
      case 'ready':
        this.#isReady = true;
        return;
      case 'load':
        this.#load = report.load;
        return;
      case 'progress':
        this.#options.onProgress();
        return;
      case 'closed':
        this.#streams.get(report.handle)?.onReport(report);
        this.#streams.delete(report.handle);
        return;
      default:
        if (report.kind === 'finished') this.#failuresInARow = 0;
        this.#streams.get(report.handle)?.onReport(report);
    }
  }

  #failed(error: unknown): void {
    this.#options.log.error('recognizer thread failed', {
      thread: this.#options.index,
      error: error instanceof Error ? error.message : String(error),
    });
  }

  #exited(): void {
    this.#worker = undefined;
    this.#isReady = false;
    this.#loadBefore = doneBy(this.loads);
    this.#load = undefined;
    if (this.#isClosing) return;
    const { clock, log, index } = this.#options;
    const delayMs = Math.min(RESTART_DELAY_MS * 2 ** this.#failuresInARow, MAX_RESTART_DELAY_MS);
    log.error('recognizer thread ended; it is replaced', { thread: index, delayMs });
    const atWork = Atomics.load(this.#vitals, VITAL.stream);
    for (const [handle, stream] of this.#streams) {
      stream.onThreadLost(atWork === NO_STREAM || atWork === handle);
    }
    this.#restarts += 1;
    this.#failuresInARow += 1;
    this.#cancelRestart = clock.at(clock.nowMs() + delayMs, () => this.#restart());
  }

  #restart(): void {
    this.#worker = this.#spawn();
    for (const [handle, stream] of this.#streams) {
      this.#sendListen(handle, stream, stream.goOn());
      if (stream.isFinishing) this.#send({ kind: 'finish', handle });
    }
  }

  #sendListen(
    handle: number,
    { ring, tasks, eager }: ThreadStream,
    { resumes, known }: Resumption,
  ): void {
    this.#send({ kind: 'listen', handle, ring, tasks, eager, resumes, known });
  }

  #send(command: RecognizerCommand): void {
    this.#worker?.postMessage(command);
  }
}

/** What is left of threads that ended. */
function doneBy(loads: readonly RecognizerLoad[]): RecognizerLoad {
  return {
    backlogMs: 0,
    sessions: 0,
    partialsOff: false,
    timesPartialsOff: loads.reduce((sum, { timesPartialsOff }) => sum + timesPartialsOff, 0),
    engines: sumEngines(loads.flatMap(({ engines }) => engines)),
    switches: sumSwitches(loads.flatMap(({ switches }) => switches)),
  };
}

import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import { MAX_LOOK_BACK_MS, PcmRing } from '@earshot/media-session';
import { failoverTimes } from '@earshot/recognition';
import type { WorkerLog } from '../log.js';
import type { PcmShare } from '../thread-messages.js';
import type { EngineSettings } from './engine-settings.js';
import { enginesSetUp } from './engine-settings.js';
import { RecognitionCounts } from './recognition-counts.js';
import type { ListenTask, RecognizerLimits, RecognizerLoad } from './recognition-messages.js';
import type { StreamReport } from './recognizer-thread-handle.js';
import { RecognizerThread } from './recognizer-thread-handle.js';
import { sumEngines, sumSwitches } from './sum-engines.js';
import { utteranceLimitMs } from './utterance-limits.js';
import type { ToldUtterances } from './utterance-trail.js';
import { UtteranceTrail } from './utterance-trail.js';

/** Least slots of a stream's ring for frames that wait: 10 s. The newest utterance is kept beside. */
const WAITING_SLOTS = 512;

/** Sound in a slot. */
const SLOT_MS = 20;

/** A thread that shows no turn for so long is replaced. */
const HANG_MS = 10_000;
const LOOKS = 4;

const ENGINES = new URL('./engines.js', import.meta.url);

export interface RecognizerPoolOptions {
  readonly threads: number;
  /** What recognizers are made of, for `createRecognizers`; plain data. */
  readonly engines: EngineSettings;
  readonly limits: RecognizerLimits;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Exports `createRecognizers`; that of this worker by default. */
  readonly module?: URL | undefined;
  /** How long a thread may take for one turn. @defaultValue 10 000 */
  readonly hangMs?: number | undefined;
  /** Eager streams moved on. */
  onProgress(): void;
}

/** `backlogMs` is that of the thread that has the most. */
export interface PoolLoad extends RecognizerLoad {
  /** Threads that run. */
  readonly running: number;
  /** Work that waits in all of them, as the time that it takes, ms. */
  readonly waitingMs: number;
}

export interface ListenOptions {
  readonly tasks: readonly ListenTask[];
  /** Nothing is ever too late: the host waits for progress, not for the clock. */
  readonly eager: boolean;
  /** Where the stream is. */
  readonly firstSequence: number;
  /** Most frames that may be on their way beyond what the host was told. */
  readonly creditFrames: number;
  /** What was told of the stream; added to. */
  readonly told: ToldUtterances;
  onReport(report: StreamReport): void;
}

/** The I/O thread's end of one stream that is listened to. */
export interface ListenedStream {
  /** For its decode thread, which puts there what is heard. */
  readonly pcm: PcmShare;
  /** Of `received` frames, as many as the host may be told of: beyond them the ring would fill up. */
  cap(received: number): number;
  /** Its host is there, and sends nothing of its source. */
  stalled(): void;
  /** Nothing more is put into its ring. */
  finish(): void;
}

/**
 * The recognizer threads: none runs before it is needed. A stream is pinned to the one with the
 * fewest streams. One that dies or hangs is replaced, and what is not told of is heard again there, from
 * the sound that is kept; an utterance that two threads were lost with is told as skipped.
 */
export class RecognizerPool {
  readonly counts: RecognitionCounts = new RecognitionCounts();
  /** How long an utterance that has ended may take, with all recognizers that a call may ask for, ms. */
  readonly utteranceLimitMs: number;
  readonly threads: readonly RecognizerThread[];
  readonly #trails = new Set<UtteranceTrail>();
  readonly #cancelWatch: Cancel;
  #retriedBefore = 0;
  #handles = 0;

  constructor(options: RecognizerPoolOptions) {
    const module = options.module ?? ENGINES;
    this.utteranceLimitMs = limitOf(options.engines);
    this.threads = Array.from(
      { length: options.threads },
      (_, index) => new RecognizerThread({ ...options, module, index }),
    );
    this.#cancelWatch = every(options.clock, (options.hangMs ?? HANG_MS) / LOOKS, () => {
      for (const thread of this.threads) thread.look();
    });
  }

  /** Streams listened to, and those whose utterances are not told of yet. */
  get streams(): number {
    return this.threads.reduce((sum, { streams }) => sum + streams, 0);
  }

  get restarts(): number {
    return this.threads.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** Utterances that were given to another thread because theirs was lost. */
  get retried(): number {
    let retried = this.#retriedBefore;
    for (const trail of this.#trails) retried += trail.retried;
    return retried;
  }

  /** What all threads have to do and have done, those that were replaced too; as told lately. */
  load(): PoolLoad {
    const present = this.threads.flatMap(({ load }) => (load === undefined ? [] : [load]));
    const all = this.threads.flatMap(({ loads }) => loads);
    return {
      running: this.threads.filter(({ isRunning }) => isRunning).length,
      backlogMs: Math.max(0, ...present.map(({ backlogMs }) => backlogMs)),
      waitingMs: present.reduce((sum, { backlogMs }) => sum + backlogMs, 0),
      sessions: present.reduce((sum, { sessions }) => sum + sessions, 0),
      partialsOff: present.some(({ partialsOff }) => partialsOff),
      timesPartialsOff: all.reduce((sum, { timesPartialsOff }) => sum + timesPartialsOff, 0),
      engines: sumEngines(all.flatMap(({ engines }) => engines)),
      switches: sumSwitches(all.flatMap(({ switches }) => switches)),
    };
  }

  listen(options: ListenOptions): ListenedStream {
    const { tasks, eager, firstSequence, creditFrames, told, onReport } = options;
    const waiting = Math.min(Math.max(WAITING_SLOTS, powerOfTwo(creditFrames * 4)), 32_768);
    const room = waiting / 4;
    const ring = PcmRing.allocate(powerOfTwo(utteranceSlots(tasks) + waiting / 2), firstSequence);
    const reader = new PcmRing(ring);
    const thread = this.#leastLoaded();
    const handle = this.#handles++;
    const trail = new UtteranceTrail(handle, told);
    this.#trails.add(trail);
    const take = (report: StreamReport): void => {
      for (const each of trail.take(report)) {
        this.counts.take(each);
        onReport(each);
      }
      if (report.kind !== 'closed') return;
      this.#trails.delete(trail);
      this.#retriedBefore += trail.retried;
    };
    thread.listen(handle, {
      ring,
      tasks,
      eager,
      resumption: trail.resumption(Number.NEGATIVE_INFINITY),
      onReport: take,
      onThreadLost: (wasAtWork) => trail.threadLost(wasAtWork),
      goOn: () => {
        const firstMs = reader.rewind(trail.settledMs, room);
        return trail.resumption(Number.isNaN(firstMs) ? trail.settledMs : firstMs);
      },
    });
    return {
      pcm: { ring, bell: thread.bell },
      cap: (received) => {
        const most = (reader.consumed + room) >>> 0;
        return ((received - most) | 0) > 0 ? most : received;
      },
      stalled: () => thread.stalled(handle),
      finish: () => thread.finish(handle),
    };
  }

  async close(): Promise<void> {
    this.#cancelWatch();
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  #leastLoaded(): RecognizerThread {
    return this.threads.reduce((best, thread) => (thread.streams < best.streams ? thread : best));
  }
}

/** Phrases are of one that promises nothing. */
function limitOf(engines: EngineSettings): number {
  const dictation = failoverTimes(enginesSetUp(engines).length);
  return Math.max(utteranceLimitMs({}), utteranceLimitMs(dictation));
}

/** Frames of the longest utterance, from before its begin until it is known that it ended. */
function utteranceSlots(tasks: readonly ListenTask[]): number {
  const longest = Math.max(...tasks.map((task) => task.maxUtteranceMs + task.endpointMs));
  return Math.ceil((longest + MAX_LOOK_BACK_MS) / SLOT_MS);
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

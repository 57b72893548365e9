import type { Clock } from '@earshot/async';
import type { UtteranceStart } from '@earshot/media-session';
import { PcmRing } from '@earshot/media-session';
import type { WorkerLog } from '../log.js';
import type { PcmShare } from '../thread-messages.js';
import type { EngineSettings } from './engine-settings.js';
import { RecognitionCounts } from './recognition-counts.js';
import type {
  ListenTask,
  RecognizerLimits,
  RecognizerLoad,
  TaskKind,
} from './recognition-messages.js';
import type { StreamReport } from './recognizer-thread-handle.js';
import { RecognizerThread } from './recognizer-thread-handle.js';
import { sumEngines } from './sum-engines.js';

/** Slots of a stream's ring: 10 s of frames. */
const RING_SLOTS = 512;

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
  /** Eager streams moved on. */
  onProgress(): void;
}

/** `backlogMs` is that of the thread that has the most. */
export interface PoolLoad extends RecognizerLoad {
  /** Threads that run. */
  readonly running: number;
}

export interface ListenOptions {
  readonly tasks: readonly ListenTask[];
  /** Nothing is ever too late: the host waits for progress, not for the clock. */
  readonly eager: boolean;
  /** Where the stream is. */
  readonly firstSequence: number;
  /** Most frames that may be on their way beyond what the host was told. */
  readonly creditFrames: number;
  onReport(report: StreamReport): void;
}

/** The I/O thread's end of one stream that is listened to. */
export interface ListenedStream {
  /** For its decode thread, which puts there what is heard. */
  readonly pcm: PcmShare;
  /** Of `received` frames, as many as the host may be told of: beyond them the ring would fill up. */
  cap(received: number): number;
  /** Nothing more is put into its ring. */
  finish(): void;
}

/**
 * The recognizer threads: none runs before it is needed. A stream is pinned to the one with the
 * fewest streams. One that dies is replaced: what it was at is told as skipped.
 */
export class RecognizerPool {
  readonly counts: RecognitionCounts = new RecognitionCounts();
  readonly threads: readonly RecognizerThread[];
  #handles = 0;

  constructor(options: RecognizerPoolOptions) {
    const module = options.module ?? ENGINES;
    this.threads = Array.from(
      { length: options.threads },
      (_, index) => new RecognizerThread({ ...options, module, index }),
    );
  }

  /** Streams listened to, and those whose utterances are not told of yet. */
  get streams(): number {
    return this.threads.reduce((sum, { streams }) => sum + streams, 0);
  }

  get restarts(): number {
    return this.threads.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** What all threads have to do and have done, those that were replaced too; as told lately. */
  load(): PoolLoad {
    const present = this.threads.flatMap(({ load }) => (load === undefined ? [] : [load]));
    const all = this.threads.flatMap(({ loads }) => loads);
    return {
      running: this.threads.filter(({ isRunning }) => isRunning).length,
      backlogMs: Math.max(0, ...present.map(({ backlogMs }) => backlogMs)),
      sessions: present.reduce((sum, { sessions }) => sum + sessions, 0),
      partialsOff: present.some(({ partialsOff }) => partialsOff),
      timesPartialsOff: all.reduce((sum, { timesPartialsOff }) => sum + timesPartialsOff, 0),
      engines: sumEngines(all.flatMap(({ engines }) => engines)),
    };
  }

  listen(options: ListenOptions): ListenedStream {
    const { tasks, eager, firstSequence, creditFrames, onReport } = options;
    const slots = Math.max(RING_SLOTS, 2 ** Math.ceil(Math.log2(creditFrames * 4)));
    const ring = PcmRing.allocate(Math.min(slots, 65_536), firstSequence);
    const reader = new PcmRing(ring);
    const thread = this.#leastLoaded();
    const handle = this.#handles++;
    const open = new OpenUtterances(handle);
    const take = (report: StreamReport): void => {
      open.take(report);
      this.counts.take(report);
      onReport(report);
    };
    thread.listen(handle, {
      ring,
      tasks,
      eager,
      onReport: take,
      onThreadLost: () => open.lost().forEach(take),
    });
    const room = slots / 4;
    return {
      pcm: { ring, bell: thread.bell },
      cap: (received) => {
        const most = (reader.consumed + room) >>> 0;
        return ((received - most) | 0) > 0 ? most : received;
      },
      finish: () => thread.finish(handle),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  #leastLoaded(): RecognizerThread {
    return this.threads.reduce((best, thread) => (thread.streams < best.streams ? thread : best));
  }
}

/** The utterances of a stream that are not told of to their end. */
class OpenUtterances {
  readonly #handle: number;
  readonly #open = new Map<string, { task: TaskKind; utterance: UtteranceStart }>();

  constructor(handle: number) {
    this.#handle = handle;
  }

  take(report: StreamReport): void {
    if (report.kind !== 'began' && report.kind !== 'finished') return;
    const { task, utterance } = report;
    const key = `${task} ${utterance.startMs} ${utterance.piece}`;
    if (report.kind === 'began') this.#open.set(key, { task, utterance });
    else this.#open.delete(key);
  }

  /** What is told of them now that their thread is gone. */
  lost(): StreamReport[] {
    return Array.from(this.#open.values(), ({ task, utterance }) => ({
      kind: 'finished',
      handle: this.#handle,
      task,
      utterance,
      engine: null,
      endMs: utterance.startMs,
      outcome: { kind: 'skipped', reason: 'engineFailed' },
      gaps: [],
      partials: 0,
    }));
  }
}

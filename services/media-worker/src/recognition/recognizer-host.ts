import type { Cancel } from '@earshot/async';
import type { Recognizer } from '@earshot/recognition';
import type {
  ListenTask,
  RecognizerCommand,
  RecognizerLimits,
  RecognizerLoad,
  RecognizerReport,
  SwitchCount,
  TaskKind,
} from './recognition-messages.js';
import { NO_STREAM } from './recognition-messages.js';
import { RealTimeFactor, RecognitionPolicy } from './recognition-policy.js';
import { stallMsOf } from './stall-watch.js';
import { StreamListener } from './stream-listener.js';
import type { ListenerHost } from './task-listener.js';
import { TaskListener } from './task-listener.js';

/** Sound that a recognizer is given in a turn: rings must not fill up meanwhile. */
const PUSH_MS = 200;

const TELL_LOAD_MS = 500;

/** A session that is not used for so long is closed. */
const IDLE_SESSION_MS = 30_000;

/** The recognizers of a thread. */
export interface Recognizers {
  /** Undefined: there is none for such a task. The same for the same task. */
  recognizerFor(task: ListenTask): Recognizer | undefined;
  /** Since the start. */
  switches?(): readonly SwitchCount[];
  close(): Promise<void>;
}

export interface RecognizerHostOptions {
  readonly recognizers: Recognizers;
  readonly limits: RecognizerLimits;
  nowMs(): number;
  after(ms: number, run: () => void): Cancel;
  /** There may be something to do. */
  wake(): void;
  post(report: RecognizerReport): void;
  /** What goes wrong from here on is of that stream, or `NO_STREAM`. */
  worksFor(handle: number): void;
}

type ListenCommand = Extract<RecognizerCommand, { kind: 'listen' }>;

/**
 * The streams of one recognizer thread. A turn empties the rings, then gives each recognizer a
 * little of what waits for it, so that a slow one costs its own utterances only. Knows no thread.
 */
export class RecognizerHost {
  readonly #options: RecognizerHostOptions;
  readonly #policy: RecognitionPolicy;
  readonly #streams = new Map<number, StreamListener>();
  readonly #speeds = new Map<string, { task: TaskKind; engine: string; speed: RealTimeFactor }>();
  readonly #listenerHost: ListenerHost;
  #toldLoadAtMs = Number.NEGATIVE_INFINITY;
  #hasEager = false;

  constructor(options: RecognizerHostOptions) {
    this.#options = options;
    this.#policy = new RecognitionPolicy(options.limits.backlogMs);
    const policy = this.#policy;
    this.#listenerHost = {
      nowMs: () => options.nowMs(),
      after: (ms, run) => options.after(ms, run),
      speedOf: (engine, task) => this.#speedOf(engine, task),
      makeRoomForSession: () => this.#makeRoomForSession(),
      admits: () => policy.admits(this.#workMs(), this.#waitingMs()),
      get partialsOff() {
        return policy.partialsOff;
      },
      wake: () => options.wake(),
      post: (report) => options.post(report),
    };
  }

  /** Streams listened to, and those whose utterances are not told of yet. */
  get streams(): number {
    return this.#streams.size;
  }

  listen({ handle, ring, tasks, eager, resumes, known }: ListenCommand): void {
    const { nowMs, post } = this.#options;
    const host = this.#listenerHost;
    const listeners = tasks.map((task) => {
      const recognizer = this.#recognizerFor(task);
      return new TaskListener({ handle, task, recognizer, host, eager, resumes, known });
    });
    const stallMs = stallMsOf(tasks);
    const stream = new StreamListener({ handle, ring, listeners, stallMs, nowMs, post });
    this.#streams.set(handle, stream);
    if (eager) this.#hasEager = true;
  }

  /** Nothing more is put into the stream's ring. */
  finish(handle: number): void {
    this.#streams.get(handle)?.finish();
  }

  /** The stream's host is there, and sends nothing of its source. */
  stalled(handle: number): void {
    this.#streams.get(handle)?.stalled();
  }

  /** Does a little of what there is to do; false when there is nothing. */
  turn(): boolean {
    let records = 0;
    for (const stream of this.#streams.values()) records += stream.take();
    this.#policy.look(this.#workMs());
    let pushedMs = 0;
    for (const [handle, { listeners }] of this.#streams) {
      this.#options.worksFor(handle);
      for (const listener of listeners) pushedMs += listener.pump(PUSH_MS);
    }
    this.#options.worksFor(NO_STREAM);
    for (const [handle, stream] of this.#streams) this.#tell(handle, stream);
    if (records > 0 && this.#hasEager) this.#options.post({ kind: 'progress' });
    this.#tellLoad();
    return records > 0 || pushedMs > 0;
  }

  async close(): Promise<void> {
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    await this.#options.recognizers.close();
  }

  #tell(handle: number, stream: StreamListener): void {
    if (!stream.isDone) {
      stream.tell();
      return;
    }
    stream.close();
    this.#streams.delete(handle);
    this.#options.post({ kind: 'closed', handle });
  }

  /** One that can't be made costs its own utterances, and none of other streams. */
  #recognizerFor(task: ListenTask): Recognizer | undefined {
    try {
      return this.#options.recognizers.recognizerFor(task);
    } catch {
      this.#speedOf('none', task.task.kind).faults += 1;
      return undefined;
    }
  }

  *#listeners(): Iterable<TaskListener> {
    for (const { listeners } of this.#streams.values()) yield* listeners;
  }

  #workMs(): number {
    let ms = 0;
    for (const listener of this.#listeners()) ms += listener.workMs;
    return ms;
  }

  #waitingMs(): number {
    let ms = 0;
    for (const listener of this.#listeners()) ms += listener.waitingMs;
    return ms;
  }

  #speedOf(engine: string, task: TaskKind): RealTimeFactor {
    const key = `${engine} ${task}`;
    const known = this.#speeds.get(key) ?? { engine, task, speed: new RealTimeFactor() };
    this.#speeds.set(key, known);
    return known.speed;
  }

  #sessions(): number {
    let sessions = 0;
    for (const listener of this.#listeners()) if (listener.hasSession) sessions += 1;
    return sessions;
  }

  /** Closes the session that was used longest ago, when there are too many. */
  #makeRoomForSession(): boolean {
    if (this.#sessions() < this.#options.limits.maxSessions) return true;
    let oldest: TaskListener | undefined;
    for (const listener of this.#listeners()) {
      if (!listener.hasSession || !listener.isIdle) continue;
      if (oldest === undefined || listener.usedAtMs < oldest.usedAtMs) oldest = listener;
    }
    oldest?.closeSession();
    return oldest !== undefined;
  }

  #closeUnused(nowMs: number): void {
    for (const listener of this.#listeners()) {
      const isUnused = listener.hasSession && listener.isIdle;
      if (isUnused && nowMs - listener.usedAtMs > IDLE_SESSION_MS) listener.closeSession();
    }
  }

  #tellLoad(): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#toldLoadAtMs < TELL_LOAD_MS) return;
    this.#toldLoadAtMs = nowMs;
    this.#closeUnused(nowMs);
    this.#options.post({ kind: 'load', load: this.#load() });
  }

  #load(): RecognizerLoad {
    return {
      backlogMs: this.#workMs(),
      sessions: this.#sessions(),
      partialsOff: this.#policy.partialsOff,
      timesPartialsOff: this.#policy.timesPartialsOff,
      engines: Array.from(this.#speeds.values(), ({ engine, task, speed }) => ({
        engine,
        task,
        audioMs: speed.audioMs,
        busyMs: speed.busyMs,
        faults: speed.faults,
      })),
      switches: this.#options.recognizers.switches?.() ?? [],
    };
  }
}

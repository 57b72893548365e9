import type { Cancel } from '@earshot/async';
import type {
  PcmRecord,
  UtteranceResume,
  UtteranceSink,
  UtteranceStart,
} from '@earshot/media-session';
import { CLOSE_MODE, UtteranceCutter } from '@earshot/media-session';
import type { Recognizer, RecognizerResult, RecognizerSession } from '@earshot/recognition';
import type {
  KnownUtterance,
  ListenTask,
  RecognizerReport,
  SkipReason,
  TaskKind,
  TaskResume,
  UtteranceOutcome,
} from './recognition-messages.js';
import type { RealTimeFactor } from './recognition-policy.js';
import { Utterance } from './utterance.js';
import { MAX_FAILURES, resultsLimitMs } from './utterance-limits.js';
import { keyOf } from './utterance-trail.js';

/** After a recognizer could not be opened, how long utterances are skipped without trying again. */
const UNAVAILABLE_MS = 2000;

/**
 * Sound of a stream in virtual time that waits to be given to its recognizer; more is left in the
 * ring, where time can wait.
 */
const MAX_EAGER_WAITING_MS = 10_000;

const LEFT: UtteranceOutcome = { kind: 'left' };
const FAILED: UtteranceOutcome = { kind: 'skipped', reason: 'engineFailed' };

/** What a listener needs of its thread. */
export interface ListenerHost {
  nowMs(): number;
  /** Runs `run` after `ms`. */
  after(ms: number, run: () => void): Cancel;
  /** Of a recognizer. */
  speedOf(engine: string, task: TaskKind): RealTimeFactor;
  /** False when no more sessions may be open, and none of others can be closed. */
  makeRoomForSession(): boolean;
  /** Whether an utterance that begins now may wait for its turn. */
  admits(): boolean;
  /** Partials are not told for want of time. */
  readonly partialsOff: boolean;
  /** There is something to do. */
  wake(): void;
  post(report: RecognizerReport): void;
}

export interface TaskListenerOptions {
  readonly handle: number;
  readonly task: ListenTask;
  /** Undefined when there is none for the task. */
  readonly recognizer: Recognizer | undefined;
  readonly host: ListenerHost;
  /** The stream's time is not ours: its utterances wait however long it takes. */
  readonly eager: boolean;
  readonly resumes: readonly TaskResume[];
  readonly known: readonly KnownUtterance[];
}

/** One stream listened to for one task: its utterances, from the first sound to what was said. */
export class TaskListener {
  readonly #options: TaskListenerOptions;
  readonly #task: TaskKind;
  readonly #cutter: UtteranceCutter;
  /** Of threads that are gone, until they are found again. */
  readonly #known: Map<string, KnownUtterance>;
  /** Those not told of to their end; the first is at work. */
  readonly #queue: Utterance[] = [];
  /** The one that goes on; undefined for one that is skipped. */
  #current: Utterance | undefined;
  #skipped: { readonly utterance: Utterance; readonly reason: SkipReason } | undefined;
  #session: RecognizerSession | undefined;
  /** Counts sessions: one that was closed has no say any more. */
  #sessionNumber = 0;
  #sessionHasPartials = false;
  #hasFailed = false;
  /** A session is being opened, or gives its results. */
  #isBusy = false;
  #isOpening = false;
  #finals: RecognizerResult[] = [];
  #busyMs = 0;
  #onFault: () => void = () => {};
  #unavailableUntilMs = Number.NEGATIVE_INFINITY;
  /** When its session was used last. */
  usedAtMs = 0;

  constructor(options: TaskListenerOptions) {
    this.#options = options;
    this.#task = options.task.task.kind;
    this.#known = new Map(options.known.map((known) => [keyOf(known.task, known), known]));
    const sink: UtteranceSink = {
      began: (start) => this.#began(start),
      sound: (pcm) => this.#current?.append(pcm),
      lost: (startMs, durationMs) => this.#current?.lost(startMs, durationMs),
      ended: (endMs, isWhole, resume) => this.#ended(endMs, isWhole, resume),
    };
    const resume = options.resumes.find(({ task }) => task === this.#task);
    this.#cutter = new UtteranceCutter(options.task, sink, resume);
  }

  take(record: PcmRecord): void {
    this.#cutter.take(record);
  }

  /** The source sends nothing: what was said so far is an utterance. */
  stalled(): void {
    this.#cutter.close(CLOSE_MODE.end);
  }

  /** All before it belongs to utterances that were told of, or to none; NaN: nothing is known. */
  get settledMs(): number {
    return (
      this.#queue[0]?.start.soundFromMs ??
      this.#skipped?.utterance.start.soundFromMs ??
      this.#cutter.settledMs
    );
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && !this.#isBusy;
  }

  /** Open, or being opened. */
  get hasSession(): boolean {
    return this.#session !== undefined || this.#isOpening;
  }

  /** Sound that waits to be recognized, ms. */
  get waitingMs(): number {
    return this.#notGivenMs + (this.#session?.backlogMs ?? 0);
  }

  /**
   * Takes no more for now. What a recognizer was given does not count: it may wait for the end of the
   * utterance, which is to come.
   */
  get isFull(): boolean {
    return this.#options.eager && this.#notGivenMs >= MAX_EAGER_WAITING_MS;
  }

  /** Time that it takes to recognize what waits, ms. */
  get workMs(): number {
    return this.waitingMs * this.#speed.value;
  }

  /** Gives its recognizer up to `ms` of sound; returns how much it was. */
  pump(ms: number): number {
    const utterance = this.#queue[0];
    if (utterance === undefined || this.#isBusy) return 0;
    if (this.#hasFailed) this.#sessionFailed(utterance);
    if (this.#queue[0] !== utterance) return 0;
    if (this.#session === undefined || this.#isSessionStale(utterance)) {
      this.#open(utterance);
      return 0;
    }
    return this.#push(this.#session, utterance, ms);
  }

  /** Ends a session that is not used. */
  closeSession(): void {
    const session = this.#session;
    this.#session = undefined;
    this.#sessionNumber += 1;
    this.#hasFailed = false;
    this.#onFault();
    // It is of no more use, whatever becomes of it.
    session?.close().catch(() => {});
  }

  close(): void {
    this.closeSession();
  }

  #began(start: UtteranceStart): void {
    const { host, eager } = this.#options;
    const key = keyOf(this.#task, start);
    const known = this.#known.get(key);
    this.#known.delete(key);
    if (known?.fate === 'told') return;
    host.post({ kind: 'began', ...this.#of(start) });
    const utterance = new Utterance(start, known?.partials);
    if (known?.fate === 'failed') {
      this.#skipped = { utterance, reason: 'engineFailed' };
      return;
    }
    // One that was admitted before is so again.
    if (!eager && known === undefined && !host.admits()) {
      this.#skipped = { utterance, reason: 'overCapacity' };
      return;
    }
    this.#current = utterance;
    this.#queue.push(this.#current);
  }

  #ended(endMs: number, isWhole: boolean, resume: UtteranceResume): void {
    const current = this.#current;
    const skipped = this.#skipped;
    this.#current = undefined;
    this.#skipped = undefined;
    if (skipped !== undefined) {
      const { utterance, reason } = skipped;
      utterance.resume = resume;
      this.#tellFinished(utterance, endMs, isWhole ? { kind: 'skipped', reason } : LEFT);
    }
    if (current === undefined) return;
    current.endMs = endMs;
    current.resume = resume;
    if (isWhole) return;
    // What is heard elsewhere from its begin must not be told of here.
    for (const utterance of this.#queue.splice(0)) this.#tellFinished(utterance, endMs, LEFT);
    this.closeSession();
  }

  get #notGivenMs(): number {
    let ms = 0;
    for (const utterance of this.#queue) ms += utterance.waitingMs;
    return ms;
  }

  get #engine(): string | null {
    return this.#options.recognizer?.name ?? null;
  }

  get #speed(): RealTimeFactor {
    return this.#options.host.speedOf(this.#engine ?? 'none', this.#task);
  }

  get #wantsPartials(): boolean {
    const { task, host } = this.#options;
    return task.task.kind === 'dictation' && task.task.partials && !host.partialsOff;
  }

  /** Whether the next utterance needs another one, that has partials or has none. */
  #isSessionStale(utterance: Utterance): boolean {
    if (this.#options.task.task.kind !== 'dictation' || utterance.isStarted) return false;
    return this.#sessionHasPartials !== this.#wantsPartials;
  }

  #open(utterance: Utterance): void {
    const { recognizer, host } = this.#options;
    this.closeSession();
    if (recognizer === undefined || host.nowMs() < this.#unavailableUntilMs) {
      this.#unavailable(utterance);
      return;
    }
    // In virtual time those that have one may wait for sound that only comes once this stream moves on.
    if (!host.makeRoomForSession() && !this.isFull) return;
    this.#isBusy = true;
    this.#isOpening = true;
    void this.#openWith(recognizer, utterance).finally(() => {
      this.#isBusy = false;
      this.#isOpening = false;
      host.wake();
    });
  }

  /** Nobody is there to recognize it, at least for now. */
  #unavailable(utterance: Utterance): void {
    if (utterance.endMs !== undefined) this.#finish(utterance, FAILED);
    // Its sound is not kept for nobody, and time must not wait for what does not come.
    else if (this.#options.recognizer === undefined || this.isFull) this.#skipRest(utterance);
  }

  async #openWith(recognizer: Recognizer, { start }: Utterance): Promise<void> {
    const { task, host } = this.#options;
    const partials = this.#wantsPartials;
    const number = this.#sessionNumber;
    const isCurrent = (): boolean => number === this.#sessionNumber;
    try {
      const session = await recognizer.open({
        task: task.task.kind === 'dictation' ? { ...task.task, partials } : task.task,
        language: task.language,
        startMs: start.soundFromMs,
        endpointMs: task.endpointMs,
        onResult: (result) => {
          if (isCurrent()) this.#result(result);
        },
        onFault: () => {
          if (isCurrent()) this.#fault();
        },
      });
      if (!isCurrent()) await session.close();
      else this.#session = session;
      this.#sessionHasPartials = partials;
    } catch {
      this.#speed.faults += 1;
      this.#unavailableUntilMs = host.nowMs() + UNAVAILABLE_MS;
    }
  }

  #push(session: RecognizerSession, utterance: Utterance, ms: number): number {
    const { host } = this.#options;
    if (!utterance.isStarted) this.#start(session, utterance);
    const startMs = host.nowMs();
    this.usedAtMs = startMs;
    let pushedMs = 0;
    try {
      pushedMs = utterance.pushTo(session, ms);
    } catch {
      this.#fault();
    }
    this.#busyMs += host.nowMs() - startMs;
    if (!this.#hasFailed && utterance.endMs !== undefined && utterance.waitingMs === 0) {
      this.#isBusy = true;
      void this.#conclude(session, utterance).finally(() => {
        this.#isBusy = false;
        host.wake();
      });
    }
    return pushedMs;
  }

  #start(session: RecognizerSession, { start }: Utterance): void {
    this.#finals = [];
    this.#busyMs = 0;
    session.restart(start.soundFromMs);
  }

  async #conclude(session: RecognizerSession, utterance: Utterance): Promise<void> {
    const { host, recognizer } = this.#options;
    const startMs = host.nowMs();
    const cancel = host.after(resultsLimitMs(recognizer ?? {}), () => this.#fault());
    try {
      await Promise.race([session.endUtterance(), this.#untilFault()]);
    } catch {
      this.#fault();
    }
    cancel();
    this.#onFault = () => {};
    // One that computes elsewhere costs us no time while we wait.
    if (recognizer?.capabilities.runs === 'local') this.#busyMs += host.nowMs() - startMs;
    if (this.#hasFailed) return;
    this.#speed.add(utterance.durationMs, this.#busyMs);
    this.#finish(utterance, { kind: 'recognized', finals: this.#finals });
  }

  #untilFault(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFault = resolve;
    });
  }

  #fault(): void {
    this.#hasFailed = true;
    this.#onFault();
    this.#options.host.wake();
  }

  #sessionFailed(utterance: Utterance): void {
    this.#speed.faults += 1;
    this.closeSession();
    if (!utterance.isStarted) return;
    utterance.failures += 1;
    utterance.rewind();
    if (utterance.failures < MAX_FAILURES) return;
    if (utterance === this.#current) {
      this.#skipRest(utterance);
      return;
    }
    this.#finish(utterance, FAILED);
  }

  /** What follows of the utterance that goes on is not kept; it is told of in whole once it ended. */
  #skipRest(utterance: Utterance): void {
    this.#current = undefined;
    this.#queue.splice(this.#queue.indexOf(utterance), 1);
    this.#skipped = { utterance, reason: 'engineFailed' };
  }

  #result(result: RecognizerResult): void {
    const utterance = this.#queue[0];
    if (utterance === undefined) return;
    if (result.kind === 'final') {
      this.#finals.push(result);
      return;
    }
    const isPartial = result.kind === 'partial';
    if (isPartial && !this.#wantsPartials) return;
    if (isPartial) utterance.partials += 1;
    this.#options.host.post({
      kind: 'result',
      ...this.#of(utterance.start),
      result,
      revision: isPartial ? utterance.partials : 0,
      gaps: utterance.gaps,
    });
  }

  #finish(utterance: Utterance, outcome: UtteranceOutcome): void {
    const at = this.#queue.indexOf(utterance);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#tellFinished(utterance, utterance.endMs ?? utterance.start.startMs, outcome);
  }

  #tellFinished(utterance: Utterance, endMs: number, outcome: UtteranceOutcome): void {
    this.#options.host.post({
      kind: 'finished',
      ...this.#of(utterance.start),
      engine: this.#engine,
      endMs,
      outcome,
      gaps: utterance.gaps,
      partials: utterance.partials,
      resume: utterance.resume,
    });
  }

  #of(utterance: UtteranceStart): { handle: number; task: TaskKind; utterance: UtteranceStart } {
    return { handle: this.#options.handle, task: this.#task, utterance };
  }
}

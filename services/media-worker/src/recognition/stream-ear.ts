import type { ListeningSettings } from '@earshot/listening';
import type { StreamIdentity, UtteranceStart } from '@earshot/media-session';
import type { PcmShare } from '../thread-messages.js';
import type { RecognitionEventDraft } from './recognition-events.js';
import { finalEvent, partialEvent, phraseEvent, skippedEvent } from './recognition-events.js';
import type { ListenTask, TaskKind, TaskResume } from './recognition-messages.js';
import type { ListenedStream, RecognizerPool } from './recognizer-pool.js';
import type { StreamReport } from './recognizer-thread-handle.js';
import { stallMsOf } from './stall-watch.js';
import { keyOf, ToldUtterances } from './utterance-trail.js';

export interface StreamEarOptions {
  readonly identity: StreamIdentity;
  readonly pool: RecognizerPool;
  readonly eager: boolean;
  readonly creditFrames: number;
  /** Where an earlier listener of the stream stopped. */
  readonly resumes: readonly TaskResume[];
  tell(event: RecognitionEventDraft): void;
  /** An utterance was told of to its end. */
  onFinished(): void;
  onDone(): void;
}

/** The stream's decode thread, as far as an ear needs it. */
export interface HeardStream {
  /** Next sequence expected. */
  received(): number;
  /** Has what is heard from now on put there; undefined: nowhere. */
  listen(pcm: PcmShare | undefined): void;
}

interface Listened {
  readonly stream: ListenedStream;
  readonly open: Map<string, { readonly task: TaskKind; readonly utterance: UtteranceStart }>;
  settledMs: number;
}

/**
 * What is recognized of one stream, on the I/O thread: events, and how far all that was said is told.
 * Without anything to listen for it costs nothing.
 */
export class StreamEar {
  readonly #options: StreamEarOptions;
  /** The one that hears now, and those before it that still have utterances to tell of. */
  readonly #listened = new Set<Listened>();
  #current: Listened | undefined;
  #heard: HeardStream | undefined;
  /** Begin of what is to be heard again elsewhere. */
  #leftMs = Number.POSITIVE_INFINITY;
  readonly #told: ToldUtterances;
  #isClosed = false;
  /** How long nothing must come of its source for it to stall. */
  stallMs: number = Number.POSITIVE_INFINITY;
  #settleDone: () => void = () => {};
  /** Resolves once the stream is over, and all that was said in it is told of. */
  readonly done: Promise<void>;
  listening: ListeningSettings | undefined;

  constructor(options: StreamEarOptions) {
    this.#options = options;
    this.#told = new ToldUtterances(options.resumes);
    this.done = new Promise((resolve) => {
      this.#settleDone = resolve;
    });
  }

  /** Of all sources together. */
  get isMix(): boolean {
    return this.#options.identity.kind === 'mixed';
  }

  /** For the stream's opening. */
  get pcm(): PcmShare | undefined {
    return this.#current?.stream.pcm;
  }

  /** Next sequence expected of the stream. */
  get received(): number {
    return this.#heard?.received() ?? 0;
  }

  /** All that was said before it is told of, ms on the media clock. */
  get settledMs(): number {
    let ms = this.#leftMs;
    for (const { settledMs } of this.#listened) ms = Math.min(ms, settledMs);
    return ms;
  }

  /** How whoever begins at `ms` goes on, if all before it is told of. */
  resumesAt(ms: number): TaskResume[] {
    return this.#told.resumesAt(ms);
  }

  get isDone(): boolean {
    return this.#isClosed && this.#listened.size === 0;
  }

  /** Of `received` frames, as many as the host may be told of. */
  cap(received: number): number {
    const { eager } = this.#options;
    return eager ? (this.#current?.stream.cap(received) ?? received) : received;
  }

  /** The stream is open. */
  attach(heard: HeardStream): void {
    this.#heard = heard;
  }

  /** Listens for something else from now on; what was said before is still told of. */
  set(tasks: readonly ListenTask[], firstSequence: number, listening: ListeningSettings): void {
    if (this.#isClosed) return;
    this.listening = listening;
    this.stallMs = stallMsOf(tasks);
    const before = this.#current;
    this.#current = tasks.length === 0 ? undefined : this.#listen(tasks, firstSequence);
    this.#heard?.listen(this.pcm);
    before?.stream.finish();
  }

  /** Its host is there, and sends nothing of its source: nobody is waited for who was speaking. */
  stalled(): void {
    const current = this.#current;
    if (current !== undefined && current.open.size > 0) current.stream.stalled();
  }

  /** Its last frame was heard. */
  closed(): void {
    this.#isClosed = true;
    this.#current?.stream.finish();
    this.#look();
  }

  /** Waits for nothing more; with `tell`, what is not told of is told as skipped. */
  giveUp(tell: boolean): void {
    if (!tell) this.#leftMs = this.settledMs;
    for (const listened of this.#listened) {
      for (const { task, utterance } of listened.open.values()) {
        if (tell) this.#skip(task, utterance, utterance.startMs);
      }
    }
    this.#listened.clear();
    this.#isClosed = true;
    this.#look();
  }

  #listen(tasks: readonly ListenTask[], firstSequence: number): Listened {
    const { pool, eager, creditFrames } = this.#options;
    const stream = pool.listen({
      tasks,
      eager,
      creditFrames,
      firstSequence,
      told: this.#told,
      onReport: (report) => {
        if (this.#listened.has(listened)) this.#take(listened, report);
      },
    });
    const listened: Listened = { stream, open: new Map(), settledMs: Number.NEGATIVE_INFINITY };
    this.#listened.add(listened);
    return listened;
  }

  #take(listened: Listened, report: StreamReport): void {
    switch (report.kind) {
      case 'began':
        listened.open.set(keyOf(report.task, report.utterance), report);
        return;
      case 'result':
        this.#result(report);
        return;
      case 'finished':
        listened.open.delete(keyOf(report.task, report.utterance));
        this.#finished(report);
        this.#options.onFinished();
        return;
      case 'settled':
        listened.settledMs = report.beforeMs;
        return;
      case 'closed':
        this.#listened.delete(listened);
        this.#look();
        return;
    }
  }

  #look(): void {
    if (!this.isDone) return;
    this.#settleDone();
    this.#options.onDone();
  }

  #result(report: Extract<StreamReport, { kind: 'result' }>): void {
    const { result, utterance, gaps, revision } = report;
    const { identity, tell } = this.#options;
    if (result.kind === 'phrase') {
      const least = this.listening?.phrases?.minConfidence ?? 0;
      if ((result.confidence ?? 1) >= least) tell(phraseEvent(identity, result));
      return;
    }
    const { endMs, engine, language } = result;
    const understood = { utterance, endMs, results: [result], gaps, engine, language };
    tell(partialEvent(identity, understood, revision));
  }

  #finished(report: Extract<StreamReport, { kind: 'finished' }>): void {
    const { task, utterance, endMs, outcome, engine, gaps, partials } = report;
    if (outcome.kind === 'left') this.#leftMs = Math.min(this.#leftMs, utterance.soundFromMs);
    if (outcome.kind === 'skipped') this.#skip(task, utterance, endMs, outcome.reason, engine);
    if (outcome.kind !== 'recognized' || task !== 'dictation') return;
    const results = outcome.finals;
    // Nothing was said, and nothing told that would have to be taken back.
    if (partials === 0 && results.every(({ text }) => text === '')) return;
    const language = this.listening?.dictation?.language ?? '';
    const understood = {
      ...{ utterance, endMs, results, gaps, language },
      engine: results[0]?.engine ?? engine ?? '',
    };
    this.#options.tell(finalEvent(this.#options.identity, understood));
  }

  #skip(
    task: TaskKind,
    utterance: UtteranceStart,
    endMs: number,
    reason: 'overCapacity' | 'engineFailed' = 'engineFailed',
    engine: string | null = null,
  ): void {
    const { identity, tell } = this.#options;
    tell(skippedEvent(identity, task, utterance, { endMs, reason, engine }));
  }
}

import type { UtteranceResume, UtteranceStart } from '@earshot/media-session';
import { z } from 'zod';
import type { KnownUtterance, TaskKind, TaskResume } from './recognition-messages.js';
import type { StreamReport } from './recognizer-thread-handle.js';

const TASK_KINDS: readonly TaskKind[] = ['phrases', 'dictation'];

/** Of the newest utterances it is remembered where they were: positions are held for 26 s. */
const MAX_TOLD = 128;

/** Threads that may be lost with an utterance at hand before it is skipped. */
const MAX_THREADS_LOST = 2;

interface Told {
  readonly task: TaskKind;
  /** Undefined where only is known how to go on. */
  readonly utterance: UtteranceStart | undefined;
  readonly resume: UtteranceResume;
}

/**
 * The newest utterances of a stream that were told of, so that whoever goes on with it, from any time
 * before which all is told, cuts what follows as if nobody had stopped. Oldest forgotten first.
 */
export class ToldUtterances {
  readonly #told: Told[];

  /** @param resumes where an earlier listener stopped */
  constructor(resumes: readonly TaskResume[]) {
    this.#told = resumes.map(({ task, ...resume }) => ({ task, utterance: undefined, resume }));
  }

  add(task: TaskKind, utterance: UtteranceStart, resume: UtteranceResume): void {
    this.#told.push({ task, utterance, resume });
    if (this.#told.length > MAX_TOLD) this.#told.shift();
  }

  /** How each task goes on from `ms`; a task without an entry begins there as with a new stream. */
  resumesAt(ms: number): TaskResume[] {
    return TASK_KINDS.flatMap((task) => {
      const within = this.#told.findLast(
        ({ task: other, utterance, resume }) =>
          other === task && isAfter(ms, utterance) && ms <= resume.untilMs,
      );
      return within === undefined ? [] : [{ task, ...within.resume }];
    });
  }

  /** Those that a listener finds again which begins at `ms`. */
  from(ms: number): KnownUtterance[] {
    return this.#told.flatMap(({ task, utterance }) =>
      utterance === undefined || isAfter(ms, utterance)
        ? []
        : [{ task, startMs: utterance.startMs, piece: utterance.piece, partials: 0, fate: 'told' }],
    );
  }
}

function isAfter(ms: number, utterance: UtteranceStart | undefined): boolean {
  return utterance === undefined || utterance.soundFromMs < ms;
}

interface Open {
  readonly task: TaskKind;
  readonly utterance: UtteranceStart;
  /** Of results that were told. */
  partials: number;
  readonly phrases: Set<number>;
  threadsLost: number;
  /** Its thread is gone, and another did not find it yet. */
  isLost: boolean;
}

/** How another thread goes on with a stream. */
export interface Resumption {
  readonly resumes: readonly TaskResume[];
  readonly known: readonly KnownUtterance[];
}

/**
 * What recognizer threads told of one stream. It sees to it that each utterance is told of to its end
 * once, whatever becomes of threads, and each of its results once.
 */
export class UtteranceTrail {
  readonly #handle: number;
  readonly #told: ToldUtterances;
  readonly #open = new Map<string, Open>();
  #settledMs = Number.NEGATIVE_INFINITY;
  #retried = 0;

  constructor(handle: number, told: ToldUtterances) {
    this.#handle = handle;
    this.#told = told;
  }

  /** All that was said before it is told of, ms on the media clock. */
  get settledMs(): number {
    return this.#settledMs;
  }

  /** Utterances that another thread was given once more. */
  get retried(): number {
    return this.#retried;
  }

  /** Takes a thread's report; returns what is to be told for it. */
  take(report: StreamReport): readonly StreamReport[] {
    switch (report.kind) {
      case 'began':
        this.#began(report);
        return [report];
      case 'result':
        return this.#isNew(report) ? [report] : [];
      case 'finished':
        return this.#finished(report) ? [report] : [];
      case 'settled':
        if (report.beforeMs <= this.#settledMs) return [];
        this.#settledMs = report.beforeMs;
        return [...this.#missingBefore(report.beforeMs), report];
      case 'closed':
        return [...this.#missingBefore(Number.POSITIVE_INFINITY), report];
    }
  }

  /** @param wasAtWork whether the thread may have been lost by what it did for this stream */
  threadLost(wasAtWork: boolean): void {
    const seen = new Set<TaskKind>();
    for (const open of this.#open.values()) {
      // The first of each task is at work, others wait.
      if (wasAtWork && !seen.has(open.task)) open.threadsLost += 1;
      seen.add(open.task);
      open.isLost = true;
    }
  }

  /** How another thread goes on from `fromMs`. */
  resumption(fromMs: number): Resumption {
    const open = Array.from(this.#open.values(), ({ task, utterance, partials, threadsLost }) => {
      const fate = threadsLost < MAX_THREADS_LOST ? ('retry' as const) : ('failed' as const);
      if (fate === 'retry') this.#retried += 1;
      return { task, startMs: utterance.startMs, piece: utterance.piece, partials, fate };
    });
    return {
      resumes: this.#told.resumesAt(fromMs),
      known: [...open, ...this.#told.from(fromMs)],
    };
  }

  #began({ task, utterance }: Extract<StreamReport, { kind: 'began' }>): void {
    const key = keyOf(task, utterance);
    const known = this.#open.get(key);
    if (known !== undefined) {
      known.isLost = false;
      return;
    }
    const open = { partials: 0, phrases: new Set<number>(), threadsLost: 0, isLost: false };
    this.#open.set(key, { task, utterance, ...open });
  }

  #isNew(report: Extract<StreamReport, { kind: 'result' }>): boolean {
    const open = this.#open.get(keyOf(report.task, report.utterance));
    if (open === undefined) return false;
    if (report.result.kind !== 'phrase') {
      open.partials = Math.max(open.partials, report.revision);
      return true;
    }
    const startMs = Math.round(report.result.startMs);
    if (open.phrases.has(startMs)) return false;
    open.phrases.add(startMs);
    return true;
  }

  #finished(report: Extract<StreamReport, { kind: 'finished' }>): boolean {
    const { task, utterance, outcome, resume } = report;
    if (!this.#open.delete(keyOf(task, utterance))) return false;
    if (outcome.kind !== 'left') this.#told.add(task, utterance, resume);
    return true;
  }

  /** Those that no thread found again: their sound was not there any more. */
  #missingBefore(beforeMs: number): StreamReport[] {
    const missing: StreamReport[] = [];
    for (const [key, { task, utterance, isLost, partials }] of this.#open) {
      if (!isLost || utterance.soundFromMs >= beforeMs) continue;
      this.#open.delete(key);
      missing.push({
        ...{ kind: 'finished', handle: this.#handle, task, utterance, engine: null, partials },
        endMs: utterance.startMs,
        outcome: { kind: 'skipped', reason: 'engineFailed' },
        gaps: [],
        resume: { untilMs: utterance.soundFromMs, next: null },
      });
    }
    return missing;
  }
}

/** Names an utterance among those of its stream. */
export function keyOf(
  task: TaskKind,
  { startMs, piece }: Pick<UtteranceStart, 'startMs' | 'piece'>,
): string {
  return `${task} ${startMs} ${piece}`;
}

const taskResumes: z.ZodType<TaskResume[]> = z
  .array(
    z.object({
      task: z.enum(['phrases', 'dictation']),
      untilMs: z.number(),
      next: z.object({ startMs: z.number(), piece: z.int().min(1) }).nullable(),
    }),
  )
  .max(MAX_TOLD);

/** What was stored of how to go on; nothing for what another version stored, or for more than is kept. */
export function parseTaskResumes(value: unknown): TaskResume[] {
  const parsed = taskResumes.safeParse(value);
  return parsed.success ? parsed.data : [];
}

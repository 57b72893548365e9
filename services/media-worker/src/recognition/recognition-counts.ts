import type { TaskKind } from './recognition-messages.js';
import type { StreamReport } from './recognizer-thread-handle.js';

/** What became of utterances; `left` ones are heard again by another worker. */
export const UTTERANCE_OUTCOMES = [
  'recognized',
  'empty',
  'overCapacity',
  'engineFailed',
  'left',
] as const;

export type UtteranceOutcomeName = (typeof UTTERANCE_OUTCOMES)[number];

export interface UtteranceCount {
  readonly task: TaskKind;
  /** `none` when no recognizer was asked. */
  readonly engine: string;
  readonly outcome: UtteranceOutcomeName;
  readonly count: number;
}

/** Counts what was recognized since the start. */
export class RecognitionCounts {
  readonly #counts = new Map<string, UtteranceCount>();
  #phrases = 0;
  #partials = 0;

  get utterances(): readonly UtteranceCount[] {
    return [...this.#counts.values()];
  }

  get phrases(): number {
    return this.#phrases;
  }

  get partials(): number {
    return this.#partials;
  }

  /** Utterances without a result, for whatever reason. */
  get skipped(): number {
    return this.utterances
      .filter(({ outcome }) => outcome === 'overCapacity' || outcome === 'engineFailed')
      .reduce((sum, { count }) => sum + count, 0);
  }

  take(report: StreamReport): void {
    if (report.kind === 'result') {
      if (report.result.kind === 'phrase') this.#phrases += 1;
      else this.#partials += 1;
    }
    if (report.kind !== 'finished') return;
    const { task, engine } = report;
    this.#add(task, engine ?? 'none', outcomeOf(report));
  }

  #add(task: TaskKind, engine: string, outcome: UtteranceOutcomeName): void {
    const key = `${task} ${engine} ${outcome}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { task, engine, outcome, count });
  }
}

function outcomeOf({ outcome }: Extract<StreamReport, { kind: 'finished' }>): UtteranceOutcomeName {
  if (outcome.kind === 'skipped') return outcome.reason;
  if (outcome.kind === 'left') return 'left';
  return outcome.finals.some(({ text }) => text !== '') ? 'recognized' : 'empty';
}

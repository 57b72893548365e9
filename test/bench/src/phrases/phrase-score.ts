import type { PhraseList, Spoken } from './phrase-lists.js';

/** Phones from which on a phrase counts as longer, for the histogram. */
const LENGTHS = [
  { name: 'below 7 phones', from: 0 },
  { name: '7 to 9', from: 7 },
  { name: 'from 10 on', from: 10 },
] as const;

const BINS = 10;

/** How many results had a confidence of 0.0 to 0.1, 0.1 to 0.2, …, by whether they were right. */
export interface ConfidenceHistogram {
  readonly right: number[];
  readonly wrong: number[];
}

/** One result of a recognizer. */
export interface ToldPhrase {
  readonly phrase: string;
  readonly confidence: number;
}

/** What `npm run bench -- phrases` writes of one list in one kind of speech. */
export interface PhraseFigures {
  readonly hours: number;
  readonly spoken: number;
  readonly found: number;
  readonly foundPercent: number | null;
  readonly falseAlarms: number;
  readonly falseAlarmsPerHour: number;
  /** False alarms by phrase. */
  readonly falseByPhrase: Readonly<Record<string, number>>;
  /** By length of the phrase, whatever the confidence. */
  readonly confidences: Readonly<Record<string, ConfidenceHistogram>>;
}

/** Counts what was told of prompts whose text is known. */
export class PhraseScore {
  readonly #list: PhraseList;
  readonly #minConfidence: number;
  readonly #confidences = LENGTHS.map(() => ({
    right: new Array<number>(BINS).fill(0),
    wrong: new Array<number>(BINS).fill(0),
  }));
  readonly #falseByPhrase: Record<string, number> = {};
  #seconds = 0;
  #spoken = 0;
  #found = 0;
  #falseAlarms = 0;

  constructor(list: PhraseList, minConfidence: number) {
    this.#list = list;
    this.#minConfidence = minConfidence;
  }

  add(seconds: number, { phrases, homophones }: Spoken, told: readonly ToldPhrase[]): void {
    this.#seconds += seconds;
    this.#spoken += phrases.length;
    const left = [...phrases];
    const isSure = ({ confidence }: ToldPhrase): boolean => confidence >= this.#minConfidence;
    // An unsure one must not take the place of what was told.
    const ordered = [...told.filter(isSure), ...told.filter((result) => !isSure(result))];
    for (const result of ordered) {
      const { phrase, confidence } = result;
      const at = left.indexOf(phrase);
      const isTold = isSure(result);
      if (at >= 0) {
        left.splice(at, 1);
        this.#count(phrase, confidence, 'right');
        if (isTold) this.#found += 1;
      } else if (!homophones.has(phrase)) {
        this.#count(phrase, confidence, 'wrong');
        if (!isTold) continue;
        this.#falseAlarms += 1;
        this.#falseByPhrase[phrase] = (this.#falseByPhrase[phrase] ?? 0) + 1;
      }
    }
  }

  figures(): PhraseFigures {
    const hours = this.#seconds / 3600;
    return {
      hours,
      spoken: this.#spoken,
      found: this.#found,
      foundPercent: this.#spoken === 0 ? null : (100 * this.#found) / this.#spoken,
      falseAlarms: this.#falseAlarms,
      falseAlarmsPerHour: hours === 0 ? 0 : this.#falseAlarms / hours,
      falseByPhrase: this.#falseByPhrase,
      confidences: Object.fromEntries(
        LENGTHS.map(({ name }, index) => [name, this.#confidences[index]!]),
      ),
    };
  }

  #count(phrase: string, confidence: number, of: keyof ConfidenceHistogram): void {
    const phones = this.#list[phrase] ?? 0;
    const length = LENGTHS.findLastIndex(({ from }) => phones >= from);
    const bin = Math.min(BINS - 1, Math.floor(confidence * BINS));
    this.#confidences[length]![of][bin]! += 1;
  }
}

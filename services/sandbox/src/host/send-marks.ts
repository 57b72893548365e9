import type { MarkedMessage } from '@earshot/bridge-protocol';
import { LIMITS, sequenceDistance } from '@earshot/bridge-protocol';

export type MarkOutcome = MarkedMessage['outcome'];

/** A mark that came true, or was thrown away. */
export interface AnsweredMark {
  readonly name: string;
  readonly sequence: number;
  readonly outcome: MarkOutcome;
  /** The media clock when it came true. */
  readonly clockTicks: string;
}

interface WaitingMark {
  readonly name: string;
  readonly sequence: number;
}

/** The marks of one send stream (W-19 to W-21, W-28), in the order of their sequences. */
export class SendMarks {
  readonly #waiting: WaitingMark[] = [];
  /** Whose answers the worker may not have got: it asks again on a later link. The oldest go. */
  #answered: AnsweredMark[] = [];
  #answeredBefore: readonly AnsweredMark[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes a mark.
   *
   * @returns `repeated` for one that waits already; the answer of one that came true before this
   * link; `too_many` beyond what may wait; otherwise it `waits`.
   */
  add(name: string, sequence: number): 'waits' | 'repeated' | 'too_many' | AnsweredMark {
    const isSame = (mark: WaitingMark): boolean => mark.name === name && mark.sequence === sequence;
    if (this.#waiting.some(isSame)) return 'repeated';
    const before = this.#answeredBefore.find(isSame);
    if (before !== undefined) return before;
    if (this.#waiting.length >= LIMITS.maxMarks) return 'too_many';
    let at = this.#waiting.length;
    while (at > 0 && sequenceDistance(this.#waiting[at - 1]!.sequence, sequence) < 0) at -= 1;
    this.#waiting.splice(at, 0, { name, sequence });
    return 'waits';
  }

  /** Takes out the next mark whose frames are all over, if there is one. */
  takeReached(played: number, clockTicks: () => string): AnsweredMark | undefined {
    const next = this.#waiting[0];
    if (next === undefined || sequenceDistance(next.sequence, played) < 0) return undefined;
    return this.#answer('played', clockTicks());
  }

  /** Takes out the next mark that waits, whatever it waits for. */
  takeCleared(clockTicks: () => string): AnsweredMark | undefined {
    return this.#waiting.length === 0 ? undefined : this.#answer('cleared', clockTicks());
  }

  /** Another link: what was answered so far may not have arrived. */
  newLink(): void {
    this.#answeredBefore = [...this.#answeredBefore, ...this.#answered].slice(-LIMITS.maxMarks);
    this.#answered = [];
  }

  #answer(outcome: MarkOutcome, clockTicks: string): AnsweredMark {
    const mark = { ...this.#waiting.shift()!, outcome, clockTicks };
    this.#answered.push(mark);
    if (this.#answered.length > LIMITS.maxMarks) this.#answered.shift();
    return mark;
  }
}

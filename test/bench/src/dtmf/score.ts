import type { Cell } from './cell.js';

/** A digit that a detector reported. */
export interface HeardDigit {
  readonly digit: string;
  /** How much of the cell it had been given by then, ms; undefined when it can't tell. */
  readonly reportedMs?: number;
}

/** What came of a detector's cells. */
export class Score {
  /** Digits that had to be heard, and those of them that were. */
  dialled = 0;
  accepted = 0;
  /** Heard in such cells, but not dialled, or twice. */
  extra = 0;
  /** Heard though beyond the limits. */
  falseAccepts = 0;
  /** Heard in what holds no digits. */
  otherToneHits = 0;
  /** From the end of each accepted tone to its report. */
  readonly latenciesMs: number[] = [];
  /** Names of cells in which something was wrong, and what was heard there. */
  readonly faults: string[] = [];

  add(cell: Cell, heard: readonly HeardDigit[]): void {
    const fault = this.#count(cell, heard);
    if (!fault) return;
    this.faults.push(`${cell.group}: ${cell.name}: ${heard.map(({ digit }) => digit).join('')}`);
  }

  #count(cell: Cell, heard: readonly HeardDigit[]): boolean {
    if (cell.group === 'accept') return this.#countDialled(cell, heard);
    if (cell.group === 'reject') this.falseAccepts += heard.length;
    else this.otherToneHits += heard.length;
    return heard.length > 0;
  }

  #countDialled(cell: Cell, heard: readonly HeardDigit[]): boolean {
    const pairs = inCommon(cell.digits, heard);
    this.dialled += cell.digits.length;
    this.accepted += pairs.length;
    this.extra += heard.length - pairs.length;
    for (const [dialled, n] of pairs) {
      const { reportedMs } = heard[n]!;
      if (reportedMs !== undefined) this.latenciesMs.push(reportedMs - cell.endsMs[dialled]!);
    }
    return pairs.length < cell.digits.length || heard.length > pairs.length;
  }
}

/** The longest common subsequence of what was dialled and heard, as pairs of their places. */
export function inCommon(
  dialled: string,
  heard: readonly HeardDigit[],
): (readonly [number, number])[] {
  const width = heard.length + 1;
  // best[i * width + j]: how many are in common from the i-th dialled and j-th heard on.
  const best = new Int32Array((dialled.length + 1) * width);
  for (let i = dialled.length - 1; i >= 0; i -= 1) {
    for (let j = heard.length - 1; j >= 0; j -= 1) {
      const without = Math.max(best[(i + 1) * width + j]!, best[i * width + j + 1]!);
      const isSame = dialled[i] === heard[j]!.digit;
      best[i * width + j] = isSame ? best[(i + 1) * width + j + 1]! + 1 : without;
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < dialled.length && j < heard.length; ) {
    if (dialled[i] === heard[j]!.digit) {
      pairs.push([i, j]);
      i += 1;
      j += 1;
    } else if (best[(i + 1) * width + j]! >= best[i * width + j + 1]!) i += 1;
    else j += 1;
  }
  return pairs;
}

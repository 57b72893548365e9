import type { Meaning, RetryClass } from './result-rows.js';
import { DOCUMENTED, FAMILY, SEEN, STATUSES } from './result-rows.js';

/** A result explained. */
export interface Verdict {
  readonly class: RetryClass;
  /** For people. */
  readonly sentence: string;
  /** What to do about it, where something can be done. */
  readonly fix?: string;
}

/** One result that is known. */
export interface ResultRow extends Verdict {
  /** Undefined where only the subcode is known; the same subcode may come with several codes. */
  readonly code?: number;
  /** 0 for what a code means without one, as a status of HTTP does. */
  readonly subcode: number;
  /** By Microsoft, by developers who saw it, or of Azure's calling services of the same family. */
  readonly source: 'documented' | 'seen' | 'family';
}

/** Every result that Graph documents, that was reported, or that its family knows. */
export const RESULT_TABLE: readonly ResultRow[] = [
  ...rowsOf(DOCUMENTED, 'documented'),
  ...rowsOf(SEEN, 'seen'),
  ...rowsOf(FAMILY, 'family'),
  ...rowsOf(STATUSES, 'documented'),
];

const BY_RESULT: ReadonlyMap<string, ResultRow> = new Map(
  RESULT_TABLE.map((row) => [`${row.code}/${row.subcode}`, row]),
);

/** The first row of a subcode speaks for it beside a code that is not known. */
const BY_SUBCODE: ReadonlyMap<number, ResultRow> = new Map(
  RESULT_TABLE.filter(({ subcode }) => subcode !== 0)
    .map((row) => [row.subcode, row] as const)
    .toReversed(),
);

/** The row that tells of a result most exactly; undefined when none does. */
export function resultRow(code: number, subcode: number): ResultRow | undefined {
  return (
    BY_RESULT.get(`${code}/${subcode}`) ?? BY_SUBCODE.get(subcode) ?? BY_RESULT.get(`${code}/0`)
  );
}

function rowsOf(meanings: readonly Meaning[], source: ResultRow['source']): ResultRow[] {
  return meanings.flatMap(([results, retryClass, sentence, fix]) =>
    results.split(' ').map((numbers) => ({
      ...numbersOf(numbers),
      class: retryClass,
      sentence,
      ...(fix === undefined ? {} : { fix }),
      source,
    })),
  );
}

function numbersOf(numbers: string): Pick<ResultRow, 'code' | 'subcode'> {
  const [first, second] = numbers.split('/').map(Number);
  return second === undefined ? { subcode: first ?? 0 } : { code: first ?? 0, subcode: second };
}

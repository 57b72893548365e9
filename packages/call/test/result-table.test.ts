import { describe, expect, it } from 'vitest';
import { classifyResult } from '../src/classify-result.js';
import { parseResultInfo } from '../src/parse-call-data.js';
import type { RetryClass } from '../src/result-rows.js';
import type { ResultRow } from '../src/result-table.js';
import { RESULT_TABLE } from '../src/result-table.js';

/** All results that Graph documents (call-delete), in its order. */
const DOCUMENTED = [
  ...['200/4097', '200/4521', '200/5000', '200/5300', '200/5001', '200/5003', '200/5002'],
  ...['200/5007', '200/5010', '200/5012', '200/5013', '200/5014', '200/5020', '200/5030'],
  ...['200/5855', '200/7000', '200/10550', '0/7015', '200/7015', '200/18503', '200/540000'],
  ...['200/560000', '408/8537', '408/1106', '408/10057', '410/301005', '480/10037'],
  ...['480/10076', '480/10134', '480/10199', '500/1005'],
];

/** All results in reports of bot developers, but for those that are documented. */
const SEEN = [
  ...['403/7503', '403/7504', '403/7505', '7506', '7507', '400/2203', '500/7112', '500/7106'],
  ...['500/1203002', '500/1203003', '500/1004', '408/8544', '404/8522', '8506', '500/9999'],
  ...['408/13025', '500/7000', '400/8508', '200/8515', '200/8514'],
];

/** All subcodes of the family, but for those above. */
const FAMILY = [
  ...['7500', '7501', '7502', '8500', '8501', '8502', '8503', '8509', '8510', '8511', '8512'],
  ...['8513', '8516', '8517', '8519', '8520', '8523', '8524', '8526', '8527', '8528', '8529'],
  ...['8530', '8538', '8539', '8541', '8548', '8552', '8554', '8556', '8560', '8561', '8566'],
  ...['8586', '8587', '8609', '8610', '9001', '9002', '9003', '9998', '10003', '10004'],
  ...['10009', '10024', '301004', '510403', '560486'],
];

const STATUSES = [400, 401, 403, 404, 408, 409, 429, 480, 486, 500, 501, 502, 503, 504];

/** What the reference advises in words, by subcode. */
const ADVISED: Readonly<Partial<Record<RetryClass, readonly number[]>>> = {
  never: [7503, 7504, 7505, 7506, 7507, 8506, 8526, 8527, 8560, 8561, 5000, 5300, 5855, 2203, 8523],
  onceOnAnotherHost: [7112, 7106, 1203002, 1203003, 1004, 1005, 301005, 1106],
  backOff: [8516, 8530],
  stopForMonth: [8529],
};

function resultsOf(source: ResultRow['source']): string[] {
  return RESULT_TABLE.filter((row) => row.source === source && row.subcode !== 0).map(
    ({ code, subcode }) => (code === undefined ? `${subcode}` : `${code}/${subcode}`),
  );
}

describe('the table of results', () => {
  it('has every documented result', () => {
    expect(resultsOf('documented').sort()).toEqual([...DOCUMENTED].sort());
  });

  it('has every reported result', () => {
    expect(resultsOf('seen').sort()).toEqual([...SEEN].sort());
  });

  it('has every subcode of the family', () => {
    const subcodes = resultsOf('family').map((numbers) => numbers.replace(/^\d+\//, ''));
    expect(subcodes.sort()).toEqual([...FAMILY].sort());
  });

  it('has the statuses of HTTP and SIP', () => {
    const codes = RESULT_TABLE.filter(({ subcode }) => subcode === 0).map(({ code }) => code);
    expect(codes).toEqual(STATUSES);
  });

  it.each(Object.entries(ADVISED))('follows the advice: %s', (retryClass, subcodes) => {
    for (const subcode of subcodes) {
      const rows = RESULT_TABLE.filter((row) => row.subcode === subcode);
      expect([subcode, new Set(rows.map((row) => row.class))]).toEqual([
        subcode,
        new Set([retryClass]),
      ]);
    }
  });

  it.each(RESULT_TABLE)('$code/$subcode is what classifyResult says', (row) => {
    const { code = 400, subcode, class: retryClass, sentence, fix } = row;
    const verdict = classifyResult({ code, subcode });
    expect([verdict.class, verdict.fix]).toEqual([retryClass, fix]);
    expect(verdict.sentence.replace(/ \(\d+\)\.$/, '.')).toBe(sentence);
    expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  it('names no result twice', () => {
    const names = RESULT_TABLE.map(({ code, subcode }) => `${code}/${subcode}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a result whose subcode is not known', () => {
  it.each([
    [401, 'never'],
    [408, 'backOff'],
    [429, 'backOff'],
    [480, 'backOff'],
    [499, 'never'],
    [503, 'backOff'],
    [599, 'backOff'],
    [603, 'never'],
    [204, 'normal'],
  ])('of code %i is judged by that: %s', (code, expected) => {
    const verdict = classifyResult({ code, subcode: 424242 });
    expect(verdict.class).toBe(expected);
    expect(verdict.sentence).toContain(`(${code}/424242)`);
  });
});

describe('numbers of a result', () => {
  it('may be text', () => {
    expect(parseResultInfo({ code: '0', subcode: '7015' })).toEqual({ code: 0, subcode: 7015 });
    expect(parseResultInfo({ code: '403' })).toEqual({ code: 403, subcode: 0 });
    expect(parseResultInfo({ code: 'none', subcode: null })).toBeUndefined();
  });
});

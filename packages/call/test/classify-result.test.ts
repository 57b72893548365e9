import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyResult } from '../src/classify-result.js';
import type { RetryClass } from '../src/result-rows.js';

const CASES: Readonly<Record<RetryClass, readonly string[]>> = {
  normal: [
    '200/4097',
    '200/4521',
    '200/5001',
    '200/5003',
    '200/5002',
    '200/5007',
    '200/5010',
    '200/5012',
    '200/5013',
    '200/5014',
    '200/5020',
    '200/5030',
    '200/7000',
    '200/10550',
    '0/7015',
    '200/7015',
    '200/18503',
    '200/540000',
    '200/560000',
    '400/8508',
    '200/8514',
    '200/8515',
    '409/8528',
    '200/10003',
    '0/0',
    '200/0',
    '200/424242',
  ],
  never: [
    '200/5000',
    '200/5300',
    '200/5855',
    '400/2203',
    '403/7500',
    '401/7501',
    '403/7502',
    '403/7503',
    '403/7504',
    '403/7505',
    '403/7506',
    '400/7507',
    '400/8500',
    '400/8501',
    '400/8502',
    '400/8503',
    '400/8506',
    '500/8511',
    '500/8512',
    '400/8517',
    '409/8519',
    '501/8520',
    '404/8522',
    '400/8523',
    '400/8524',
    '400/8526',
    '400/8527',
    '603/8538',
    '400/8548',
    '403/8552',
    '400/8554',
    '400/8556',
    '403/8560',
    '400/8561',
    '403/8566',
    '408/8586',
    '408/8587',
    '500/8609',
    '500/8610',
    '401/10009',
    '603/10024',
    '480/10037',
    '480/10134',
    '480/10199',
    '403/510403',
    '500/7000',
    '401/0',
    '403/424242',
    '404/0',
    '400/0',
    '603/0',
  ],
  onceOnAnotherHost: [
    '500/1004',
    '500/1005',
    '408/1106',
    '500/7106',
    '500/7112',
    '500/1203002',
    '500/1203003',
    '410/301005',
    '500/301004',
    '408/8544',
    '500/8513',
  ],
  backOff: [
    '408/8537',
    '408/10057',
    '480/10076',
    '429/8516',
    '403/8530',
    '486/8539',
    '486/560486',
    '480/8541',
    '500/9001',
    '500/9002',
    '500/9003',
    '500/9998',
    '500/9999',
    '480/10004',
    '408/13025',
    '429/0',
    '408/0',
    '500/0',
    '503/424242',
    '480/0',
    '486/0',
  ],
  stopForMonth: ['403/8529'],
};

function classOf(numbers: string): RetryClass {
  const [code = 0, subcode = 0] = numbers.split('/').map(Number);
  return classifyResult({ code, subcode }).class;
}

describe('classifyResult', () => {
  for (const [expected, results] of Object.entries(CASES)) {
    it.each(results)(`%s: ${expected}`, (numbers) => {
      expect(classOf(numbers)).toBe(expected);
    });
  }

  it('tells what to do about what an operator can change', () => {
    for (const subcode of [7503, 7504, 7505, 7506, 7112, 1203002, 8537, 8529, 5855]) {
      expect(classifyResult({ code: 500, subcode }).fix).toMatch(/\.$/);
    }
  });

  it('shows the numbers of a result that is not known', () => {
    expect(classifyResult({ code: 599, subcode: 424242 }).sentence).toContain('599/424242');
  });

  it('has one sentence for any result (property)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (code, subcode) => {
        expect(classifyResult({ code, subcode }).sentence).toMatch(/^[A-Z].*\.$/);
      }),
    );
  });
});

import type { ResultInfo } from './result-info.js';
import type { Verdict } from './result-table.js';
import { resultRow } from './result-table.js';

/**
 * What a result means and whether trying again makes sense. The subcode decides, where it is
 * known; else the code, which is like a status of HTTP or SIP; else the hundreds of the code. For
 * an answer of HTTP without a result give its status as code, and 0 as subcode.
 */
export function classifyResult({ code, subcode }: Pick<ResultInfo, 'code' | 'subcode'>): Verdict {
  const row = resultRow(code, subcode);
  if (row === undefined) return classifyHundreds(code, numbersOf(code, subcode));
  const { class: retryClass, sentence, fix } = row;
  const isByCode = row.subcode === 0;
  return {
    class: retryClass,
    sentence: isByCode ? sentence.replace(/\.$/, ` (${numbersOf(code, subcode)}).`) : sentence,
    ...(fix === undefined ? {} : { fix }),
  };
}

function classifyHundreds(code: number, numbers: string): Verdict {
  if (code >= 0 && code < 300) return { class: 'normal', sentence: `The call ended (${numbers}).` };
  if (code >= 500 && code < 600) {
    return { class: 'backOff', sentence: `Teams failed with an undocumented code (${numbers}).` };
  }
  return {
    class: 'never',
    sentence: `The call was refused with an undocumented code (${numbers}).`,
  };
}

function numbersOf(code: number, subcode: number): string {
  return subcode === 0 ? `${code}` : `${code}/${subcode}`;
}

import type { ResultInfo } from './result-info.js';
import type { Verdict } from './result-table.js';
import { BY_CODE_AND_SUBCODE, BY_SUBCODE } from './result-table.js';

/**
 * What a result means and whether trying again makes sense. The subcode decides, where it is
 * known; else the code, which is like an HTTP status.
 */
export function classifyResult({ code, subcode }: Pick<ResultInfo, 'code' | 'subcode'>): Verdict {
  return (
    BY_CODE_AND_SUBCODE.get(`${code}/${subcode}`) ??
    BY_SUBCODE.get(subcode) ??
    classifyCode(code, subcode)
  );
}

function classifyCode(code: number, subcode: number): Verdict {
  const number = subcode === 0 ? `${code}` : `${code}/${subcode}`;
  if (code >= 0 && code < 300) return { class: 'normal', sentence: `The call ended (${number}).` };
  if (code === 401 || code === 403) {
    return {
      class: 'never',
      sentence: `Teams refused the app (${number}).`,
      fix: "Check the app's registration, its permissions and their consent in the meeting's tenant.",
    };
  }
  if (code === 404) return { class: 'never', sentence: `Teams knows no such call (${number}).` };
  if (code === 408) {
    return { class: 'backOff', sentence: `Something was not answered in time (${number}).` };
  }
  if (code === 429) return { class: 'backOff', sentence: `Teams is throttling calls (${number}).` };
  if (code === 480 || code === 486) {
    return { class: 'backOff', sentence: `The other side could not be reached (${number}).` };
  }
  if (code >= 500 && code < 600) {
    return { class: 'backOff', sentence: `Teams failed with an undocumented code (${number}).` };
  }
  return {
    class: 'never',
    sentence: `The call was refused with an undocumented code (${number}).`,
  };
}

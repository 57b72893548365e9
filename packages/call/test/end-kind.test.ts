import { describe, expect, it } from 'vitest';
import { END_KINDS, endKindOf } from '../src/end-kind.js';
import { RESULT_TABLE } from '../src/result-table.js';

describe('the kind of an end', () => {
  it.each([
    [200, 5000, 'removed'],
    [200, 5300, 'removed'],
    [200, 5855, 'not_admitted'],
    [200, 5001, 'meeting_ended'],
    [200, 5007, 'meeting_ended'],
    [200, 5002, 'everyone_left'],
    [200, 5012, 'everyone_left'],
    [200, 4097, 'everyone_left'],
    [200, 5013, 'nobody_came'],
    [200, 7000, 'hung_up'],
    [500, 7000, 'refused'],
    [0, 7015, 'transferred'],
    [500, 7112, 'media_failed'],
    [403, 7504, 'refused'],
    [429, 8516, 'limited'],
    [403, 8529, 'limited'],
    [503, 0, 'unavailable'],
    [200, 0, 'ended'],
  ] as const)('of %i/%i is %s', (code, subcode, kind) => {
    expect(endKindOf({ code, subcode })).toBe(kind);
  });

  it.each(RESULT_TABLE)('of $code/$subcode is known', ({ code = 400, subcode }) => {
    expect(END_KINDS).toContain(endKindOf({ code, subcode }));
  });
});

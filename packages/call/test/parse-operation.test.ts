import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOperation } from '../src/parse-operation.js';

describe('parseOperation', () => {
  it.each([
    [
      {
        '@odata.type': '#microsoft.graph.muteParticipantOperation',
        id: 'o-1',
        status: 'Completed',
        clientContext: 'why',
        resultInfo: { code: '200', subcode: 0 },
      },
      {
        id: 'o-1',
        type: 'muteParticipantOperation',
        status: 'completed',
        clientContext: 'why',
        result: { code: 200, subcode: 0 },
      },
    ],
    [
      { id: 'o-1', status: null, resultInfo: null },
      { id: 'o-1', status: 'notStarted' },
    ],
    [
      { id: 'o-1', status: 'dancing' },
      { id: 'o-1', status: 'notStarted' },
    ],
    [{ status: 'running' }, undefined],
    [undefined, undefined],
  ])('reads %j', (value, expected) => {
    expect(parseOperation(value)).toEqual(expected);
  });

  it('never throws (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseOperation(value)).toSatisfy((one) => one === undefined || 'id' in one);
      }),
    );
  });
});

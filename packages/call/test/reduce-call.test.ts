import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallChange } from '../src/call-change.js';
import type { CallModel } from '../src/call-model.js';
import { initialCallModel, selfOf } from '../src/call-model.js';
import { CALL_STATES } from '../src/call-state.js';
import { parseNotifications } from '../src/parse-notifications.js';
import { reduceCall } from '../src/reduce-call.js';
import { shuffledAndRepeated } from './arbitraries.js';
import { BOT_ID, CALL_ID, callBody, operationBody, SEQUENCE } from './notifications.js';

interface Outcome {
  readonly model: CallModel;
  readonly changes: readonly CallChange[];
}

function play(bodies: readonly unknown[], from: CallModel = initialCallModel): Outcome {
  const changes: CallChange[] = [];
  let model = from;
  for (const body of bodies) {
    const parsed = parseNotifications(body);
    for (const item of parsed.ok ? parsed.items : []) {
      const reduced = reduceCall(model, item);
      model = reduced.model;
      changes.push(...reduced.changes);
    }
  }
  return { model, changes };
}

function states(bodies: readonly unknown[]): string[] {
  return play(bodies).changes.flatMap((change) =>
    change.kind === 'stateChanged' ? [`${change.from} ${change.to}`] : [],
  );
}

function state(name: string): unknown {
  return callBody('updated', { state: name });
}

describe('a call, told in order', () => {
  const { model, changes } = play(SEQUENCE);

  it('tells every change once', () => {
    expect(changes.map(({ kind }) => kind)).toEqual([
      'stateChanged',
      'participantJoined',
      'participantUpdated',
      'participantJoined',
      'participantUpdated',
      'participantJoined',
      'tone',
      'operation',
      'tone',
      'operation',
      'participantLeft',
      'stateChanged',
      'stateChanged',
      'ended',
    ]);
    expect(changes.at(-1)).toEqual({
      kind: 'ended',
      result: { code: 200, subcode: 5300, message: 'Removed. DiagCode: 200#5300.' },
    });
  });

  it('ends with all that was told', () => {
    expect(model).toMatchObject({
      state: 'terminated',
      graphCallId: CALL_ID,
      callChainId: 'chain-1',
      myParticipantId: BOT_ID,
      rosterSequence: 5,
      result: { code: 200, subcode: 5300 },
    });
    expect(Object.values(model.operations ?? {})).toMatchObject([{ status: 'completed' }]);
    expect(Object.values(model.participants).map(({ kind }) => kind)).toEqual([
      'application',
      'guest',
    ]);
    expect(selfOf(model)?.id).toBe(BOT_ID);
  });

  it('may be stored between any two notifications', () => {
    let stored = initialCallModel;
    for (const body of SEQUENCE) {
      stored = JSON.parse(JSON.stringify(play([body], stored).model)) as CallModel;
    }
    expect(stored).toEqual(model);
  });
});

describe('a call, told in any order and any number of times', () => {
  it('ends the same (property)', () => {
    const expected = play(SEQUENCE).model;
    fc.assert(
      fc.property(shuffledAndRepeated(SEQUENCE.length), (order) => {
        const bodies = order.map((index) => SEQUENCE[index]);
        expect(byId(play(bodies).model)).toEqual(byId(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('is established in the end, while it has no end (property)', () => {
    const open = SEQUENCE.slice(0, -2);
    fc.assert(
      fc.property(shuffledAndRepeated(open.length), (order) => {
        const bodies = order.map((index) => open[index]);
        const { model, changes } = play(bodies);
        expect(model.state).toBe('established');
        expect(Object.keys(model.participants).sort()).toEqual(
          Object.keys(play(open).model.participants).sort(),
        );
        expect(changes.filter(({ kind }) => kind === 'stateChanged')).toHaveLength(1);
        expect(tones(changes)).toEqual(['1 tone5', '2 pound']);
      }),
      { numRuns: 300 },
    );
  });

  it('tells the end once, and nothing after it (property)', () => {
    fc.assert(
      fc.property(shuffledAndRepeated(SEQUENCE.length), (order) => {
        const bodies = order.map((index) => SEQUENCE[index]);
        const kinds = play(bodies).changes.map(({ kind }) => kind);
        expect(kinds.indexOf('ended')).toBe(kinds.length - 1);
      }),
      { numRuns: 300 },
    );
  });

  it('never goes back (property)', () => {
    const anyState = fc.constantFrom(...CALL_STATES).map(state);
    const ranks = ['incoming', 'establishing', 'ringing', 'live', 'terminating', 'terminated'];
    fc.assert(
      fc.property(fc.array(anyState), (bodies) => {
        let reached = 1;
        for (const change of play(bodies).changes) {
          if (change.kind !== 'stateChanged') continue;
          const at = ranks.indexOf(ranks.includes(change.to) ? change.to : 'live');
          expect(at).toBeGreaterThanOrEqual(reached);
          reached = at;
        }
      }),
    );
  });
});

describe('states', () => {
  it.each([
    ['swapped', [state('established'), state('establishing')], ['establishing established']],
    ['repeated', [state('established'), state('established')], ['establishing established']],
    [
      'hold',
      [state('established'), state('hold'), state('established')],
      ['establishing established', 'established hold', 'hold established'],
    ],
    [
      'a failed transfer',
      [state('established'), state('transferring'), state('established')],
      ['establishing established', 'established transferring', 'transferring established'],
    ],
    ['after the end', [state('terminated'), state('established')], ['establishing terminated']],
    ['deleted without a state', [callBody('deleted', {})], ['establishing terminated']],
    [
      'deleted with a live state',
      [callBody('deleted', { state: 'established' })],
      ['establishing terminated'],
    ],
    ['one that is not known', [state('levitating')], []],
  ])('%s', (_name, bodies, expected) => {
    expect(states(bodies)).toEqual(expected);
  });

  it('of an incoming call start there', () => {
    const from: CallModel = { ...initialCallModel, state: 'incoming' };
    expect(play([state('establishing')], from).model.state).toBe('establishing');
  });
});

describe('the result', () => {
  const result = { code: 500, subcode: 7112 };

  it('is that of the end', () => {
    const bodies = [
      callBody('updated', { state: 'terminating', resultInfo: { code: 1, subcode: 1 } }),
      callBody('deleted', { resultInfo: result }),
    ];
    expect(play(bodies).changes.at(-1)).toEqual({ kind: 'ended', result });
  });

  it('is what was told on the way there, when the end has none', () => {
    const bodies = [
      callBody('updated', { state: 'terminating', resultInfo: result }),
      callBody('deleted', {}),
    ];
    expect(play(bodies).changes.at(-1)).toEqual({ kind: 'ended', result });
    expect(play(bodies.toReversed()).model.result).toEqual(result);
  });

  it('of a failed transfer is not that of the call', () => {
    const bodies = [
      callBody('updated', { state: 'established', resultInfo: { code: 500, subcode: 7000 } }),
      callBody('deleted', {}),
    ];
    expect(play(bodies).model).not.toHaveProperty('result');
  });

  it('may come late', () => {
    const { model, changes } = play([
      state('terminated'),
      callBody('deleted', { resultInfo: result }),
    ]);
    expect(model.result).toEqual(result);
    expect(changes.filter(({ kind }) => kind === 'ended')).toEqual([{ kind: 'ended' }]);
  });
});

describe('tones', () => {
  function tone(sequenceId: number): unknown {
    return callBody('updated', { toneInfo: { sequenceId, tone: 'star' } });
  }

  it('are told once each, swapped ones too', () => {
    expect(tones(play([tone(2), tone(1), tone(2), tone(3)].flat()).changes)).toEqual([
      '1 star',
      '2 star',
      '3 star',
    ]);
  });

  it('are remembered within a bound, and never told twice (property)', () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 300 });
    fc.assert(
      fc.property(numbers, (sequence) => {
        const { model, changes } = play(sequence.map(tone));
        const told = tones(changes);
        expect(new Set(told).size).toBe(told.length);
        expect(model.toneSequences?.length ?? 0).toBeLessThanOrEqual(64);
      }),
      { numRuns: 50 },
    );
  });
});

describe('other notifications', () => {
  it('of another call change nothing', () => {
    const known: CallModel = { ...initialCallModel, graphCallId: 'another' };
    expect(play(SEQUENCE, known)).toEqual({ model: known, changes: [] });
  });

  it('know the call by its id in any form', () => {
    const graphCallId = CALL_ID.replaceAll('-', '').toUpperCase();
    const { model } = play([state('established')], { ...initialCallModel, graphCallId });
    expect(model).toMatchObject({ state: 'established', graphCallId });
  });

  it('never take an operation back', () => {
    const { model } = play([
      operationBody('deleted', 'failed'),
      operationBody('updated', 'running'),
    ]);
    expect(Object.values(model.operations ?? {})).toMatchObject([{ status: 'failed' }]);
  });

  it('tell of an operation when it goes on, once each time', () => {
    const { changes } = play([
      operationBody('updated', 'running'),
      operationBody('updated', 'running'),
      operationBody('deleted', 'completed'),
      operationBody('deleted', 'completed'),
      operationBody('updated', 'running'),
    ]);
    expect(changes).toMatchObject([
      { kind: 'operation', operation: { status: 'running', clientContext: 'why' } },
      { kind: 'operation', operation: { status: 'completed', result: { code: 200, subcode: 0 } } },
    ]);
  });
});

function tones(changes: readonly CallChange[]): string[] {
  return changes
    .flatMap((change) => (change.kind === 'tone' ? [`${change.sequenceId} ${change.tone}`] : []))
    .sort();
}

/** What must not depend on the order: see `reduceCall`. */
function byId({ departed: _, ...model }: CallModel): unknown {
  const participants = Object.entries(model.participants).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...model, participants };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallChange } from '../src/call-change.js';
import type { CallModel } from '../src/call-model.js';
import { initialCallModel } from '../src/call-model.js';
import type { ParticipantData } from '../src/call-notification.js';
import { reduceCall } from '../src/reduce-call.js';

type Entry = Partial<ParticipantData> & { readonly id: string };
type Step =
  | readonly Entry[]
  | { readonly sequenceNumber?: number; readonly participants: readonly Entry[] };

function play(steps: readonly Step[]): { model: CallModel; changes: CallChange[] } {
  const changes: CallChange[] = [];
  let model: CallModel = { ...initialCallModel, graphCallId: 'c' };
  const shared = { changeType: 'updated', graphCallId: 'c' } as const;
  for (const step of steps) {
    const reduced = reduceCall(
      model,
      'participants' in step
        ? { ...shared, ...step, kind: 'rosterDelta', participants: step.participants.map(entry) }
        : { ...shared, kind: 'roster', participants: step.map(entry) },
    );
    model = reduced.model;
    changes.push(...reduced.changes);
  }
  return { model, changes };
}

function entry(data: Entry): ParticipantData {
  return { isRemoved: false, ...data };
}

function at(rosterSequence: number, ...ids: string[]): Entry[] {
  return ids.map((id) => ({ id, rosterSequence }));
}

function told(steps: readonly Step[]): string[] {
  return play(steps).changes.flatMap((change) =>
    'participant' in change ? [`${change.participant.id} ${change.kind.slice(11)}`] : [],
  );
}

function present(steps: readonly Step[]): string[] {
  return Object.values(play(steps).model.participants)
    .map(({ id }) => id)
    .sort();
}

describe('a whole roster', () => {
  it('tells who came, changed and left', () => {
    const ada = { id: 'ada', isMuted: false };
    expect(
      told([[{ id: 'bot' }, ada], [{ id: 'bot' }, { ...ada, isMuted: true }], [{ id: 'bot' }]]),
    ).toEqual(['bot Joined', 'ada Joined', 'ada Updated', 'ada Left']);
  });

  it('that says the same tells nothing', () => {
    expect(told([at(1, 'bot', 'ada'), at(2, 'bot', 'ada')])).toEqual(['bot Joined', 'ada Joined']);
  });

  it('keeps what it leaves out', () => {
    const identity = { kind: 'user', id: 'oid', displayName: 'Ada' } as const;
    const { model } = play([
      [{ id: 'ada', identity, isMuted: true, audioSourceIds: ['213'] }],
      [{ id: 'ada' }],
    ]);
    expect(Object.values(model.participants)).toEqual([
      {
        id: 'ada',
        kind: 'user',
        identityId: 'oid',
        displayName: 'Ada',
        isMuted: true,
        isInLobby: false,
        isServerMuted: false,
        sourceIds: { audio: ['213'] },
      },
    ]);
  });

  it('takes an identity of another kind whole', () => {
    const { model } = play([
      [{ id: 'p', identity: { kind: 'encrypted', id: 'e', displayName: 'x' } }],
      [{ id: 'p', identity: { kind: 'user', id: 'u' } }],
    ]);
    expect(model.participants['p']).toMatchObject({ kind: 'user', identityId: 'u' });
    expect(model.participants['p']).not.toHaveProperty('displayName');
  });

  it('counts those it calls removed as gone', () => {
    expect(
      present([
        [{ id: 'bot' }, { id: 'ada' }],
        [{ id: 'bot' }, { id: 'ada', isRemoved: true }],
      ]),
    ).toEqual(['bot']);
  });

  it('knows ids in any form, and keeps the first', () => {
    const id = '0d7664b6-6432-43ed-8d27-d9e7adec188c';
    expect(told([[{ id }], [{ id: id.replaceAll('-', '').toUpperCase(), isMuted: true }]])).toEqual(
      [`${id} Joined`, `${id} Updated`],
    );
  });

  it('takes ids that name parts of every object', () => {
    expect(present([[{ id: '__proto__' }, { id: 'constructor' }]])).toEqual([
      '__proto__',
      'constructor',
    ]);
  });
});

describe('a stale roster', () => {
  it('changes nothing', () => {
    expect(present([at(2, 'bot', 'ada'), at(1, 'bot')])).toEqual(['ada', 'bot']);
  });

  it('does not bring back who left', () => {
    const withAda = [...at(1, 'bot'), ...at(2, 'ada')];
    expect(present([at(1, 'bot'), withAda, at(1, 'bot'), withAda])).toEqual(['bot']);
  });

  it('is not one whose highest number left with its bearer', () => {
    expect(present([[...at(1, 'bot'), ...at(7, 'ada')], at(1, 'bot')])).toEqual(['bot']);
  });

  it('is not one that shows who came back', () => {
    expect(present([at(1, 'bot', 'ada'), at(2, 'bot'), at(3, 'bot', 'ada')])).toEqual([
      'ada',
      'bot',
    ]);
  });

  it('is an empty one, once rosters had numbers', () => {
    expect(present([at(1, 'bot'), []])).toEqual(['bot']);
    expect(present([[{ id: 'bot' }], []])).toEqual([]);
  });

  it('never wins over a newer one (property)', () => {
    const rosters = fc.array(fc.subarray(['ada', 'bob', 'cy', 'dee']), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        rosters.chain((sets) => {
          const snapshots = sets.map((ids, index) => at(index + 1, 'bot', ...ids));
          return fc.tuple(
            fc.constant(snapshots.at(-1)!),
            fc.shuffledSubarray([...snapshots, ...snapshots], { minLength: snapshots.length * 2 }),
          );
        }),
        ([last, shuffled]) => {
          expect(present(shuffled)).toEqual(last.map(({ id }) => id).sort());
        },
      ),
    );
  });
});

describe('a roster whose place is not certain', () => {
  function isIncomplete(steps: readonly Step[]): boolean {
    return play(steps).model.rosterIncomplete === true;
  }

  it('lacks whoever had the highest number', () => {
    const steps = [[...at(1, 'bot', 'cy'), ...at(7, 'ada')], at(1, 'bot', 'cy')];
    expect(isIncomplete(steps)).toBe(true);
    expect(isIncomplete([...steps, at(1, 'bot')])).toBe(true);
    expect(isIncomplete([...steps, [...at(1, 'bot', 'cy'), ...at(8, 'bob')]])).toBe(false);
  });

  it('shows somebody new with an old number', () => {
    expect(
      isIncomplete([
        [...at(1, 'bot'), ...at(7, 'ada')],
        [...at(1, 'bot'), ...at(7, 'ada'), ...at(3, 'cy')],
      ]),
    ).toBe(true);
  });

  it('is none when others leave, or somebody comes', () => {
    expect(isIncomplete([at(4, 'bot', 'ada', 'cy'), at(4, 'bot', 'ada'), at(4, 'bot')])).toBe(
      false,
    );
    expect(isIncomplete([at(4, 'bot'), [...at(4, 'bot'), ...at(5, 'ada')]])).toBe(false);
  });

  it('is no matter once the list was read', () => {
    const { model } = play([
      [...at(1, 'bot', 'cy', 'dee'), ...at(7, 'ada')],
      at(1, 'bot', 'cy', 'dee'),
    ]);
    const shared = { kind: 'roster', changeType: 'updated', graphCallId: 'c' } as const;
    const participants = at(1, 'bot', 'cy', 'dee').map(entry);
    const known = reduceCall(model, { ...shared, participants, asOf: 7 }).model;
    expect(known).not.toHaveProperty('rosterIncomplete');
    const fewer = reduceCall(known, { ...shared, participants: participants.slice(0, 2) }).model;
    expect(fewer).not.toHaveProperty('rosterIncomplete');
  });
});

describe('a delta of the roster', () => {
  it('adds, changes and removes', () => {
    const steps: Step[] = [
      at(1, 'bot', 'ada'),
      { sequenceNumber: 2, participants: [{ id: 'ada', isMuted: true }, { id: 'bob' }] },
      { sequenceNumber: 3, participants: [{ id: 'ada', isRemoved: true }] },
    ];
    expect(told(steps)).toEqual(
      ['bot Joined', 'ada Joined', 'bob Joined', 'ada Updated', 'ada Left'].sort(
        (a, b) => order(a) - order(b),
      ),
    );
    expect(play(steps).model).not.toHaveProperty('rosterIncomplete');
    function order(line: string): number {
      return ['bot Joined', 'ada Joined', 'ada Updated', 'bob Joined', 'ada Left'].indexOf(line);
    }
  });

  it('that is old changes nothing', () => {
    expect(present([at(5, 'bot'), { sequenceNumber: 5, participants: [{ id: 'ada' }] }])).toEqual([
      'bot',
    ]);
  });

  it('after a missing one says so, until a whole roster comes', () => {
    const steps: Step[] = [at(1, 'bot'), { sequenceNumber: 3, participants: [{ id: 'ada' }] }];
    expect(play(steps).model.rosterIncomplete).toBe(true);
    expect(play([...steps, at(4, 'bot', 'ada')]).model).not.toHaveProperty('rosterIncomplete');
  });
});

describe('memory', () => {
  it('of those who left is bounded', () => {
    const steps = Array.from({ length: 600 }, (_, index) => [
      ...at(index, 'bot'),
      ...at(index, `p${index}`),
    ]);
    expect(Object.keys(play(steps).model.departed ?? {})).toHaveLength(256);
  });
});

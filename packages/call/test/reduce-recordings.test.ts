import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallModel } from '../src/call-model.js';
import { initialCallModel } from '../src/call-model.js';
import type { CallNotification } from '../src/call-notification.js';
import { parseNotifications } from '../src/parse-notifications.js';
import { parseParticipant } from '../src/parse-participant.js';
import { reduceCall } from '../src/reduce-call.js';
import { shuffledAndRepeated } from './arbitraries.js';
import { ADA, BOT, CALL_ID, GRACE } from './notifications.js';
import { deltaBody, LIVE_DELTAS, LIVE_NUMBERED, RECORDINGS } from './recordings.js';

function play(bodies: readonly unknown[], from: CallModel = initialCallModel): CallModel {
  let model = from;
  for (const body of bodies) {
    const parsed = parseNotifications(body);
    for (const item of parsed.ok ? parsed.items : []) model = reduceCall(model, item).model;
  }
  return model;
}

/** The list of participants, as asked for when the model was this. */
function read(model: CallModel, entries: readonly unknown[]): CallNotification {
  return {
    kind: 'roster',
    changeType: 'updated',
    graphCallId: CALL_ID,
    participants: entries.flatMap((entry) => parseParticipant(entry) ?? []),
    asOf: model.rosterSequence ?? 0,
  };
}

/** What must not depend on the order: see `reduceCall`. */
function settled({ departed: _, mediaState: __, ...model }: CallModel): unknown {
  return { ...model, participants: people(model) };
}

/** Who is there and how, without the numbers that only serve to put rosters in order. */
function people({ participants }: Pick<CallModel, 'participants'>): unknown[] {
  return Object.keys(participants)
    .sort()
    .map((key) => {
      const { rosterSequence: _, ...who } = participants[key]!;
      return who;
    });
}

describe.each(Object.entries(RECORDINGS))('a call: %s', (_name, recording) => {
  it('told in any order, and any number of times, ends the same (property)', () => {
    const expected = settled(play(recording));
    fc.assert(
      fc.property(shuffledAndRepeated(recording.length), (order) => {
        expect(settled(play(order.map((index) => recording[index])))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('stays as it ended, whatever comes again (property)', () => {
    const over = play(recording);
    fc.assert(
      fc.property(shuffledAndRepeated(recording.length), (order) => {
        const again = play(
          order.map((index) => recording[index]),
          over,
        );
        expect(settled(again)).toEqual(settled(over));
      }),
      { numRuns: 100 },
    );
  });
});

describe('delta rosters of a call that lives', () => {
  const expected = play(LIVE_DELTAS);

  it('are put in order (property)', () => {
    expect(expected).not.toHaveProperty('rosterIncomplete');
    fc.assert(
      fc.property(shuffledAndRepeated(LIVE_DELTAS.length), (order) => {
        expect(settled(play(order.map((index) => LIVE_DELTAS[index])))).toEqual(settled(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('say so when one is missing, until the list is read (property)', () => {
    const deltas = LIVE_DELTAS.slice(2);
    const whole = [BOT, ADA, { ...GRACE, isMuted: true }];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: deltas.length - 2 }),
        shuffledAndRepeated(deltas.length),
        (lost, order) => {
          const model = play(order.filter((index) => index !== lost).map((index) => deltas[index]));
          expect(model.rosterIncomplete).toBe(true);
          const complete = reduceCall(model, read(model, whole)).model;
          expect(complete).not.toHaveProperty('rosterIncomplete');
          expect(people(complete)).toEqual(people(expected));
          // The one that was lost comes after all, and what follows counts.
          const late = play([deltas[lost], deltaBody(8, [{ ...ADA, isMuted: false }])], complete);
          expect(late).not.toHaveProperty('rosterIncomplete');
          expect(Object.values(late.participants).filter(({ isMuted }) => isMuted)).toHaveLength(1);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that come while the list is read are not lost', () => {
    const model = play(LIVE_DELTAS);
    const asked = read(model, [BOT, ADA, { ...GRACE, isMuted: true }]);
    const newcomer = { ...GRACE, id: 'newcomer' };
    const meanwhile = play([deltaBody(8, [newcomer])], model);
    const { participants } = reduceCall(meanwhile, asked).model;
    expect(Object.keys(participants)).toContain('newcomer');
  });
});

describe('rosters whose numbers tell little', () => {
  const whole = [BOT, { ...ADA, isMuted: false }];

  it('are right, or say that they may not be, until the list is read (property)', () => {
    const expected = people(play(LIVE_NUMBERED));
    fc.assert(
      fc.property(shuffledAndRepeated(LIVE_NUMBERED.length), (order) => {
        const model = play(order.map((index) => LIVE_NUMBERED[index]));
        const isRight = JSON.stringify(people(model)) === JSON.stringify(expected);
        const numbered = whole.map((entry, index) => ({
          ...entry,
          rosterSequenceNumber: index === 0 ? 1 : 3,
        }));
        const complete = reduceCall(model, read(model, numbered)).model;
        expect(people(complete)).toEqual(expected);
        expect(complete).not.toHaveProperty('rosterIncomplete');
        return isRight || model.rosterIncomplete === true || endsWithNewcomer(model);
      }),
      { numRuns: 500 },
    );
  });

  /** The highest number of all: nothing tells that its bearer has left already. */
  function endsWithNewcomer({ participants }: CallModel): boolean {
    return Object.values(participants).some(({ rosterSequence }) => rosterSequence === 5);
  }
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CallModel } from '../src/index.js';
import { initialCallModel, parseNotifications, reduceCall } from '../src/index.js';
import { shuffledAndRepeated } from './arbitraries.js';
import { callBody, rosterBody } from './notifications.js';
import { deltaBody } from './recordings.js';

type Entry = Readonly<Record<string, unknown>>;

/** Somebody comes, changes, or leaves; whoever left may come back under the same id. */
interface Step {
  readonly who: number;
  readonly isLeaving: boolean;
  readonly isMuted: boolean;
  /** In which form Graph writes the id and the number. */
  readonly form: number;
}

const FORMS: readonly ((id: string) => string)[] = [
  (id) => id,
  (id) => id.toUpperCase(),
  (id) => id.replaceAll('-', '').toUpperCase(),
];
const BOT = 0;
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    who: fc.integer({ min: 1, max: 4 }),
    isLeaving: fc.boolean(),
    isMuted: fc.boolean(),
    form: fc.nat(FORMS.length - 1),
  }),
  { minLength: 1, maxLength: 10 },
);

function entryOf({ who, isMuted, form }: Omit<Step, 'isLeaving'>): Entry {
  const id = FORMS[form]?.(`a7ebfb2d-871e-419c-87af-27290b22e8d${who}`);
  const identity = { user: { id: `user-${who}`, displayName: `Person ${who}` } };
  const mediaStreams = [{ mediaType: 'audio', sourceId: String(100 + who) }];
  return { id, info: { identity }, isMuted, isInLobby: false, mediaStreams };
}

/** The bodies of a meeting, its rosters told whole or as deltas. */
function meetingOf(story: readonly Step[], isDelta: boolean, isOver: boolean): unknown[] {
  const bot = entryOf({ who: BOT, isMuted: false, form: 0 });
  const bodies: unknown[] = [
    callBody('updated', { state: 'establishing' }),
    callBody('updated', { state: 'established', myParticipantId: bot['id'] }),
    isDelta ? deltaBody(1, [bot]) : rosterBody(1, [bot]),
  ];
  const present = new Map<number, Entry>([[BOT, bot]]);
  for (const [index, step] of story.entries()) {
    const number = index + 2;
    const entry = entryOf(step);
    if (step.isLeaving) present.delete(step.who);
    else present.set(step.who, entry);
    const told = step.isLeaving ? { id: entry['id'], removedState: { reason: 'Left' } } : entry;
    const written = step.form === 0 ? number : String(number);
    bodies.push(isDelta ? deltaBody(written, [told]) : rosterBody(number, [...present.values()]));
  }
  const resultInfo = { code: '200', subcode: 5001 };
  if (isOver) bodies.push(callBody('deleted', { state: 'terminated', resultInfo }));
  return bodies;
}

function play(bodies: readonly unknown[]): CallModel {
  let model = initialCallModel;
  for (const body of bodies) {
    const parsed = parseNotifications(body);
    for (const item of parsed.ok ? parsed.items : []) model = reduceCall(model, item).model;
  }
  return model;
}

/** What must not depend on the order; an id is kept in the form first received. */
function settled({ state, result, rosterSequence, rosterIncomplete, participants }: CallModel) {
  const people = Object.entries(participants).map(([key, { displayName, isMuted, sourceIds }]) => {
    return { key, displayName, isMuted, sources: sourceIds.audio };
  });
  people.sort((a, b) => (a.key < b.key ? -1 : 1));
  return { state, result, rosterSequence, rosterIncomplete, people };
}

const told = fc
  .tuple(steps, fc.boolean(), fc.boolean())
  .map(([story, isDelta, isOver]) => meetingOf(story, isDelta, isOver))
  .chain((bodies) => fc.tuple(fc.constant(bodies), shuffledAndRepeated(bodies.length)));

it('any meeting, told in any order and any number of times, ends the same (property)', () => {
  fc.assert(
    fc.property(told, ([bodies, order]) => {
      const shuffled = order.map((index) => bodies[index]);
      expect(settled(play(shuffled))).toEqual(settled(play(bodies)));
    }),
    { numRuns: 300 },
  );
});

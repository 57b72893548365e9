import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallEventDraft } from '../src/call-events.js';
import { parseCallMemory } from '../src/call-memory.js';
import type { CallTalkState } from '../src/call-talk.js';
import { CallTalk } from '../src/call-talk.js';

/** Media time is of u64 ticks of 100 ns. */
const GREATEST_MS = 2 ** 64 / 10_000;

/** What is heard again from a stream's position reaches back so far. */
const HEARD_AGAIN_MS = 4000;

interface Spurt {
  /** Null: heard in the mix. */
  readonly sourceId: string | null;
  readonly startMs: number;
  readonly endMs: number;
}

type Step = { readonly atMs: number; tell(talk: CallTalk): void };

/** As `participantOf` names it: source 1 is given to somebody else at 20 s. */
function participantAt(sourceId: string, atMs: number): string {
  return sourceId === '1' && atMs >= 20_000 ? 'p-other' : `p-${sourceId}`;
}

/** Events by their id: the first told counts. */
class Told {
  readonly events = new Map<string, CallEventDraft>();
  nowMs = 0;

  talk(state?: CallTalkState | null): CallTalk {
    return new CallTalk({
      ...{ callId: 'c_1', mediaId: 'm_1', state },
      participantOf: (sourceId) => participantAt(sourceId, this.nowMs),
      tell: (event) => {
        if (!this.events.has(event.id)) this.events.set(event.id, event);
      },
    });
  }
}

/** As it comes back from Redis. */
function stored(talk: CallTalk): CallTalkState | null | undefined {
  const memory = {
    version: 1,
    tones: { told: [] },
    collections: [],
    talk: talk.state,
    heardMs: null,
  };
  return parseCallMemory(JSON.parse(JSON.stringify(memory)))?.talk;
}

const spurts: fc.Arbitrary<Spurt[]> = fc
  .array(
    fc.record({
      sourceId: fc.constantFrom('1', '2', '3', null),
      pauseMs: fc.integer({ min: 2, max: 6000 }),
      talkMs: fc.integer({ min: 1, max: 9000 }),
    }),
    { minLength: 1, maxLength: 16 },
  )
  .map((list) => {
    const endOf = new Map<string | null, number>();
    return list.map(({ sourceId, pauseMs, talkMs }) => {
      const startMs = (endOf.get(sourceId) ?? 1000) + pauseMs + 0.1;
      endOf.set(sourceId, startMs + talkMs);
      return { sourceId, startMs, endMs: startMs + talkMs };
    });
  });

/** What is told of spurts, and when; time is settled every 100 ms. */
function stepsOf(list: readonly Spurt[]): { steps: Step[]; endMs: number } {
  const told = list.flatMap(({ sourceId, startMs, endMs }): Step[] => [
    { atMs: startMs + 100, tell: (talk) => talk.started(sourceId, startMs) },
    { atMs: endMs + 300, tell: (talk) => talk.ended(sourceId, startMs, endMs) },
  ]);
  const endMs = Math.max(...told.map(({ atMs }) => atMs)) + 200;
  for (let atMs = 0; atMs < endMs; atMs += 100) {
    told.push({ atMs, tell: (talk) => talk.settle(atMs - 250, 0) });
  }
  return { steps: told.sort((one, other) => one.atMs - other.atMs), endMs };
}

function eventsOf(list: readonly Spurt[], handOvers: readonly number[]): CallEventDraft[] {
  const { steps, endMs } = stepsOf(list);
  const told = new Told();
  let talk = told.talk();
  const at = new Set(handOvers.map((share) => Math.floor(share * steps.length)));
  for (const [n, step] of steps.entries()) {
    if (at.has(n)) {
      talk = told.talk(stored(talk));
      // What was heard lately is heard again, and who is who is known as it was then.
      const again = steps.slice(0, n).filter(({ atMs }) => atMs > step.atMs - HEARD_AGAIN_MS);
      for (const each of again) each.tell(talk);
    }
    told.nowMs = step.atMs;
    step.tell(talk);
  }
  talk.end(endMs);
  return [...told.events.values()];
}

describe('who speaks in a call that other workers take over', () => {
  // A double is near 0 or 1 nearly always.
  const share = fc.integer({ min: 0, max: 9999 }).map((n) => n / 10_000);

  it('is told and summed up as by one worker, wherever they do', () => {
    fc.assert(
      fc.property(spurts, fc.array(share, { minLength: 1, maxLength: 4 }), (list, handOvers) => {
        const alone = eventsOf(list, []);
        expect(eventsOf(list, handOvers)).toEqual(alone);
        expect(alone.filter(({ type }) => type === 'talk.summary')).toHaveLength(1);
      }),
    );
  });

  it('stays who the host says', () => {
    const told = new Told();
    const first = told.talk();
    first.hostSays('2', 100);
    const next = told.talk(stored(first));
    expect(next.dominant).toBe('2');
    next.hostSays('2', 150);
    next.started('1', 200);
    next.settle(9000, 0);
    next.hostSays(null, 9100);
    expect([...told.events.keys()]).toEqual([
      'c_1.m_1.speakerDominant.2.100',
      'c_1.m_1.speakerDominant.nobody.9100',
    ]);
  });

  it('is stored of those who said most, if they are very many', () => {
    const told = new Told();
    const talk = told.talk();
    for (let n = 0; n < 1024; n += 1) {
      // Those in the middle speak longest.
      talk.started(`${n}`, n * 1000);
      talk.ended(`${n}`, n * 1000, n * 1000 + 100 + 400 * Number(n >= 500 && n < 600));
    }
    talk.settle(1_100_000, 0);
    const before = talk.speakers;
    const next = told.talk(stored(talk));
    expect(next.speakers).toEqual(before.slice(500, 600));
    expect(next.state.ledger).toMatchObject({ talkMs: 1024 * 100 + 100 * 400 });
    expect(JSON.stringify(next.state).length).toBeLessThan(10_000);
  });

  it('is stored in little, where there are not many', () => {
    const talk = new Told().talk();
    for (let n = 0; n < 200; n += 1) {
      const startMs = n * 10_000.1;
      talk.started(`${2000 + (n % 20)}`, startMs);
      talk.ended(`${2000 + (n % 20)}`, startMs, startMs + 1234.5);
      talk.settle(startMs + 9000, 0);
    }
    const bytes = Buffer.byteLength(JSON.stringify(talk.state));
    expect(bytes).toBeLessThan(2000);
  });
});

describe('whatever is told of who speaks', () => {
  const timeMs = fc.oneof(
    fc.constantFrom(0, 0.1, 2 ** 31, -(2 ** 31), 2 ** 50, -(2 ** 50)),
    fc.constantFrom(GREATEST_MS, -GREATEST_MS),
    fc.double({ min: -GREATEST_MS, max: GREATEST_MS, noNaN: true }),
    fc.integer({ min: 0, max: 20_000 }),
  );
  const never = fc.constantFrom(Number.NaN, Infinity, -Infinity, Number.MAX_VALUE);
  const callOf = (time: fc.Arbitrary<number>) =>
    fc.oneof(
      fc.record({ do: fc.constant('started'), sourceId: source, fromMs: time, toMs: time }),
      fc.record({ do: fc.constant('ended'), sourceId: source, fromMs: time, toMs: time }),
      fc.record({ do: fc.constant('settle'), sourceId: source, fromMs: time, toMs: time }),
      fc.record({ do: fc.constant('host'), sourceId: source, fromMs: time, toMs: time }),
    );
  const source = fc.oneof(
    fc.constantFrom('1', '2', null, '', '__proto__'),
    fc.string({ unit: 'binary' }),
  );

  function talkOf(
    calls: readonly { do: string; sourceId: string | null; fromMs: number; toMs: number }[],
  ) {
    const talk = new Told().talk();
    for (const { do: what, sourceId, fromMs, toMs } of calls) {
      if (what === 'started') talk.started(sourceId, fromMs);
      else if (what === 'ended') talk.ended(sourceId, fromMs, toMs);
      else if (what === 'settle') talk.settle(toMs, fromMs);
      else talk.hostSays(sourceId, fromMs);
    }
    return talk;
  }

  it('comes back from Redis as it was', () => {
    fc.assert(
      fc.property(fc.array(callOf(timeMs), { maxLength: 30 }), (calls) => {
        const { state } = talkOf(calls);
        const back = stored(talkOf(calls));
        expect(JSON.stringify(back)).toBe(JSON.stringify(state));
        const next = new Told().talk(back);
        expect(JSON.stringify(next.state)).toBe(JSON.stringify(state));
      }),
    );
  });

  it('at times that can not be comes back, or begins anew', () => {
    const anyTime = fc.oneof(timeMs, never);
    fc.assert(
      fc.property(fc.array(callOf(anyTime), { maxLength: 30 }), (calls) => {
        const talk = talkOf(calls);
        const back = stored(talk);
        if (back !== null) expect(JSON.stringify(back)).toBe(JSON.stringify(talk.state));
      }),
    );
  });
});

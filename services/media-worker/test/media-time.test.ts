import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallEventDraft } from '../src/call-events.js';
import { CallTalk } from '../src/call-talk.js';
import { MediaTime } from '../src/media-time.js';

const LOOK_MS = 200;

class Heard {
  heardMs: number | undefined;
  hasAllFindings = true;
  isBusy = false;
  readonly identity: { readonly sourceId: string };

  constructor(sourceId: string, heardMs?: number) {
    this.identity = { sourceId };
    this.heardMs = heardMs;
  }
}

let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock();
});

describe('the media time', () => {
  /** Looks as a worker does, while `ms` pass. */
  function pass(time: MediaTime, streams: readonly Heard[], ms: number, isLinked = true): void {
    for (let passedMs = 0; passedMs < ms; passedMs += LOOK_MS) {
      clock.advance(LOOK_MS);
      time.look(streams, isLinked);
    }
  }

  it('of a stream is not later than what it has yet to say, though none of it has come', () => {
    const time = new MediaTime(clock, false);
    const late = new Heard('1', 6900);
    const ahead = new Heard('2', 6900);
    time.look([late, ahead], true);
    for (let n = 0; n < 4; n += 1) {
      ahead.heardMs = 8900 + n;
      pass(time, [late, ahead], LOOK_MS);
      expect(time.settledMsOf(late)).toBe(6650);
      expect(time.settledMsOf(ahead)).toBeGreaterThanOrEqual(8650);
    }
    late.heardMs = 7100;
    pass(time, [late, ahead], 800);
    expect(time.settledMsOf(late)).toBe(6850);
  });

  it('of a stream that was just opened is not known, until it is found to be quiet', () => {
    const time = new MediaTime(clock, false);
    const opened = new Heard('1');
    const other = new Heard('2', 3000);
    time.look([opened, other], true);
    expect(time.settledMsOf(opened)).toBeUndefined();
    pass(time, [opened, other], 1000);
    expect(time.settledMsOf(opened)).toBe(time.settledMs);
  });

  it('of a quiet stream goes on with the others', () => {
    const time = new MediaTime(clock, false);
    const quiet = new Heard('1', 5000);
    const other = new Heard('2', 5000);
    time.look([quiet, other], true);
    for (let ms = 5200; ms <= 6200; ms += LOOK_MS) {
      other.heardMs = ms;
      pass(time, [quiet, other], LOOK_MS);
    }
    expect(time.settledMsOf(quiet)).toBe(5950);
  });

  it('does not take a stream for quiet while the link is away, or the worker is held up', () => {
    const time = new MediaTime(clock, false);
    const late = new Heard('1', 5000);
    const other = new Heard('2', 6000);
    time.look([late, other], true);
    pass(time, [late, other], 9000, false);
    expect(time.settledMsOf(late)).toBe(4750);
    clock.advance(9000);
    time.look([late, other], true);
    expect(time.settledMsOf(late)).toBe(4750);
  });

  it('of hosts of virtual time is that of what was heard of any stream', () => {
    const time = new MediaTime(clock, true);
    const quiet = new Heard('1', 1000);
    const other = new Heard('2', 4000);
    time.look([quiet, other], true);
    expect(time.settledMsOf(quiet)).toBe(3750);
  });
});

function inOrder(event: CallEventDraft): CallEventDraft {
  if (event.type !== 'talk.summary') return event;
  const speakers = event.data.speakers.toSorted((one, other) =>
    `${one.sourceId}` < `${other.sourceId}` ? -1 : 1,
  );
  return { ...event, data: { ...event.data, speakers } };
}

describe('who mostly speaks', () => {
  const ADA = { startMs: 500, endMs: 3500 };
  const BOB = { startMs: 3000, endMs: 7000 };
  /** Speech is told as it begins and ends, so much later. */
  const ONSET_MS = 100;
  const HANGOVER_MS = 300;
  const END_MS = 16_000;

  /** Tells what is said and who dominates, as the frames of both come by `steps` of ms. */
  function dominants(steps: readonly (readonly [adaMs: number, bobMs: number])[]): string[] {
    const told: string[] = [];
    const time = new MediaTime(clock, false);
    const talk = new CallTalk({
      ...{ callId: 'c_1', mediaId: 'm_1', participantOf: () => null },
      // Who is told of first depends on whose frames come first.
      tell: (event) => told.push(JSON.stringify(inOrder(event))),
    });
    const ada = new Heard('1', 0);
    const bob = new Heard('2', 0);
    const go = (stream: Heard, { startMs, endMs }: typeof ADA, ms: number): void => {
      const { heardMs: fromMs = 0, identity } = stream;
      const toMs = Math.min(END_MS, fromMs + ms);
      const isNow = (atMs: number): boolean => fromMs < atMs && atMs <= toMs;
      if (isNow(startMs + ONSET_MS)) talk.started(identity.sourceId, startMs);
      if (isNow(endMs + HANGOVER_MS)) talk.ended(identity.sourceId, startMs, endMs);
      stream.heardMs = toMs;
    };
    const look = (): void => {
      clock.advance(LOOK_MS);
      time.look([ada, bob], true);
      const settled = [time.surelySettledMs, time.settledMsOf(ada), time.settledMsOf(bob)];
      const known = settled.filter((ms) => ms !== undefined);
      if (known.length === settled.length) talk.settle(Math.min(...known), 0);
    };
    for (const [adaMs, bobMs] of steps) {
      go(ada, ADA, adaMs);
      go(bob, BOB, bobMs);
      look();
    }
    while (ada.heardMs !== END_MS || bob.heardMs !== END_MS) {
      go(ada, ADA, 200);
      go(bob, BOB, 200);
      look();
    }
    talk.end(END_MS);
    return told;
  }

  it('is told the same however far one stream is behind another, as when frames are sent again', () => {
    const inStep = dominants([]);
    expect(inStep.filter((each) => each.includes('"speaker.dominant"'))).toHaveLength(3);
    const ms = fc.integer({ min: 1, max: 100 }).map((frames) => frames * 20);
    fc.assert(
      fc.property(fc.array(fc.tuple(ms, ms), { maxLength: 20 }), (steps) => {
        expect(dominants(steps)).toEqual(inStep);
      }),
    );
  });
});

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SILENCE_DBFS } from '../src/level.js';
import type { SpeechActivityOptions, SpeechTransition } from '../src/speech-activity.js';
import { SPEECH_STATE_NUMBERS, SpeechActivity } from '../src/speech-activity.js';

const FRAME_MS = 20;

/** Levels of a few syllables, as they rise and fall. */
const WORD: readonly number[] = [-38, -24, -20, -23, -30, -41, -27, -19, -22, -33];
const ROOM_DBFS = -70;

interface Recording {
  readonly voice: string;
  readonly speech: readonly { readonly startMs: number; readonly endMs: number }[];
  readonly levelsDbfs: readonly number[];
}

function run(
  levelsDbfs: readonly number[],
  options: SpeechActivityOptions = {},
  tones: readonly boolean[] = [],
): SpeechTransition[] {
  const activity = new SpeechActivity(options);
  return levelsDbfs.flatMap((levelDbfs, n) => {
    const transition = activity.step(n * FRAME_MS, FRAME_MS, levelDbfs, tones[n] ?? false);
    return transition === undefined ? [] : [transition];
  });
}

function frames(count: number, levelDbfs: number): number[] {
  return new Array<number>(count).fill(levelDbfs);
}

/** Levels that wander by at most `spreadDb`, the same way every time. */
function noise(count: number, levelDbfs: number, spreadDb: number): number[] {
  let seed = 42;
  return frames(count, levelDbfs).map((level) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return level + (seed / 2 ** 32 - 0.5) * spreadDb;
  });
}

describe('SpeechActivity', () => {
  it('dates a talkspurt from its first frame to its last', () => {
    const levels = [...frames(50, ROOM_DBFS), ...WORD, ...frames(50, ROOM_DBFS)];
    expect(run(levels)).toEqual([
      { kind: 'started', startMs: 1000 },
      { kind: 'ended', startMs: 1000, endMs: 1200 },
    ]);
  });

  it('reports after the onset and after the hangover, and speaks between', () => {
    const activity = new SpeechActivity();
    const levels = [...frames(10, ROOM_DBFS), ...WORD, ...frames(20, ROOM_DBFS)];
    const speaking = levels.map((levelDbfs, n) => {
      activity.step(n * FRAME_MS, FRAME_MS, levelDbfs, false);
      return activity.speaking;
    });
    expect(speaking.indexOf(true)).toBe(10 + 4);
    expect(speaking.lastIndexOf(true)).toBe(10 + WORD.length + 300 / FRAME_MS - 2);
  });

  it.each([14, 13, 1])('merges words across a pause of %i frames', (pause) => {
    const levels = [...WORD, ...frames(pause, ROOM_DBFS), ...WORD, ...frames(20, ROOM_DBFS)];
    const endMs = (2 * WORD.length + pause) * FRAME_MS;
    expect(run(levels)).toEqual([
      { kind: 'started', startMs: 0 },
      { kind: 'ended', startMs: 0, endMs },
    ]);
  });

  it('separates words across a pause of the hangover', () => {
    const levels = [...WORD, ...frames(15, ROOM_DBFS), ...WORD, ...frames(20, ROOM_DBFS)];
    expect(run(levels).map((t) => t.kind)).toEqual(['started', 'ended', 'started', 'ended']);
  });

  it('reaches back over a soft beginning', () => {
    const levels = [...frames(20, ROOM_DBFS), -55, -54, -53, ...WORD];
    expect(run(levels)[0]).toEqual({ kind: 'started', startMs: 400 });
  });

  it('hears speech that is there from the first frame', () => {
    expect(run([...WORD, ...WORD])).toEqual([{ kind: 'started', startMs: 0 }]);
  });

  it.each([1, 2])('ignores clicks of %i frames', (count) => {
    const click = [...frames(count, -10), ...frames(8, ROOM_DBFS)];
    expect(run([...click, ...click, ...click, ...click])).toEqual([]);
  });

  it('takes a short even sound for speech once it ends', () => {
    const levels = [...frames(10, ROOM_DBFS), ...frames(10, -25), ...frames(30, ROOM_DBFS)];
    expect(run(levels)).toEqual([
      { kind: 'started', startMs: 200 },
      { kind: 'ended', startMs: 200, endMs: 400 },
    ]);
  });

  it.each([-20, -35, -48])('ignores steady noise at %i dBFS, there or switched on', (dbfs) => {
    const steady = noise(500, dbfs, 4);
    expect(run(steady)).toEqual([]);
    expect(run([...frames(50, SILENCE_DBFS), ...steady])).toEqual([]);
    expect(run([...frames(50, -80), -60, ...steady])).toEqual([]);
  });

  it('hears speech above steady noise and not the noise', () => {
    const levels = [...noise(100, -40, 3), ...WORD, ...noise(100, -40, 3)];
    const [started, ended, ...rest] = run(levels);
    expect(started).toEqual({ kind: 'started', startMs: 2000 + FRAME_MS });
    // The loud word's quiet dip and end lie in the noise.
    expect(ended).toEqual({ kind: 'ended', startMs: 2020, endMs: 2000 + 10 * FRAME_MS });
    expect(rest).toEqual([]);
  });

  it('ends a talkspurt where noise took over', () => {
    const [started, ended, ...rest] = run([...WORD, ...WORD, ...noise(200, -35, 3)]);
    expect(started).toEqual({ kind: 'started', startMs: 0 });
    expect(ended).toMatchObject({ kind: 'ended' });
    const endMs = ended?.kind === 'ended' ? ended.endMs : Number.NaN;
    expect(Math.abs(endMs - 2 * WORD.length * FRAME_MS)).toBeLessThanOrEqual(2 * FRAME_MS);
    expect(rest).toEqual([]);
  });

  it('gives up on rumble within seconds', () => {
    const rumble = noise(1000, -35, 11);
    const spokenMs = run(rumble).reduce(
      (sum, t) => sum + (t.kind === 'ended' ? t.endMs - t.startMs : 0),
      0,
    );
    expect(spokenMs).toBeLessThan(3000);
    expect(run(rumble).filter((t) => t.kind === 'started').length).toBeLessThanOrEqual(1);
  });

  it('never takes tones for speech, and talks on after a short one', () => {
    const silence = frames(20, ROOM_DBFS);
    expect(run(WORD, {}, new Array<boolean>(WORD.length).fill(true))).toEqual([]);
    const levels = [...silence, ...WORD, ...frames(5, -15), ...WORD, ...silence];
    const tones = levels.map((_, n) => n >= 30 && n < 35);
    expect(run(levels, {}, tones).map((t) => t.kind)).toEqual(['started', 'ended']);
    const long = [...silence, ...WORD, ...frames(20, -15), ...silence];
    const longTones = long.map((_, n) => n >= 30 && n < 50);
    expect(run(long, {}, longTones)).toEqual([
      { kind: 'started', startMs: 400 },
      { kind: 'ended', startMs: 400, endMs: 600 },
    ]);
  });

  it('ends a talkspurt at a discontinuity where it was last heard', () => {
    const activity = new SpeechActivity();
    [...WORD, ROOM_DBFS].forEach((levelDbfs, n) => {
      activity.step(n * FRAME_MS, FRAME_MS, levelDbfs, false);
    });
    expect(activity.discontinuity(5000)).toEqual({ kind: 'ended', startMs: 0, endMs: 200 });
    expect(activity.speaking).toBe(false);
    expect(activity.discontinuity(9000)).toBeUndefined();
  });

  it('does not count an onset across a discontinuity', () => {
    const activity = new SpeechActivity();
    activity.step(0, FRAME_MS, -30, false);
    activity.step(20, FRAME_MS, -20, false);
    activity.discontinuity(1000);
    expect(activity.step(1000, FRAME_MS, -30, false)).toBeUndefined();
    expect(activity.speaking).toBe(false);
  });

  it('ends by time even when nobody told it about the silence', () => {
    const activity = new SpeechActivity();
    WORD.forEach((levelDbfs, n) => {
      activity.step(n * FRAME_MS, FRAME_MS, levelDbfs, false);
    });
    const ended = activity.step(10_000, FRAME_MS, -20, false);
    expect(ended).toEqual({ kind: 'ended', startMs: 0, endMs: 200 });
  });

  it('obeys its options', () => {
    const levels = [...frames(10, ROOM_DBFS), ...WORD, ...frames(10, ROOM_DBFS)];
    expect(run(levels, { onsetMs: 220 })).toEqual([]);
    expect(run(levels, { minLevelDbfs: -15 })).toEqual([]);
    expect(run(levels, { minSnrDb: 60 })).toEqual([]);
    expect(run(levels, { hangoverMs: 100 }).map((t) => t.kind)).toEqual(['started', 'ended']);
  });

  it.each([
    { onsetMs: -1 },
    { hangoverMs: Number.NaN },
    { minSnrDb: Number.POSITIVE_INFINITY },
    { minLevelDbfs: Number.NaN },
  ])('refuses %o', (options) => {
    expect(() => new SpeechActivity(options)).toThrow(/Cannot create a speech detector/);
  });

  it('finds the talkspurts of synthetic voices through Opus, within three frames', () => {
    const url = new URL('./fixtures/speech-levels.json', import.meta.url);
    const recordings: readonly Recording[] = JSON.parse(readFileSync(url, 'utf8'));
    expect(recordings.length).toBe(2);
    for (const { speech, levelsDbfs } of recordings) {
      const ended = run(levelsDbfs).filter((t) => t.kind === 'ended');
      expect(ended.length).toBe(speech.length);
      ended.forEach((talkspurt, n) => {
        expect(Math.abs(talkspurt.startMs - speech[n]!.startMs)).toBeLessThanOrEqual(60);
        expect(Math.abs(talkspurt.endMs - speech[n]!.endMs)).toBeLessThanOrEqual(60);
      });
    }
  });

  it('keeps its promises on any input (property)', () => {
    const frame = fc.record({
      levelDbfs: fc.integer({ min: SILENCE_DBFS, max: 0 }),
      tone: fc.boolean(),
      jumpMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 500),
      told: fc.boolean(),
      repeat: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 60 }), (list) => {
        const activity = new SpeechActivity();
        let nowMs = 0;
        let lastEndMs = 0;
        let openMs: number | undefined;
        const check = (transition: SpeechTransition | undefined) => {
          if (transition?.kind === 'started') {
            expect(openMs).toBeUndefined();
            expect(transition.startMs).toBeGreaterThanOrEqual(lastEndMs);
            expect(nowMs - transition.startMs).toBeGreaterThanOrEqual(60);
            openMs = transition.startMs;
          } else if (transition?.kind === 'ended') {
            expect(transition.startMs).toBe(openMs);
            expect(transition.endMs).toBeGreaterThanOrEqual(transition.startMs);
            expect(transition.endMs).toBeLessThanOrEqual(nowMs);
            lastEndMs = transition.endMs;
            openMs = undefined;
          }
          expect(activity.speaking).toBe(openMs !== undefined);
        };
        for (const { levelDbfs, tone, jumpMs, told, repeat } of list) {
          nowMs += jumpMs;
          if (jumpMs > 0 && told) check(activity.discontinuity(nowMs));
          for (let n = 0; n < repeat; n += 1) {
            nowMs += FRAME_MS;
            check(activity.step(nowMs - FRAME_MS, FRAME_MS, levelDbfs, tone));
          }
        }
        check(activity.discontinuity(nowMs));
        expect(activity.speaking).toBe(false);
      }),
    );
  });
});

describe('a detector that goes on where another was', () => {
  const level = fc.oneof(
    fc.constantFrom(...WORD, ROOM_DBFS, SILENCE_DBFS),
    fc.double({ min: -90, max: -5, noNaN: true }),
  );
  const stretch = fc
    .tuple(level, fc.integer({ min: 1, max: 60 }))
    .map(([levelDbfs, frames]) => Array.from({ length: frames }, () => levelDbfs));

  it('finds what that one would have found, wherever it was', () => {
    fc.assert(
      fc.property(
        fc.array(stretch, { minLength: 1, maxLength: 25 }).map((stretches) => stretches.flat()),
        fc.array(fc.boolean()),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (levelsDbfs, tones, where) => {
          const cut = Math.floor(where * levelsDbfs.length);
          const step = (activity: SpeechActivity, n: number): SpeechTransition | undefined =>
            activity.step(n * FRAME_MS, FRAME_MS, levelsDbfs[n]!, tones[n] ?? false);
          const first = new SpeechActivity();
          for (let n = 0; n < cut; n += 1) step(first, n);
          const state = new Float64Array(SPEECH_STATE_NUMBERS + 2).fill(7);
          expect(first.save(state, 1)).toBe(SPEECH_STATE_NUMBERS + 1);
          expect([state[0], state.at(-1)]).toEqual([7, 7]);

          const second = new SpeechActivity();
          expect(second.restore(state, 1, cut * FRAME_MS)).toBe(SPEECH_STATE_NUMBERS + 1);
          expect(second.speaking).toBe(first.speaking);
          for (let n = cut; n < levelsDbfs.length; n += 1) {
            expect(step(second, n)).toEqual(step(first, n));
          }
          expect(second.discontinuity(0)).toEqual(first.discontinuity(0));
        },
      ),
    );
  });

  it('believes no time that can not be', () => {
    const heard = new SpeechActivity();
    for (let n = 0; n < 30; n += 1)
      heard.step(n * FRAME_MS, FRAME_MS, n % 2 === 0 ? -20 : -30, false);
    expect(heard.speaking).toBe(true);
    const state = new Float64Array(SPEECH_STATE_NUMBERS);
    heard.save(state, 0);
    for (const at of [1, 2, 4, 5, 6, 9, 14]) {
      for (const timeMs of [1e12, -1e12, 1e308, Number.NEGATIVE_INFINITY]) {
        const spoiled = Float64Array.from(state);
        spoiled[at] = timeMs;
        // The length of what is steady: without it there is none, whenever it began.
        if (at >= 9) spoiled[at + 1] = 100;
        const activity = new SpeechActivity();
        expect(activity.restore(spoiled, 0, 600)).toBe(SPEECH_STATE_NUMBERS);
        expect(activity.speaking).toBe(false);
      }
    }
    const activity = new SpeechActivity();
    activity.restore(state, 0, 600);
    expect(activity.speaking).toBe(true);
  });

  it('hears speech whatever levels were kept', () => {
    const room = new SpeechActivity();
    for (let n = 0; n < 50; n += 1) room.step(n * FRAME_MS, FRAME_MS, ROOM_DBFS - (n % 3), false);
    const state = new Float64Array(SPEECH_STATE_NUMBERS);
    room.save(state, 0);
    const times = [0, 1, 2, 4, 5, 6, 9, 14];
    for (let at = 0; at < SPEECH_STATE_NUMBERS; at += 1) {
      if (times.includes(at)) continue;
      for (const level of [Number.NaN, 2 ** 50, -(2 ** 50), 0, SILENCE_DBFS]) {
        const activity = new SpeechActivity();
        activity.restore(Float64Array.from(state).fill(level, at, at + 1), 0, 50 * FRAME_MS);
        const transitions = [...frames(50, ROOM_DBFS), ...WORD, ...frames(20, ROOM_DBFS)].map(
          (levelDbfs, n) => activity.step((50 + n) * FRAME_MS, FRAME_MS, levelDbfs, false),
        );
        const kinds = transitions.flatMap((transition) => transition?.kind ?? []);
        expect(kinds, `${level} at ${at}`).toEqual(['started', 'ended']);
      }
    }
  });

  it('does not speak since a time that is none', () => {
    const state = new Float64Array(SPEECH_STATE_NUMBERS).fill(Number.NaN);
    state[0] = 1;
    const activity = new SpeechActivity();
    activity.restore(state, 0, 100);
    expect(activity.speaking).toBe(false);
    expect(activity.discontinuity(0)).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADMIT, CONFIRMED_SPEECH_STATE_NUMBERS, ConfirmedSpeech } from '../src/confirmed-speech.js';
import type { SpeechTransition } from '../src/speech-activity.js';

const FRAME_MS = 20;

interface Frame {
  readonly levelDbfs: number;
  readonly probability: number;
  readonly tone?: boolean;
  readonly voiced?: boolean;
}

const ROOM: Frame = { levelDbfs: -70, probability: 0.01 };
const NOISE: Frame = { levelDbfs: -35, probability: 0.02 };
const WORD: Frame = { levelDbfs: -25, probability: 0.95 };

function times(count: number, frame: Frame): Frame[] {
  return new Array<Frame>(count).fill(frame);
}

/** Steps through frames; those that the model does not hear have no probability. */
function step(
  speech: ConfirmedSpeech,
  frames: readonly Frame[],
  first = 0,
): { transitions: SpeechTransition[]; heard: number[] } {
  const transitions: SpeechTransition[] = [];
  const heard: number[] = [];
  frames.forEach(({ levelDbfs, probability, tone = false, voiced = true }, i) => {
    const n = first + i;
    const admit = speech.hear(n * FRAME_MS, FRAME_MS, levelDbfs, tone, voiced);
    if (admit !== ADMIT.closed) heard.push(n);
    const transition = speech.confirm(admit === ADMIT.closed ? Number.NaN : probability);
    if (transition !== undefined) transitions.push(transition);
  });
  return { transitions, heard };
}

function run(frames: readonly Frame[]): SpeechTransition[] {
  return step(new ConfirmedSpeech(), frames).transitions;
}

describe('talkspurts', () => {
  it('begin where the sound rose, and end where it was last likely', () => {
    // The model is late: two frames of the word are not likely yet.
    const late = { ...WORD, probability: 0.1 };
    const frames = [...times(50, ROOM), late, late, ...times(20, WORD), ...times(30, ROOM)];
    expect(run(frames)).toEqual([
      { kind: 'started', startMs: 1000 },
      { kind: 'ended', startMs: 1000, endMs: 1440 },
    ]);
  });

  it('reach back no further than the model may be late', () => {
    const frames = [...times(50, ROOM), ...times(40, NOISE), ...times(10, WORD)];
    const [started] = run(frames);
    expect(started?.startMs).toBeGreaterThanOrEqual(1800 - 120);
    expect(started?.startMs).toBeLessThanOrEqual(1800);
  });

  it('need a probability of 0.5 for longer than a window, and go on at 0.35', () => {
    const maybe = { ...WORD, probability: 0.4 };
    expect(run([...times(10, ROOM), ...times(50, maybe), ...times(30, ROOM)])).toEqual([]);
    expect(run([...times(10, ROOM), WORD, ...times(30, ROOM)])).toEqual([]);
    const frames = [...times(10, ROOM), ...times(4, WORD), ...times(50, maybe), ...times(30, ROOM)];
    expect(run(frames)).toEqual([
      { kind: 'started', startMs: 200 },
      { kind: 'ended', startMs: 200, endMs: 200 + 54 * FRAME_MS },
    ]);
  });

  it.each([
    [14, 1],
    [15, 2],
  ])('bridge pauses below the hangover: %i frames', (pause, spurts) => {
    const frames = [
      ...times(5, WORD),
      ...times(pause, ROOM),
      ...times(5, WORD),
      ...times(20, ROOM),
    ];
    expect(run(frames).filter(({ kind }) => kind === 'started')).toHaveLength(spurts);
  });

  it('are never made of tones, nor of what is too quiet', () => {
    expect(run(times(100, { ...WORD, tone: true }))).toEqual([]);
    expect(run(times(100, { ...WORD, levelDbfs: -60 }))).toEqual([]);
  });

  it('end at a discontinuity where they were last heard', () => {
    const speech = new ConfirmedSpeech();
    step(speech, times(10, WORD));
    expect(speech.discontinuity(5000)).toEqual({ kind: 'ended', startMs: 0, endMs: 200 });
    expect(speech.isOpen).toBe(false);
  });

  it('end after silence as after any pause', () => {
    const speech = new ConfirmedSpeech();
    step(speech, times(10, WORD));
    expect(speech.pass(200, 280)).toBeUndefined();
    expect(speech.pass(480, 20)).toEqual({ kind: 'ended', startMs: 0, endMs: 200 });
  });
});

describe('the gate', () => {
  it('keeps a quiet room from the model', () => {
    expect(step(new ConfirmedSpeech(), times(500, ROOM)).heard).toEqual([]);
  });

  it('lets the model rest in steady noise, and wakes it for what rises above', () => {
    const speech = new ConfirmedSpeech();
    const { heard } = step(speech, times(500, NOISE));
    // 1.6 s, and what it takes to close.
    expect(heard.length).toBeLessThanOrEqual(92);
    const later = step(speech, [...times(5, NOISE), ...times(10, WORD)], 500);
    expect(later.heard[0]).toBe(505);
    expect(later.transitions).toEqual([{ kind: 'started', startMs: 505 * FRAME_MS }]);
  });

  it('stays shut while the encoder hears no voice, but not within speech', () => {
    const speech = new ConfirmedSpeech();
    expect(step(speech, times(100, { ...WORD, voiced: false })).heard).toEqual([]);
    step(speech, times(10, WORD), 100);
    expect(step(speech, times(50, { ...WORD, voiced: false }), 110).heard).toHaveLength(50);
  });

  it('shuts some frames after the sound, so that the model hears a whole pause between words', () => {
    const { heard } = step(new ConfirmedSpeech(), [...times(10, WORD), ...times(50, ROOM)]);
    expect(heard.at(-1)).toBe(10 + 240 / FRAME_MS - 2);
  });
});

const anyFrame: fc.Arbitrary<Frame> = fc.record({
  levelDbfs: fc.constantFrom(-127, -70, -57, -40, -25, -10),
  probability: fc.constantFrom(0, 0.1, 0.2, 0.4, 0.6, 1),
  tone: fc.boolean(),
  voiced: fc.boolean(),
});
const anyFrames = fc.array(
  fc.tuple(anyFrame, fc.integer({ min: 1, max: 30 })).map(([frame, count]) => times(count, frame)),
);

it('goes on from a saved state, wherever it is cut', () => {
  fc.assert(
    fc.property(anyFrames, fc.nat(), (parts, where) => {
      const frames = parts.flat();
      const at = frames.length === 0 ? 0 : where % frames.length;
      const whole = run(frames);
      const first = new ConfirmedSpeech();
      const before = step(first, frames.slice(0, at)).transitions;
      const saved = new Float64Array(CONFIRMED_SPEECH_STATE_NUMBERS + 2);
      expect(first.save(saved, 2)).toBe(saved.length);
      const second = new ConfirmedSpeech();
      second.restore(saved, 2, at * FRAME_MS);
      const after = step(second, frames.slice(at), at).transitions;
      expect([...before, ...after]).toEqual(whole);
    }),
  );
});

it('starts and ends in turn, with times in order', () => {
  fc.assert(
    fc.property(anyFrames, (parts) => {
      let lastMs = 0;
      run(parts.flat()).forEach((transition, n) => {
        expect(transition.kind).toBe(n % 2 === 0 ? 'started' : 'ended');
        expect(transition.startMs).toBeGreaterThanOrEqual(0);
        if (transition.kind === 'started')
          expect(transition.startMs).toBeGreaterThanOrEqual(lastMs);
        else expect(transition.endMs).toBeGreaterThanOrEqual(transition.startMs);
        lastMs = transition.kind === 'ended' ? transition.endMs : transition.startMs;
      });
    }),
  );
});

it('believes no level of the room that can not be', () => {
  const noise = { ...NOISE, probability: 0.05 };
  for (const roomDbfs of [2 ** 50, -(2 ** 50), 1, Number.NaN]) {
    const first = new ConfirmedSpeech();
    step(first, times(100, noise));
    const state = new Float64Array(CONFIRMED_SPEECH_STATE_NUMBERS);
    first.save(state, 0);
    state[8] = roomDbfs;
    const second = new ConfirmedSpeech();
    second.restore(state, 0, 100 * FRAME_MS);
    const { transitions } = step(second, [...times(50, noise), ...times(10, WORD)], 100);
    expect(transitions).toEqual([{ kind: 'started', startMs: 150 * FRAME_MS }]);
  }
});

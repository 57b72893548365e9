import { CODEC, FLAG } from '@earshot/bridge-protocol';
import { generateSequence, generateTone } from '@earshot/dtmf';
import { describe, expect, it } from 'vitest';
import { CLOSE_MODE, FRAME_SAMPLES, FrameSlot } from '../src/index.js';
import { join, Listener, room, toFrames, voice } from './signals.js';

const QUIET = room(400);

function without<T>(items: readonly T[], from: number, count: number): T[] {
  return items.filter((_, index) => index < from || index >= from + count);
}

describe('gaps', () => {
  it('tells where frames are missing, and fills in a short gap whole', () => {
    const listener = new Listener().hear(...without(toFrames(voice(400)), 10, 3));
    expect(listener.of('gap')).toEqual([
      {
        kind: 'gap',
        cause: 'lost',
        missingFrames: 3,
        concealedFrames: 3,
        startMs: 200,
        durationMs: 60,
      },
    ]);
    expect(listener.counters.totals()).toMatchObject({
      framesReceived: 17,
      framesDecoded: 17,
      framesMissing: 3,
      framesConcealed: 3,
      gaps: 1,
    });
  });

  it('fills in only the beginning of a long gap', () => {
    const listener = new Listener().hear(...without(toFrames(voice(2000)), 10, 60));
    expect(listener.of('gap')).toMatchObject([{ missingFrames: 60, concealedFrames: 5 }]);
  });

  it('counts what is missing before the first frame', () => {
    const listener = new Listener({ firstSequence: 0xffff_fffe }).hear(...toFrames(QUIET, 3, 1000));
    expect(listener.of('gap')).toMatchObject([
      { missingFrames: 5, concealedFrames: 0, startMs: 900, durationMs: 100 },
    ]);
  });

  it('counts what is missing before the close', () => {
    const listener = new Listener().hear(...toFrames(QUIET));
    listener.close(CLOSE_MODE.end, 24);
    expect(listener.of('gap')).toMatchObject([{ missingFrames: 4, startMs: 400 }]);
    expect(listener.counters.get('expected')).toBe(24);
  });

  it('names each cause for its share', () => {
    const frames = without(toFrames(voice(800)), 10, 9);
    const listener = new Listener().hear(...frames.slice(0, 10));
    listener.pipeline.discarded(10, 2, 0);
    const [next, ...rest] = frames.slice(10);
    listener.hear({ ...next!, droppedBefore: 4 }, ...rest);
    expect(listener.of('gap')).toMatchObject([
      { cause: 'discarded', missingFrames: 2, concealedFrames: 2, startMs: 200 },
      { cause: 'lost', missingFrames: 3, concealedFrames: 3, startMs: 240 },
      { cause: 'overflow', missingFrames: 4, concealedFrames: 0, startMs: 300 },
    ]);
    expect(listener.counters.totals()).toMatchObject({ framesDropped: 4, framesMissing: 5 });
  });

  it('ignores late and repeated frames', () => {
    const frames = toFrames(QUIET);
    const once = new Listener().hear(...frames);
    const twice = new Listener().hear(...frames, ...frames.slice(5));
    expect(twice.counters.totals()).toEqual({ ...once.counters.totals(), framesDuplicate: 15 });
    expect(twice.findings).toEqual(once.findings);
  });
});

describe('corrupt frames', () => {
  const damaged = { payload: new Uint8Array(639) };

  it('cost themselves only, and are one gap when they come in a row', () => {
    const frames = toFrames(voice(400)).map((frame, n) =>
      n >= 7 && n < 9 ? { ...frame, ...damaged } : frame,
    );
    const listener = new Listener().hear(...frames);
    expect(listener.of('gap')).toEqual([
      {
        kind: 'gap',
        cause: 'corrupt',
        missingFrames: 2,
        concealedFrames: 2,
        startMs: 140,
        durationMs: 40,
      },
    ]);
    expect(listener.counters.totals()).toMatchObject({
      framesReceived: 20,
      framesDecoded: 18,
      framesCorrupt: 2,
      framesMissing: 0,
      framesConcealed: 2,
    });
  });

  it('are reported at the latest when the stream ends', () => {
    const [first, second] = toFrames(voice(40));
    const listener = new Listener().hear(first!, { ...second!, codec: 99 });
    expect(listener.of('gap')).toEqual([]);
    listener.close(CLOSE_MODE.end);
    expect(listener.of('gap')).toMatchObject([{ cause: 'corrupt', missingFrames: 1 }]);
    expect(listener.findings.at(-1)?.kind).toBe('closed');
  });
});

describe('silence', () => {
  it('takes time but no decoder, by codec and by flag', () => {
    const frames = toFrames(QUIET).map((frame, n) =>
      n % 2 === 0
        ? { ...frame, payload: new Uint8Array(0), codec: CODEC.silence }
        : { ...frame, codec: CODEC.opus, flags: FLAG.silence },
    );
    const listener = new Listener().hear(...frames);
    expect(listener.counters.totals()).toMatchObject({
      framesReceived: 20,
      framesSilent: 20,
      framesDecoded: 0,
    });
    expect(listener.findings).toEqual([]);
    expect(listener.counters.get('levelCentiDbfs')).toBe(-12_700);
  });

  it('of the source is no gap, and ends what sounded', () => {
    const before = toFrames(join(QUIET, voice(1000)));
    const after = toFrames(QUIET, before.length, 60_000);
    const listener = new Listener().hear(...before, ...after);
    expect(listener.of('gap')).toEqual([]);
    const [ended] = listener.of('speechEnded');
    expect(ended?.endMs).toBeLessThanOrEqual(1400);
    expect(listener.of('speechEnded')).toHaveLength(1);
  });

  it('for a moment is a pause within the speech', () => {
    const before = toFrames(join(QUIET, voice(1000)));
    const after = toFrames(voice(1000), before.length, 1400 + 100);
    const listener = new Listener().hear(...before, ...after);
    expect(listener.of('speechStarted')).toHaveLength(1);
    expect(listener.of('speechEnded')).toEqual([]);
  });
});

describe('tones and speech', () => {
  const digits = generateSequence({
    digits: '147#9',
    toneMs: 120,
    pauseMs: 120,
    sampleRateHz: 16_000,
  });

  it('hears digits in order with their times, and no speech in them', () => {
    const listener = new Listener().hear(...toFrames(join(QUIET, digits, QUIET)));
    listener.close(CLOSE_MODE.end);
    const tones = listener.of('tone');
    expect(tones.map(({ digit }) => digit).join('')).toBe('147#9');
    tones.forEach((tone, n) => {
      expect(Math.abs(tone.startMs - (400 + n * 240))).toBeLessThanOrEqual(15);
      expect(Math.abs(tone.durationMs - 120)).toBeLessThanOrEqual(25);
      expect(tone.acrossGap).toBe(false);
    });
    expect(listener.of('speechStarted')).toEqual([]);
  });

  it('bridges a tone that goes on after a lost frame, and never counts it twice', () => {
    const long = generateSequence({
      digits: '5',
      toneMs: 300,
      pauseMs: 200,
      sampleRateHz: 16_000,
    });
    const listener = new Listener().hear(...without(toFrames(join(QUIET, long, QUIET)), 26, 1));
    expect(listener.of('tone')).toMatchObject([{ digit: '5', acrossGap: true }]);
  });

  it('hears where speech begins and ends', () => {
    const listener = new Listener().hear(...toFrames(join(QUIET, voice(1000), QUIET, QUIET)));
    const [started] = listener.of('speechStarted');
    const [ended] = listener.of('speechEnded');
    expect(Math.abs((started?.startMs ?? 0) - 400)).toBeLessThanOrEqual(80);
    expect(Math.abs((ended?.endMs ?? 0) - 1400)).toBeLessThanOrEqual(80);
    expect(ended?.startMs).toBe(started?.startMs);
  });

  it('shows level and speech while they last', () => {
    const listener = new Listener().hear(...toFrames(join(QUIET, voice(500))));
    expect(listener.counters.get('speaking')).toBe(1);
    const levelDbfs = listener.counters.get('levelCentiDbfs') / 100;
    expect(levelDbfs).toBeGreaterThan(-50);
    expect(levelDbfs).toBeLessThan(0);
    listener.close(CLOSE_MODE.end);
    expect(listener.counters.get('speaking')).toBe(0);
    expect(listener.of('speechEnded')).toHaveLength(1);
  });

  it('leaves what sounds to the next owner when the stream goes on elsewhere', () => {
    const listener = new Listener().hear(...toFrames(join(QUIET, voice(500))));
    listener.close(CLOSE_MODE.abandon, 100);
    expect(listener.findings.map(({ kind }) => kind)).toEqual(['speechStarted', 'closed']);
  });
});

describe('positions', () => {
  it('settle every few frames, whatever is open: minutes of unbroken speech, a tone', () => {
    const tone = generateTone({ digit: '5', durationMs: 10_000, sampleRateHz: 16_000 });
    const speech = voice(4000);
    const minutes = join(QUIET, ...Array.from({ length: 30 }, () => speech));
    for (const sound of [minutes, join(QUIET, tone)]) {
      const listener = new Listener();
      let mostBehind = 0;
      for (const frame of toFrames(sound)) {
        const { counters } = listener.hear(frame);
        const newest = counters.checkpoint();
        const { position } = newest?.checkpoint ?? { position: 0 };
        mostBehind = Math.max(mostBehind, counters.get('expected') - position);
        if (position !== counters.get('settled')) throw new Error('two positions must agree');
      }
      expect(mostBehind).toBe(4);
      expect(listener.of('speechEnded')).toEqual([]);
    }
  });

  it('settle at the very end when the stream goes on elsewhere', () => {
    const listener = new Listener().hear(...toFrames(voice(340)));
    expect(listener.counters.get('settled')).toBe(15);
    listener.close(CLOSE_MODE.abandon);
    expect(listener.counters.get('settled')).toBe(17);
    expect(listener.counters.checkpoint()?.checkpoint).toMatchObject({ position: 17, endMs: 340 });
  });

  it('let a new pipeline go on where one died', () => {
    const frames = toFrames(join(QUIET, voice(500), voice(500)));
    const first = new Listener().hear(...frames.slice(0, 40));
    const second = new Listener({ shared: first.shared });
    second.hear(...frames.slice(41));
    // The talkspurt was open then, and is: the checkpoint knows of it.
    expect(second.findings).toMatchObject([{ kind: 'gap', missingFrames: 1, startMs: 800 }]);
    expect(second.counters.get('speaking')).toBe(1);
    second.close(CLOSE_MODE.end);
    const { startMs } = first.of('speechStarted')[0]!;
    expect(second.of('speechEnded')).toMatchObject([{ startMs, endMs: 1400 }]);
    expect(second.counters.totals()).toMatchObject({
      framesReceived: frames.length - 1,
      framesMissing: 1,
    });
  });

  it('end speech that began after the checkpoint of a pipeline that died', () => {
    const first = new Listener();
    const frames = toFrames(join(QUIET, voice(500)));
    let heard = 0;
    while (first.of('speechStarted').length === 0) first.hear(frames[heard++]!);
    expect(first.counters.get('settled')).toBeLessThan(heard);
    const second = new Listener({ shared: first.shared });
    expect(second.findings).toMatchObject([{ kind: 'speechEnded', endMs: heard * 20 }]);
  });
});

it('counts what sounds: deafness is no silence', () => {
  const mute = new Int16Array(FRAME_SAMPLES * 4);
  const listener = new Listener().hear(...toFrames(join(mute, QUIET)));
  expect(listener.counters.get('decoded')).toBe(24);
  expect(listener.counters.get('sounding')).toBe(20);
});

it('refuses a PCM slot of another size', () => {
  const { pipeline } = new Listener();
  const pcm = new Int16Array(FRAME_SAMPLES + 1);
  expect(() => pipeline.accept(new FrameSlot(), pcm)).toThrow(RangeError);
  expect(() => pipeline.decoded(FRAME_SAMPLES, pcm)).toThrow(RangeError);
  expect(() => pipeline.close(CLOSE_MODE.end, pcm)).toThrow(RangeError);
});

import { FLAG } from '@earshot/bridge-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_MODE, parseStreamCheckpoint, WARM_UP_FRAMES } from '../src/index.js';
import type { TestFrame } from './signals.js';
import { join, Listener, room, toFrames, voice } from './signals.js';
import { StubSpeechModel } from './stub-speech-model.js';

const SOUND = toFrames(
  join(room(700), voice(900), room(1100), voice(260), room(260), voice(1500), room(900)),
);

const fate = fc.constantFrom(
  'kept',
  'kept',
  'kept',
  'kept',
  'kept',
  'kept',
  'lost',
  'silent',
  'broken',
);
const journey = fc
  .array(fate, { minLength: SOUND.length, maxLength: SOUND.length })
  .map((fates) => SOUND.flatMap((frame, n) => suffer(frame, fates[n] ?? 'kept')));

function suffer(frame: TestFrame, how: string): TestFrame[] {
  if (how === 'lost') return [];
  if (how === 'silent') return [{ ...frame, flags: FLAG.silence }];
  if (how === 'broken') return [{ ...frame, payload: Uint8Array.of(1) }];
  return [frame];
}

describe('speech that a model confirms', () => {
  it('is found with its times, and the model hears nothing of the room', () => {
    const speechModel = new StubSpeechModel();
    const listener = new Listener({ speechModel }).hear(...SOUND.slice(0, 35));
    expect(speechModel.runs).toBe(0);
    listener.hear(...SOUND.slice(35));
    listener.close(CLOSE_MODE.end, SOUND.length);
    expect(listener.of('speechStarted').map(({ startMs }) => startMs)).toEqual([700, 2700]);
    expect(listener.of('speechEnded')).toHaveLength(2);
    expect(speechModel.inUse).toBe(0);
  });

  it('is the same whether windows are taken at once or with the next frame', () => {
    fc.assert(
      fc.property(journey, fc.array(fc.boolean(), { minLength: 1 }), (frames, settles) => {
        const whole = new Listener({ speechModel: new StubSpeechModel() });
        const other = new Listener({ speechModel: new StubSpeechModel() });
        frames.forEach((frame, n) => {
          whole.hear(frame);
          whole.pipeline.settle();
          other.hear(frame);
          if (settles[n % settles.length]) other.pipeline.settle();
        });
        whole.close(CLOSE_MODE.end, SOUND.length);
        other.close(CLOSE_MODE.end, SOUND.length);
        expect(other.findings).toEqual(whole.findings);
      }),
      { numRuns: 50 },
    );
  });

  it('goes on elsewhere exactly as it would have', () => {
    fc.assert(
      fc.property(journey, fc.integer({ min: 10, max: SOUND.length - 10 }), (frames, cut) => {
        const whole = new Listener({ speechModel: new StubSpeechModel() }).hear(...frames);
        whole.close(CLOSE_MODE.end, SOUND.length);
        const first = new Listener({ speechModel: new StubSpeechModel() });
        first.hear(...frames.filter(({ sequence }) => sequence < cut));
        first.pipeline.publish();
        const stored = first.counters.checkpoint();
        if (stored === undefined) return;
        const checkpoint = parseStreamCheckpoint(JSON.parse(JSON.stringify(stored.checkpoint)));
        if (checkpoint === undefined) throw new Error('a checkpoint must be readable');
        const firstSequence = Math.max(0, checkpoint.position - WARM_UP_FRAMES);
        const second = new Listener({
          firstSequence,
          checkpoint,
          speechModel: new StubSpeechModel(),
        });
        second.hear(...frames.filter(({ sequence }) => sequence >= firstSequence));
        second.close(CLOSE_MODE.end, SOUND.length);
        const speech = ({ kind }: { kind: string }) => kind.startsWith('speech');
        const expected = whole.findings.slice(stored.findings).filter(speech);
        expect(second.findings.filter(speech)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on where none is, and the other way, with the same start', () => {
    for (const [before, after] of [
      [undefined, new StubSpeechModel()],
      [new StubSpeechModel(), undefined],
    ]) {
      const first = new Listener({ speechModel: before }).hear(...SOUND.slice(0, 60));
      const checkpoint = first.counters.checkpoint()?.checkpoint;
      const { startMs } = first.of('speechStarted')[0]!;
      const second = new Listener({ firstSequence: 20, checkpoint, speechModel: after });
      second.hear(...SOUND.slice(20));
      expect(second.of('speechEnded')[0]).toMatchObject({ startMs });
    }
  });

  it('keeps a checkpoint small: without the model in a room, with it in speech', () => {
    const listener = new Listener({ speechModel: new StubSpeechModel() });
    listener.hear(...SOUND.slice(0, 20));
    expect(listener.counters.checkpoint()?.checkpoint.model).toBe('');
    listener.hear(...SOUND.slice(20, 60));
    const checkpoint = listener.counters.checkpoint()?.checkpoint;
    expect(checkpoint?.model).not.toBe('');
    expect(JSON.stringify(checkpoint).length).toBeLessThan(4500);
  });

  it('needs a model whose state a checkpoint can hold', () => {
    const speechModel = Object.assign(new StubSpeechModel(), { stateWords: 547 });
    expect(() => new Listener({ speechModel })).toThrow('at most 546 words, got 547');
  });
});
